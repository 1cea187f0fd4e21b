import { afterAll, beforeAll, expect, it } from "vitest";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import type { Rect } from "../../media/layout.ts";
import { makeFlashClip } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { clearPart } from "../support/program/expected-place.ts";
import { beepOnsetsMs, flashOnsetsMs, median, skewsMs } from "../support/program/onsets.ts";
import { type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { type Take, takeUndisturbed } from "../support/system/take.ts";
import { TALKERS, type Talker } from "../support/system/talkers.ts";

/** Lips: each person flashes and beeps once a second, and in the received program the two must still be one event. */

const SIZE = { width: 640, height: 360 };
const PEOPLE = {
	// 44.1 kHz, so that the sound is resampled; pictures out of order, so that they are reordered.
	host: { toneHz: 880, phaseS: 0.2, frameRate: 25, bFrames: 2, sound: { sampleRate: 44_100, channels: 1 } },
	guest: { toneHz: 1_500, phaseS: 0.7, frameRate: 30, bFrames: 0, sound: { sampleRate: 48_000, channels: 2 } },
} as const;
const CLIP_SECONDS = 60;
const ON_AIR_SECONDS = 12;
const MAX_SKEW_MS = 30;
/** A flash is seen at the next output frame, whenever it happened: half a frame either way is the measure's, not the program's. */
const FRAME_GRID_MS = 1_000 / 30 / 2;
/** Of the events of one person, this share may need the grid's allowance. */
const MAX_ON_GRID = 0.25;
/** On a machine that is short of time a picture may be held for one event; lips that are off are off at every one. */
const MAX_HELD_EVENTS = 1;
/** While the jitter buffer finds its delay, up to 100 ms a second, the sound is still on its way there. */
const SETTLED_AFTER_S = 1;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const clips: Record<Talker, string> = { host: folder.file("host.flv"), guest: folder.file("guest.flv") };
const program = folder.file("program.flv");

interface LipsTake extends Take {
	readonly skewsMs: Readonly<Record<Talker, readonly number[]>>;
}
let take: LipsTake;

beforeAll(async () => {
	const shape = { width: 640, height: 360, seconds: CLIP_SECONDS };
	await Promise.all(
		TALKERS.map((id) => makeFlashClip(clips[id], PEOPLE[id].toneHz, PEOPLE[id].phaseS, { ...shape, ...PEOPLE[id] })),
	);
	const tandem = undo.use(await startSystem(folder.file("system")));
	take = await takeUndisturbed(
		() => record(tandem),
		({ skewsMs }) => [...skewsMs.host, ...skewsMs.guest].every((skew) => Math.abs(skew) <= MAX_SKEW_MS),
	);
});

async function record(tandem: SystemUnderTest): Promise<LipsTake> {
	await using peers = new AsyncDisposableStack();
	const destination = peers.use(await DestinationServer.listen());
	const broadcast = await tandem.goLive({
		title: "Lips",
		...SIZE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	for (const id of TALKERS) {
		peers.use(publishFile(clips[id], broadcast.publishUrl(id)));
	}
	const first = await broadcast.untilSeen(TALKERS);
	await broadcast.untilLive();
	const last = await broadcast.untilProgramGoesOn(ON_AIR_SECONDS);
	await broadcast.end();
	await destination.latest.writeTo(program);
	const skewsMs = { host: await addedSkewsMs("host"), guest: await addedSkewsMs("guest") };
	return { file: program, first, last, skewsMs };
}

afterAll(() => undo.disposeAsync());

it.each(TALKERS)("the %s's sound and picture are within 30 ms of each other, as near as frames can tell", (id) => {
	const skews = take.skewsMs[id];
	console.info(`lips, ${id}: ${skews.map((ms) => ms.toFixed(0)).join(" ")} ms`);
	expect(skews.length).toBeGreaterThanOrEqual(ON_AIR_SECONDS - SETTLED_AFTER_S - 1);
	const sizes = skews.map(Math.abs);
	const off = sizes.filter((size) => size > MAX_SKEW_MS + FRAME_GRID_MS);
	expect(off.length).toBeLessThanOrEqual(MAX_HELD_EVENTS);
	expect(sizes.filter((size) => size > MAX_SKEW_MS).length).toBeLessThanOrEqual(skews.length * MAX_ON_GRID);
	expect(Math.abs(median(skews))).toBeLessThanOrEqual(MAX_SKEW_MS);
});

/** Sound minus picture of each event of a person, less what the encoder of the source did. */
async function addedSkewsMs(id: Talker): Promise<number[]> {
	const place = layOut("landscape", SIZE, TALKERS).places.find((each) => each.id === id);
	if (place === undefined) {
		throw new Error(`expected a place for ${id}`);
	}
	const { toneHz } = PEOPLE[id];
	const source = median(await skewsOf(clips[id], { x: 0, y: 0, width: 640, height: 360 }, toneHz));
	const received = await skewsOf(program, clearPart(place.rect), toneHz);
	return received.map((skew) => skew - source).slice(SETTLED_AFTER_S);
}

async function skewsOf(file: string, rect: Rect, toneHz: number): Promise<number[]> {
	const [[flashes = []], beeps] = await Promise.all([flashOnsetsMs(file, [rect]), beepOnsetsMs(file, toneHz)]);
	return skewsMs(flashes, beeps);
}
