import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ProgramPicture, ShowsLog } from "../../../../compositor-page/program/shows-log.ts";
import { wrapMs } from "../../../../media/timestamp.ts";
import type { CompositeShows } from "../../../../worker/protocol/media-socket.ts";

const OUTPUT_RATE = 30;
/** No second picture of these is a key frame, so that nothing is said but for what moves. */
const NEVER = 1_000_000;

interface Sampling {
	readonly sourceRate: number;
	readonly frames: number;
	readonly keyFrameEvery?: number;
	readonly startMs?: number;
	readonly hostStartMs?: number;
	/** By how much the host's pictures are late in output frame n. */
	delayMs?(frame: number): number;
}

/** The host's newest picture in each output frame. */
function sampled({
	sourceRate,
	frames,
	keyFrameEvery = NEVER,
	startMs = 0,
	hostStartMs = 0,
	delayMs,
}: Sampling): ProgramPicture[] {
	let before = -1;
	return Array.from({ length: frames }, (_, frame) => {
		const timeMs = (frame * 1_000) / OUTPUT_RATE;
		const picture = Math.floor(((timeMs - (delayMs?.(frame) ?? 0) + 500) * sourceRate) / 1_000 + 1e-6);
		const isNew = picture !== before;
		before = picture;
		return {
			programMs: wrapMs(startMs + Math.round(timeMs)),
			keyFrame: frame % keyFrameEvery === 0,
			host: { hostMs: wrapMs(hostStartMs + Math.round((picture * 1_000) / sourceRate)), isNew },
		};
	});
}

function said(pictures: readonly ProgramPicture[]): { readonly frame: number; readonly shows: CompositeShows }[] {
	const log = new ShowsLog();
	return pictures.flatMap((picture, frame) => {
		const shows = log.next(picture);
		return shows === undefined ? [] : [{ frame, shows }];
	});
}

describe("ShowsLog", () => {
	test("says before each key frame which picture it shows, a repeated one too", () => {
		const pictures = sampled({ sourceRate: 15, frames: 95, keyFrameEvery: 31 });
		expect(said(pictures)).toEqual(
			[0, 31, 62, 93].map((frame) => ({
				frame,
				shows: { type: "shows", programMs: pictures[frame]?.programMs, hostMs: pictures[frame]?.host?.hostMs },
			})),
		);
		expect(pictures.filter(({ keyFrame, host }) => keyFrame && host?.isNew === false)).not.toEqual([]);
	});

	test.each([10, 15, 20, 24, 25, 30_000 / 1_001, 30, 48, 50, 60])(
		"says no more of a steady host at %d pictures a second",
		(sourceRate) => {
			expect(said(sampled({ sourceRate, frames: 300 })).map(({ frame }) => frame)).toEqual([0]);
		},
	);

	test("says hardly more of one whose pictures slide along the program's", () => {
		expect(said(sampled({ sourceRate: 24_000 / 1_001, frames: 300 })).length).toBeLessThanOrEqual(2);
	});

	test("does not flap with jitter that moves single pictures by one", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 200, maxLength: 200 }), (dice) => {
				const delayMs = (frame: number) => (dice[frame] === 0 ? 34 : 1);
				const messages = said(sampled({ sourceRate: 30, frames: 200, delayMs }));
				expect(messages.length).toBeLessThan(20);
			}),
			{ numRuns: 50 },
		);
	});

	test("says it again once the host has moved to another place in the program, and then no more", () => {
		const delayMs = (frame: number) => (frame < 100 ? 5 : 45);
		const messages = said(sampled({ sourceRate: 30, frames: 300, delayMs }));
		const after = messages.filter(({ frame }) => frame > 0);
		expect(after.length).toBeGreaterThanOrEqual(1);
		expect(after.length).toBeLessThanOrEqual(4);
		expect(after[0]?.frame).toBeLessThanOrEqual(105);
		expect(after.every(({ frame }) => frame < 115)).toBe(true);
	});

	test("says it with the first picture after a jump", () => {
		const delayMs = (frame: number) => (frame < 100 ? 5 : 305);
		const messages = said(sampled({ sourceRate: 30, frames: 300, delayMs }));
		const first = messages.find(({ frame }) => frame > 0);
		expect(first?.frame).toBeGreaterThanOrEqual(100);
		expect(first?.frame).toBeLessThanOrEqual(110);
		expect(messages).toHaveLength(2);
	});

	test("says nothing while no picture of the host's is shown, and of the first one that is", () => {
		const pictures = sampled({ sourceRate: 30, frames: 90, keyFrameEvery: 30 }).map((picture, frame) =>
			frame < 40 ? { ...picture, host: undefined } : picture,
		);
		expect(said(pictures).map(({ frame }) => frame)).toEqual([40, 60]);
	});

	test.each([
		{ name: "the program's time", starts: { startMs: 2 ** 32 - 1_000 } },
		{ name: "the host's time", starts: { hostStartMs: 2 ** 32 - 2_000 } },
		{ name: "either's, half a round apart", starts: { startMs: 2 ** 31, hostStartMs: 2 ** 32 - 1_500 } },
	])("is not moved by the wrap of $name", ({ starts }) => {
		expect(said(sampled({ sourceRate: 30, frames: 200, ...starts })).map(({ frame }) => frame)).toEqual([0]);
	});
});
