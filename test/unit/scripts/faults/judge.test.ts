import { describe, expect, it } from "vitest";
import { judge, type Verdict } from "../../../support/faults/judge.ts";
import type { Received, SeenFrame, Timeline } from "../../../support/faults/timeline.ts";
import { FRAME_MS, flawless, START_MS } from "./made-timeline.ts";

const SECONDS = 20;
const INJECTED_MS = 8_000;
const END_MS = SECONDS * 1_000;

function judged(timeline: Timeline, options: { restoredMs?: number; toMs?: number } = {}): Verdict {
	const { restoredMs, toMs = END_MS } = options;
	return judge(timeline, {
		frameRate: 30,
		ids: [1, 2],
		fromMs: START_MS,
		toMs: START_MS + toMs,
		injectedAtMs: START_MS + INJECTED_MS,
		...(restoredMs === undefined ? {} : { restoredAtMs: START_MS + restoredMs }),
	});
}

function withFrames(change: (frames: readonly SeenFrame[]) => SeenFrame[], timeline = flawless(SECONDS)): Timeline {
	return { ...timeline, frames: change(timeline.frames) };
}

function between<T extends Received>(fromMs: number, toMs: number, change: (received: T) => T) {
	return (received: T): T => (received.timeMs >= fromMs && received.timeMs < toMs ? change(received) : received);
}

