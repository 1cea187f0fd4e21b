import { afterAll, beforeAll, expect, it } from "vitest";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { makeMovingClip, realFootage } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { clearPart, cropToFillFilter } from "../support/program/expected-place.ts";
import { cropPlane, type Plane } from "../support/program/picture.ts";
import { decodePictures, pictureSize } from "../support/program/pictures.ts";
import { ssim } from "../support/program/ssim.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { heldShare, type Take, takeUndisturbed } from "../support/system/take.ts";
import { TALKERS, type Talker } from "../support/system/talkers.ts";

/**
 * A camera's footage at 25 fps with 44.1 kHz sound beside a 720p picture at 30 fps with pictures out of order: what arrives is the very frames that were
 * published, in their order.
 */

const SIZE = { width: 640, height: 360 };
const FRAME_RATE = 30;
const ON_AIR_SECONDS = 10;
const COMPARE_EVERY = 10;
/** Twice through a lossy encoder, and scaled; a neighbouring frame of moving footage is already below it. */
const ALIKE = 0.95;
/** Source frames looked at in full: the few that are nearest when looked at coarsely. */
const CANDIDATES = 4;
const COARSE_STEP = 8;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const clips: Record<Talker, string> = { host: folder.file("host.flv"), guest: folder.file("guest.flv") };
const program = folder.file("program.flv");
let take: Take;

beforeAll(async () => {
	const footage = realFootage();
	const made = { width: 640, height: 360, frameRate: 25, seconds: 10, sound: { sampleRate: 44_100, channels: 2 } };
	clips.host = footage ?? clips.host;
	await Promise.all([
		footage ?? makeMovingClip(clips.host, 440, made),
		makeMovingClip(clips.guest, 1_000, { width: 1_280, height: 720, frameRate: 30, seconds: 10, bFrames: 2 }),
	]);
	const tandem = undo.use(await startSystem(folder.file("system")));
	take = await takeUndisturbed(() => record(tandem));
});

async function record(tandem: SystemUnderTest): Promise<Take> {
	await using peers = new AsyncDisposableStack();
	const destination = peers.use(await DestinationServer.listen());
	const broadcast = await tandem.goLive({
		title: "Real footage",
		...SIZE,
		frameRate: FRAME_RATE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	for (const id of TALKERS) {
		peers.use(publishFile(clips[id], broadcast.publishUrl(id), { loop: true }));
	}
	const first = await broadcast.untilSeen(TALKERS);
	const last = await broadcast.untilProgramGoesOn(ON_AIR_SECONDS);
	await broadcast.end();
	await destination.latest.writeTo(program);
	return { file: program, first, last };
}

afterAll(() => undo.disposeAsync());

it("is whole, with at most 1 % of its frames held", async ({ annotate }) => {
	await expectUnbroken(program, { frameRate: FRAME_RATE, cuts: 8 });
	const { latencyMs, avSkewMs } = take.last;
	await annotate(
		`held ${(heldShare(take) * 100).toFixed(1)} %; latency ${JSON.stringify(latencyMs)}; skew ${avSkewMs} ms`,
	);
	expect(heldShare(take)).toBeLessThanOrEqual(0.01);
});

it.each(TALKERS)("shows the %s's own frames, in their order", async (id) => {
	const { rect, compared } = placeOf(id);
	const source: Plane[] = [];
	const filters = cropToFillFilter(await pictureSize(clips[id]), rect);
	const local = { ...compared, x: compared.x - rect.x, y: compared.y - rect.y };
	for await (const { picture } of decodePictures(clips[id], { filters, size: rect })) {
		source.push(cropPlane(picture.y, local));
	}
	const matches: { index: number; alike: number; atMs: number }[] = [];
	for await (const { index, ptsMs, picture } of decodePictures(program)) {
		if (index % COMPARE_EVERY === 0) {
			matches.push({ ...bestMatch(cropPlane(picture.y, compared), source), atMs: ptsMs });
		}
	}
	const shown = matches.slice(-((ON_AIR_SECONDS - 1) * FRAME_RATE) / COMPARE_EVERY);
	const leastAlike = shown.reduce((least, match) => (match.alike < least.alike ? match : least));
	console.info(`real footage, ${id}: least alike SSIM ${leastAlike.alike.toFixed(3)} at ${leastAlike.atMs} ms`);
	expect(leastAlike.alike).toBeGreaterThan(ALIKE);
	expectForward(
		shown.map(({ index }) => index),
		source.length,
	);
});

function placeOf(id: Talker) {
	const place = layOut("landscape", SIZE, TALKERS).places.find((each) => each.id === id);
	if (place === undefined) {
		throw new Error(`expected a place for ${id}`);
	}
	return { rect: place.rect, compared: clearPart(place.rect) };
}

/** The source frame that looks most like a received one. */
function bestMatch(plane: Plane, source: readonly Plane[]): { index: number; alike: number } {
	const nearest = source
		.map((candidate, index) => ({ index, difference: coarseDifference(plane, candidate) }))
		.sort((a, b) => a.difference - b.difference)
		.slice(0, CANDIDATES);
	return nearest
		.map(({ index }) => ({ index, alike: ssim(plane, source[index] ?? plane) }))
		.reduce((best, match) => (match.alike > best.alike ? match : best));
}

function coarseDifference(a: Plane, b: Plane): number {
	let sum = 0;
	for (let y = 0; y < a.height; y += COARSE_STEP) {
		for (let at = y * a.width; at < (y + 1) * a.width; at += COARSE_STEP) {
			sum += Math.abs((a.samples[at] ?? 0) - (b.samples[at] ?? 0));
		}
	}
	return sum;
}

/** A third of a second of source to a third of a second of program, and back to the start when the footage begins again. */
function expectForward(indices: readonly number[], sourceFrames: number): void {
	const frameRate = sourceFrames / 10;
	const expected = (COMPARE_EVERY * frameRate) / FRAME_RATE;
	const steps = indices.slice(1).map((each, at) => (each - (indices[at] ?? 0) + sourceFrames) % sourceFrames);
	const wrong = steps.filter((step) => Math.abs(step - expected) > 2);
	// Where the footage begins again its last frames stay a little longer, or are cut short, as its sound is longer or shorter.
	expect(wrong.length, `steps of about ${expected} frames, got ${steps.join(" ")}`).toBeLessThanOrEqual(2);
}
