import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { publishWithGStreamer } from "../support/peers/gstreamer-publisher.ts";
import { hasObs, publishWithObs } from "../support/peers/obs-publisher.ts";
import { connectPublisher, endOf } from "../support/peers/rtmp-client.ts";
import { mustRun } from "../support/peers/run-tool.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { clearPart } from "../support/program/expected-place.ts";
import { type Colour, colourDistance, meanColour, type Picture } from "../support/program/picture.ts";
import { decodePictures } from "../support/program/pictures.ts";
import { decodeSound } from "../support/program/sound.ts";
import { toneLevel } from "../support/program/tone.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { readMediaTags } from "../support/rtmp/flv-file.ts";
import { type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { type Take, takeUndisturbed } from "../support/system/take.ts";
import { TALKERS, type Talker } from "../support/system/talkers.ts";

/** GStreamer and OBS Studio as they are, publishing at once: each is seen and heard in one program. */

const SIZE = { width: 640, height: 360 };
const FRAME_RATE = 30;
const ON_AIR_SECONDS = 8;
/** Y, Cb and Cr (video range) of the two colours; senders differ in whether they take BT.601 or BT.709. */
const COLOURS: Readonly<Record<Talker, Colour>> = {
	host: { y: 75, u: 192, v: 96 },
	guest: { y: 95, u: 84, v: 187 },
};
const MAX_COLOUR_DISTANCE = 24;
/** For the one that was taken over to hear of it. */
const VANISHED_WITHIN_MS = 20_000;
const TONES_HZ: Readonly<Record<Talker, number>> = { host: 600, guest: 1_500 };

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const program = folder.file("program.flv");
let tandem: SystemUnderTest;

beforeAll(async () => {
	const tone = folder.file("tone.wav");
	await mustRun("ffmpeg", [
		...[
			"-v",
			"error",
			"-f",
			"lavfi",
			"-i",
			`sine=frequency=${TONES_HZ.guest}:sample_rate=48000:duration=30,volume=6dB`,
		],
		tone,
	]);
	tandem = undo.use(await startSystem(folder.file("system")));
	await takeUndisturbed((number) => record(tone, folder.file(`obs-${number}`)));
});

async function record(soundFile: string, obsFolder: string): Promise<Take> {
	await using peers = new AsyncDisposableStack();
	const destination = peers.use(await DestinationServer.listen());
	const broadcast = await tandem.goLive({
		title: "Publishers",
		...SIZE,
		frameRate: FRAME_RATE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	const gstreamer = { colour: "0xff2050b0", toneHz: TONES_HZ.host, width: 640, height: 360 };
	peers.use(publishWithGStreamer(gstreamer, broadcast.publishUrl("host")));
	const { url, streamKey } = broadcast.created.ingest.guest.rtmp;
	mkdirSync(obsFolder, { mode: 0o700 });
	peers.use(publishWithObs(obsFolder, { colour: 0xff30_40d0, soundFile }, url, streamKey));
	const first = await broadcast.untilSeen(TALKERS);
	const last = await broadcast.untilProgramGoesOn(ON_AIR_SECONDS);
	await broadcast.end();
	await destination.latest.writeTo(program);
	return { file: program, first, last };
}

afterAll(() => undo.disposeAsync());

it("has OBS Studio to prove it with", () => {
	expect(hasObs()).toBe(true);
});

it.each(TALKERS)("the %s is seen in their place to the end", async (id) => {
	const place = layOut("landscape", SIZE, TALKERS).places.find((each) => each.id === id);
	if (place === undefined) {
		throw new Error(`expected a place for ${id}`);
	}
	const colourOf = (picture: Picture) => meanColour(picture, clearPart(place.rect));
	const colours: Colour[] = [];
	for await (const { picture } of decodePictures(program)) {
		colours.push(colourOf(picture));
	}
	const shown = colours.slice(-ON_AIR_SECONDS * FRAME_RATE);
	const furthest = Math.max(...shown.map((colour) => colourDistance(colour, COLOURS[id])));
	expect(furthest, JSON.stringify(shown.at(-1))).toBeLessThan(MAX_COLOUR_DISTANCE);
});

it.each(TALKERS)("the %s is heard to the end", async (id) => {
	const { samples } = await decodeSound(program);
	for (let back = 1; back < ON_AIR_SECONDS; back++) {
		const second = samples.subarray(samples.length - back * 48_000, samples.length - (back - 1) * 48_000);
		expect(toneLevel(second, TONES_HZ[id]), `${back} s before the end`).toBeGreaterThan(0.05);
	}
});

it("the program is whole", async () => {
	await expectUnbroken(program, { frameRate: FRAME_RATE, cuts: 2 });
});

/** A publisher whose line was cut without a word is still there for the system when they come back. */
it("one that vanished without a word and one that was killed are let in again at once, and the program goes on", async () => {
	await using peers = new AsyncDisposableStack();
	const destination = peers.use(await DestinationServer.listen());
	const broadcast = await tandem.goLive({
		title: "Vanished",
		...SIZE,
		frameRate: FRAME_RATE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	const clip = folder.file("vanished.flv");
	await makeMovingClip(clip, 440, { ...SIZE, frameRate: FRAME_RATE, seconds: 20 });
	const { url, streamKey } = broadcast.created.ingest.host.rtmp;
	const vanished = await connectPublisher(url, streamKey);
	for (const tag of (await readMediaTags(clip)).filter(({ timestampMs }) => timestampMs < 1_000)) {
		await vanished.sendTag(tag);
	}
	const killed = peers.use(publishFile(clip, broadcast.publishUrl("host"), { loop: true }));
	// The newer one takes over from the one that is silent, which is told so.
	expect(await endOf(vanished, VANISHED_WITHIN_MS)).toMatchObject({
		kind: "refused",
		code: "NetStream.Publish.BadName",
	});
	await broadcast.untilSeen(["host"]);
	await broadcast.untilLive();
	await killed.stop("SIGKILL");
	peers.use(publishFile(clip, broadcast.publishUrl("host"), { loop: true }));
	const before = destination.latest.videoFrames;
	await broadcast.untilSeen(["host"]);
	await broadcast.untilProgramGoesOn(3);
	expect(destination.latest.videoFrames).toBeGreaterThan(before + FRAME_RATE);
	expect(destination.sessions).toHaveLength(1);
	const times = destination.latest.frameTimesMs();
	expect(times.every((ms, at) => at === 0 || ms > (times[at - 1] ?? Number.NaN))).toBe(true);
	await broadcast.end();
});
