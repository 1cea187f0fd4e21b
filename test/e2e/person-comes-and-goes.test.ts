import { afterAll, beforeAll, expect, it } from "vitest";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { clearPart } from "../support/program/expected-place.ts";
import { cropPlane, meanOf, type Plane } from "../support/program/picture.ts";
import { decodePictures } from "../support/program/pictures.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { type LiveBroadcast, type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { type Take, takeUndisturbed } from "../support/system/take.ts";
import { TALKERS, type Talker } from "../support/system/talkers.ts";

/** One person's line breaks and comes back: their last picture, then a card, then they themselves, in a program that never stops. */

const SIZE = { width: 640, height: 360 };
const FRAME_RATE = 30;
const CHANGE_WITHIN_MS = 30_000;
/** How long the last picture stays (issue: 2 s), as the received program shows it. */
const HOLD_MS = { min: 1_700, max: 2_400 };
/** Mean difference from one picture to the next: the test pattern moves by 1 and more, an encoder's repainting of a still by a tenth. */
const MOVES_ABOVE = 0.35;
/** The card is a dark ground; the test pattern's luma is about 110. */
const CARD_BELOW = 70;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const clips: Record<Talker, string> = { host: folder.file("host.flv"), guest: folder.file("guest.flv") };
const program = folder.file("program.flv");

beforeAll(async () => {
	const shape = { width: 640, height: 360, frameRate: FRAME_RATE, seconds: 60 };
	await Promise.all([makeMovingClip(clips.host, 440, shape), makeMovingClip(clips.guest, 1_000, shape)]);
	const tandem = undo.use(await startSystem(folder.file("system")));
	await takeUndisturbed(() => record(tandem));
});

async function record(tandem: SystemUnderTest): Promise<Take> {
	await using peers = new AsyncDisposableStack();
	const destination = peers.use(await DestinationServer.listen());
	const broadcast = await tandem.goLive({
		title: "Comes and goes",
		...SIZE,
		frameRate: FRAME_RATE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	peers.use(publishFile(clips.host, broadcast.publishUrl("host")));
	const guest = peers.use(publishFile(clips.guest, broadcast.publishUrl("guest")));
	const first = await broadcast.untilSeen(TALKERS);
	await broadcast.untilProgramGoesOn(2);
	await guest.stop("SIGKILL");
	await untilPictureIs(broadcast, "guest", "card");
	await broadcast.untilProgramGoesOn(1);
	peers.use(publishFile(clips.guest, broadcast.publishUrl("guest")));
	await broadcast.untilSeen(TALKERS);
	const last = await broadcast.untilProgramGoesOn(2);
	await broadcast.end();
	expect(destination.sessions.length).toBe(1);
	await destination.latest.writeTo(program);
	return { file: program, first, last };
}

afterAll(() => undo.disposeAsync());

function untilPictureIs(broadcast: LiveBroadcast, id: Talker, wanted: string): Promise<true> {
	return waitFor(`${id} to be shown as ${wanted}`, CHANGE_WITHIN_MS, async () => {
		const { people } = await broadcast.compositorStats();
		return people.find((person) => person.id === id)?.picture === wanted || undefined;
	});
}

type Look = "moves" | "still" | "card";

interface Stretch {
	readonly look: Look;
	readonly fromMs: number;
	toMs: number;
}

/** What a person's place showed, from when to when. */
async function looksOf(id: Talker): Promise<Stretch[]> {
	const place = layOut("landscape", SIZE, TALKERS).places.find((each) => each.id === id);
	if (place === undefined) {
		throw new Error(`expected a place for ${id}`);
	}
	const rect = clearPart(place.rect);
	const stretches: Stretch[] = [];
	let before: Plane | undefined;
	for await (const { ptsMs, picture } of decodePictures(program)) {
		const plane = cropPlane(picture.y, rect);
		const look = lookOf(plane, before);
		before = plane;
		const current = stretches.at(-1);
		if (current?.look === look) {
			current.toMs = ptsMs;
		} else {
			stretches.push({ look, fromMs: ptsMs, toMs: ptsMs });
		}
	}
	return stretches;
}

function lookOf(plane: Plane, before: Plane | undefined): Look {
	if (meanOf(plane, { x: 0, y: 0, width: plane.width, height: plane.height }) < CARD_BELOW) {
		return "card";
	}
	return before !== undefined && meanDifference(plane, before) > MOVES_ABOVE ? "moves" : "still";
}

function meanDifference(a: Plane, b: Plane): number {
	let sum = 0;
	for (let at = 0; at < a.samples.length; at++) {
		sum += Math.abs((a.samples[at] ?? 0) - (b.samples[at] ?? 0));
	}
	return sum / a.samples.length;
}

/** Shorter looks are a held picture, or a key frame of a still one. */
const LASTING_MS = 150;

/** Without what lasts only a picture or two: a held picture, or a key frame of a still one. */
function lasting(stretches: readonly Stretch[]): Stretch[] {
	const merged: Stretch[] = [];
	for (const stretch of stretches) {
		const previous = merged.at(-1);
		if (stretch.toMs - stretch.fromMs < LASTING_MS) {
			continue;
		}
		if (previous?.look === stretch.look) {
			previous.toMs = stretch.toMs;
		} else {
			merged.push({ ...stretch });
		}
	}
	return merged;
}

it("holds the last picture for 2 s, then shows the card, then the person again", async () => {
	const looks = lasting(await looksOf("guest"));
	const fromAir = looks.slice(looks.findIndex(({ look }) => look === "moves"));
	console.info(`comes and goes: ${fromAir.map(({ look, fromMs, toMs }) => `${look} ${fromMs}-${toMs}`).join(", ")}`);
	expect(fromAir.map(({ look }) => look)).toEqual(["moves", "still", "card", "moves"]);
	const [moving, , card] = fromAir;
	const heldMs = (card?.fromMs ?? 0) - (moving?.toMs ?? 0);
	expect(heldMs).toBeGreaterThanOrEqual(HOLD_MS.min);
	expect(heldMs).toBeLessThanOrEqual(HOLD_MS.max);
});

it("goes on showing the other person all the while", async () => {
	const looks = lasting(await looksOf("host"));
	expect(looks.slice(looks.findIndex(({ look }) => look === "moves")).map(({ look }) => look)).toEqual(["moves"]);
});

it("is whole all along", async () => {
	await expectUnbroken(program, { frameRate: FRAME_RATE, cuts: 5 });
});