describe("the judge", () => {
	it("has nothing against a stream without flaws", () => {
		const verdict = judged(flawless(SECONDS));
		expect(verdict).toMatchObject({
			sessions: 1,
			splices: 0,
			videoBackwards: 0,
			audioBackwards: 0,
			shownTwice: 0,
			repeats: 0,
			unread: 0,
			recoveredMs: 0,
			latencyBackMs: 0,
			complaints: [],
		});
		expect(Math.max(verdict.freezeMs, verdict.freezeWallMs, verdict.silenceMs)).toBeLessThan(2);
		expect(Math.abs(verdict.worstSkewMs ?? Number.NaN)).toBeLessThan(3);
	});

	it("sees a picture that stands still while frames go on, and when it moves again", () => {
		const stands = between<SeenFrame>(9_000, 10_500, (frame) => ({ ...frame, codes: [{ id: 1, number: 269 }] }));
		const verdict = judged(withFrames((frames) => frames.map(stands)));
		expect(verdict.freezeMs).toBeCloseTo(1_500, -1);
		expect(verdict.freezeWallMs).toBeCloseTo(1_500, -1);
		expect(verdict.repeats).toBe(45);
		expect(verdict.recoveredMs).toBeCloseTo(10_500 - INJECTED_MS, -1);
		expect(verdict.shownTwice).toBe(0);
	});

	it("sees frames that are missing, and a person who is not to be seen", () => {
		const isMissing = ({ timeMs }: SeenFrame) => timeMs > 9_010 && timeMs < 9_990;
		expect(judged(withFrames((frames) => frames.filter((frame) => !isMissing(frame)))).freezeMs).toBeCloseTo(967, -1);
		const hidden = judged(withFrames((frames) => frames.map((f) => (isMissing(f) ? { ...f, codes: [] } : f))));
		expect(hidden.freezeMs).toBeCloseTo(967, -1);
		expect(hidden.unread).toBe(29);
	});

	it("sees a stream that ends too early", () => {
		const verdict = judged(withFrames((frames) => frames.filter(({ timeMs }) => timeMs < 15_000)));
		expect(verdict.freezeWallMs).toBeCloseTo(5_000, -2);
		expect(verdict.recoveredMs).toBeUndefined();
	});

	it("sees a frame shown twice: an older one, one of a clip that was left, and the same one across a splice", () => {
		const older = withFrames((frames) => frames.with(300, { ...at(frames, 300), codes: [{ id: 1, number: 290 }] }));
		expect(judged(older).shownTwice).toBe(1);
		const left = withFrames((frames) => {
			const codes = [...Array(300).keys()].map((number) => ({ id: 2, number }));
			return frames.map((frame, index) => {
				const code = codes[index - 300];
				return code === undefined || index > 310 ? frame : { ...frame, codes: [code] };
			});
		});
		expect(judged(left).shownTwice).toBe(SECONDS * 30 - 311);
		const same = withFrames((frames) => frames.with(300, { ...at(frames, 300), codes: [{ id: 1, number: 299 }] }));
		expect(judged(same)).toMatchObject({ shownTwice: 0, repeats: 1 });
		const splice = { arrivedAtMs: START_MS + 9_999, timeMs: 9_999 };
		expect(judged({ ...same, splices: [splice] })).toMatchObject({ shownTwice: 1, repeats: 0, splices: 1 });
	});

	it("takes a key frame that is sent again for held, and what follows it again for shown twice", () => {
		const sentAgain = (count: number) =>
			withFrames((frames) => {
				// The last key frame before is number 300.
				const again = frames.slice(300, 300 + count);
				return frames.map((frame, index) => ({ ...frame, ...picture(again[index - 330] ?? frame) }));
			});
		expect(judged(sentAgain(1))).toMatchObject({ held: 1, shownTwice: 0 });
		expect(judged(sentAgain(4))).toMatchObject({ held: 1, shownTwice: 3 });
	});

	it("does not take for shown what is passed by within milliseconds", () => {
		const passing = withFrames((frames) => {
			const again = Array.from({ length: 20 }, (_, index): SeenFrame => {
				const timeMs = at(frames, 300).timeMs - 20 + index;
				return { ...at(frames, 300), timeMs, codes: [{ id: 1, number: 280 + index }] };
			});
			return [...frames.slice(0, 300), ...again, ...frames.slice(300)];
		});
		expect(judged(passing)).toMatchObject({ shownTwice: 0, repeats: 0, passedBy: 20, videoBackwards: 0 });
	});

	it("tells the freeze and the loss at a splice from those elsewhere", () => {
		const splice = { arrivedAtMs: START_MS + 10_000, timeMs: 10_000 };
		const elsewhere = withFrames((frames) => frames.filter((_, index) => index < 100 || index > 110));
		expect(judged({ ...elsewhere, splices: [splice] }).spliceFreezeMs).toBeLessThan(2);
		const there = withFrames((frames) => frames.filter((_, index) => index < 298 || index > 301));
		const verdict = judged({ ...there, splices: [splice] });
		expect(verdict.spliceFreezeMs).toBeCloseTo(4 * FRAME_MS, -1);
		expect(verdict.spliceLost).toBe(4);
	});

	it("sees gaps and overlaps of sound at a splice", () => {
		const splice = { arrivedAtMs: START_MS + 10_000, timeMs: 10_000 };
		for (const offMs of [30, -15]) {
			const timeline = flawless(SECONDS);
			const sound = timeline.sound.map((packet) =>
				packet.timeMs < 10_000 ? packet : { ...packet, timeMs: packet.timeMs + offMs },
			);
			const { spliceSoundMs } = judged({ ...timeline, sound, splices: [splice] });
			expect(spliceSoundMs).toBeGreaterThan(Math.abs(offMs) - 1.5);
			expect(spliceSoundMs).toBeLessThan(Math.abs(offMs) + 1.5);
		}
	});

	it("sees silence: of quiet packets, of missing ones, and at the end", () => {
		const timeline = flawless(SECONDS);
		const isGone = ({ timeMs }: Received) => timeMs >= 9_000 && timeMs < 9_600;
		const quiet = timeline.sound.map((packet) => (isGone(packet) ? { ...packet, rms: 0.001 } : packet));
		expect(judged({ ...timeline, sound: quiet }).silenceMs).toBeCloseTo(600, -2);
		const missing = timeline.sound.filter((packet) => !isGone(packet));
		expect(judged({ ...timeline, sound: missing }).silenceMs).toBeCloseTo(600, -2);
		const cut = timeline.sound.filter(({ timeMs }) => timeMs < 17_000);
		expect(judged({ ...timeline, sound: cut }).silenceMs).toBeGreaterThan(2_500);
		expect(judged({ ...timeline, sound: [] }).silenceMs).toBe(END_MS);
	});

	it("counts times that do not rise, of each track and over sessions", () => {
		const timeline = flawless(SECONDS);
		const back = <T extends Received>(received: T): T =>
			received.timeMs < 10_000 ? received : { ...received, timeMs: received.timeMs - 100 };
		expect(judged({ ...timeline, frames: timeline.frames.map(back) })).toMatchObject({
			videoBackwards: 1,
			audioBackwards: 0,
		});
		expect(judged({ ...timeline, sound: timeline.sound.map(back) })).toMatchObject({
			videoBackwards: 0,
			audioBackwards: 1,
		});
		const twice = withFrames((frames) => [...frames.slice(0, 300), at(frames, 299), ...frames.slice(300)]);
		expect(judged(twice).videoBackwards).toBe(1);
	});

	it("measures how late the sound is", () => {
		const timeline = flawless(SECONDS);
		for (const lateMs of [80, -40]) {
			const sound = timeline.sound.map((packet) => ({ ...packet, timeMs: packet.timeMs + lateMs }));
			expect(judged({ ...timeline, sound }).medianSkewMs).toBeGreaterThan(lateMs - 3);
			expect(judged({ ...timeline, sound }).medianSkewMs).toBeLessThan(lateMs + 3);
		}
	});

	it("measures from the end of a cause until the picture goes on", () => {
		const away = (frames: readonly SeenFrame[]) =>
			frames.filter(({ timeMs }) => timeMs < INJECTED_MS || timeMs >= 13_500);
		expect(judged(withFrames(away), { restoredMs: 12_000 }).resumedMs).toBeCloseTo(1_500, -1);
		expect(judged(flawless(SECONDS), { restoredMs: 12_000 }).resumedMs).toBe(0);
		const never = withFrames((frames) => frames.filter(({ timeMs }) => timeMs < INJECTED_MS));
		expect(judged(never, { restoredMs: 12_000 }).resumedMs).toBeUndefined();
	});

	it("sees latency that stays, and how long one takes to go", () => {
		const late = (untilMs: number) => (frames: readonly SeenFrame[]) =>
			frames.map(
				between<SeenFrame>(INJECTED_MS, untilMs, (frame) => ({ ...frame, arrivedAtMs: frame.arrivedAtMs + 700 })),
			);
		const stays = judged(withFrames(late(END_MS)), { toMs: END_MS + 800 });
		expect(stays.latencyBackMs).toBeUndefined();
		expect(stays.latencyRoseMs).toBeCloseTo(700, -2);
		const goes = judged(withFrames(late(11_000)), { restoredMs: 9_000 });
		expect(goes.latencyBackMs).toBeGreaterThanOrEqual(2_000);
		expect(goes.latencyBackMs).toBeLessThanOrEqual(3_500);
	});
});

function picture({ key, codes }: SeenFrame): Pick<SeenFrame, "key" | "codes"> {
	return { key, codes };
}

function at(frames: readonly SeenFrame[], index: number): SeenFrame {
	const frame = frames[index];
	if (frame === undefined) {
		throw new Error(`expected a frame ${index}`);
	}
	return frame;
}
