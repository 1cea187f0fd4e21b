import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { TimestampUnwrapper, wrapMs } from "../../../../media/timestamp.ts";
import { JitterBuffer } from "../../../../playout/jitter/frame-buffer.ts";
import { PlayoutClock } from "../../../../playout/jitter/playout-clock.ts";
import { INTERVAL_US, randomSource } from "./traffic.ts";

const CALM_US = 14e6;
const RECOVERY_US = 3e6;
const WATCHED_US = 2e6;
const STEP_US = 10_000;
const FLOOR_MS = 10;
const CEILING_MS = 500;
const TRANSIT_US = 20_000;
const JITTER_US = 15_000;

/** Something that happens to a feed. Times in milliseconds; `share` is of frames. */
type Disturbance =
	| { readonly kind: "calm"; readonly ms: number }
	| { readonly kind: "loss"; readonly ms: number; readonly share: number }
	| { readonly kind: "reordering"; readonly ms: number; readonly byMs: number }
	| { readonly kind: "jitter"; readonly ms: number; readonly byMs: number }
	| { readonly kind: "burst"; readonly ms: number }
	| { readonly kind: "outage"; readonly ms: number }
	| { readonly kind: "pause"; readonly ms: number }
	| { readonly kind: "jump"; readonly byMs: number }
	| { readonly kind: "restart at zero" };

interface Arrival {
	readonly frame: EncodedFrame;
	readonly arrivalUs: number;
}

/** The frames of a feed that is calm, then disturbed, then calm again, through 32 bits of milliseconds as FLV has them. */
function arrivals(
	disturbances: readonly Disturbance[],
	startMs: number,
	seed: number,
): { sent: Arrival[]; calmUs: number } {
	const random = randomSource(seed);
	const spans = [{ kind: "calm", ms: CALM_US / 1_000 } as const, ...disturbances];
	let [shiftMs, nowUs] = [startMs, 0];
	const next = { video: 0, audio: 0 };
	const lastUs = { video: 0, audio: 0 };
	const stamped: { track: "video" | "audio"; index: number; stampMs: number; arrivalUs: number }[] = [];
	const send = (untilUs: number, arrivalOf: (us: number) => number | undefined, inOrder: boolean) => {
		for (const track of ["video", "audio"] as const) {
			for (let us = next[track] * INTERVAL_US[track]; us < untilUs; us = next[track] * INTERVAL_US[track]) {
				const index = next[track];
				next[track] += 1;
				const arrival = arrivalOf(us);
				if (arrival !== undefined) {
					const arrivalUs = inOrder ? Math.max(arrival, lastUs[track]) : arrival;
					lastUs[track] = Math.max(lastUs[track], arrivalUs);
					stamped.push({ track, index, stampMs: wrapMs(Math.round(us / 1_000 + shiftMs)), arrivalUs });
				}
			}
		}
	};
	const usual = (us: number) => us + TRANSIT_US + random() * JITTER_US;
	for (const span of spans) {
		const untilUs = nowUs + ("ms" in span ? span.ms * 1_000 : 0);
		switch (span.kind) {
			case "calm":
				send(untilUs, usual, true);
				break;
			case "loss":
				send(untilUs, (us) => (random() < span.share ? undefined : usual(us)), true);
				break;
			case "reordering":
				send(untilUs, (us) => usual(us) + random() * span.byMs * 1_000, false);
				break;
			case "jitter":
				send(untilUs, (us) => usual(us) + random() * span.byMs * 1_000, true);
				break;
			case "burst":
				send(untilUs, () => untilUs, true);
				break;
			case "outage":
				send(untilUs, () => undefined, true);
				break;
			case "pause":
				send(untilUs, () => undefined, true);
				shiftMs -= span.ms;
				break;
			case "jump":
				shiftMs += span.byMs;
				break;
			case "restart at zero":
				shiftMs = -nowUs / 1_000;
				break;
		}
		nowUs = untilUs;
	}
	send(nowUs + RECOVERY_US + WATCHED_US, usual, true);
	const unwrapper = new TimestampUnwrapper();
	const sent = stamped
		.sort((a, b) => a.arrivalUs - b.arrivalUs)
		.map(({ track, index, stampMs, arrivalUs }): Arrival => {
			const timeUs = unwrapper.unwrapMs(stampMs) * 1_000;
			const common = { ptsUs: timeUs, dtsUs: timeUs, data: Uint8Array.of(1) };
			const frame: EncodedFrame =
				track === "video"
					? { ...common, track, codec: "vp8", keyFrame: index % 30 === 0 }
					: { ...common, track, codec: "opus", keyFrame: true };
			return { frame, arrivalUs };
		});
	return { sent, calmUs: nowUs };
}

interface Played {
	/** Means over the last two seconds of the calm before, and of the calm after that starts 3 s after the last disturbance. */
	readonly usualDelayMs: number;
	readonly delayMs: number;
	/** By how much the delay was over the highest target since the last disturbance, at most. */
	readonly overTargetMs: number;
	/** Of the frames of that last calm, how many were not shown, or not on time. */
	readonly missed: number;
	readonly due: number;
}

/** Plays it all in steps of 10 ms and holds each step to what must always be so. */
function play({ sent, calmUs }: { sent: readonly Arrival[]; calmUs: number }): Played {
	const clock = new PlayoutClock({ floorMs: FLOOR_MS, ceilingMs: CEILING_MS });
	const buffers = { video: new JitterBuffer(clock), audio: new JitterBuffer(clock) };
	const handedOut = new Set<EncodedFrame>();
	const lastShown = { video: { epoch: -1, ptsUs: 0 }, audio: { epoch: -1, ptsUs: 0 } };
	const before: number[] = [];
	const after: number[] = [];
	let highestTargetMs = 0;
	let [next, missed, due] = [0, 0, 0];
	const isWatched = (us: number) => us >= calmUs + RECOVERY_US && us < calmUs + RECOVERY_US + WATCHED_US - 200_000;
	for (let nowUs = 0; nowUs < calmUs + RECOVERY_US + WATCHED_US; nowUs += STEP_US) {
		for (let each = sent[next]; each !== undefined && each.arrivalUs <= nowUs; each = sent[next]) {
			next += 1;
			const { frame, arrivalUs } = each;
			clock.onArrival({ track: frame.track, dtsUs: frame.dtsUs, arrivalUs });
			buffers[frame.track].push(frame, arrivalUs);
			due += isWatched(arrivalUs) ? 1 : 0;
			missed += isWatched(arrivalUs) && clock.playoutUs(frame.ptsUs) < arrivalUs ? 1 : 0;
		}
		clock.advance(nowUs);
		const { delayMs, targetDelayMs } = clock.figures;
		expect(targetDelayMs).toBeGreaterThanOrEqual(FLOOR_MS);
		expect(targetDelayMs).toBeLessThanOrEqual(CEILING_MS);
		expect(delayMs).toBeLessThanOrEqual(CEILING_MS + 1e-6);
		if (nowUs >= CALM_US - WATCHED_US && nowUs < CALM_US) {
			before.push(delayMs);
		}
		if (nowUs >= calmUs) {
			highestTargetMs = Math.max(highestTargetMs, targetDelayMs);
		}
		if (isWatched(nowUs)) {
			after.push(delayMs);
			expect(delayMs).toBeGreaterThanOrEqual(FLOOR_MS - 5);
		}
		for (const track of ["video", "audio"] as const) {
			for (const { frame, arrivalUs, show } of buffers[track].popDue(nowUs, 0)) {
				expect(handedOut.has(frame)).toBe(false);
				handedOut.add(frame);
				expect(nowUs - arrivalUs).toBeLessThanOrEqual(CEILING_MS * 1_000 + 2 * STEP_US);
				missed += isWatched(arrivalUs) && !show ? 1 : 0;
				if (show) {
					const last = lastShown[track];
					expect(clock.epoch > last.epoch || frame.ptsUs > last.ptsUs).toBe(true);
					lastShown[track] = { epoch: clock.epoch, ptsUs: frame.ptsUs };
				}
			}
			expect(buffers[track].figures.queueMs).toBeLessThanOrEqual(CEILING_MS + 50);
		}
	}
	const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
	return {
		usualDelayMs: mean(before),
		delayMs: mean(after),
		overTargetMs: Math.max(...after) - highestTargetMs,
		missed,
		due,
	};
}

const upTo = (least: number, most: number) => fc.integer({ min: least, max: most });
const beyondTheCeiling = upTo(600, 10_000);
const jumps = fc.oneof(upTo(-100_000, -100), upTo(20, 100_000));

/** What no delay could cover, or needs none: afterwards all must be as before, however often it happens. */
const passing: fc.Arbitrary<Disturbance> = fc.oneof(
	fc.record({ kind: fc.constant("calm" as const), ms: upTo(10, 4_000) }),
	fc.record({
		kind: fc.constant("loss" as const),
		ms: upTo(100, 3_000),
		share: fc.double({ min: 0, max: 1, noNaN: true }),
	}),
	fc.record({ kind: fc.constant("burst" as const), ms: beyondTheCeiling }),
	fc.record({ kind: fc.constant("outage" as const), ms: upTo(500, 10_000) }),
	fc.record({ kind: fc.constant("pause" as const), ms: upTo(500, 10_000) }),
	fc.record({ kind: fc.constant("jump" as const), byMs: jumps }),
	fc.constant({ kind: "restart at zero" as const }),
);

const anything: fc.Arbitrary<Disturbance> = fc.oneof(
	{ weight: 2, arbitrary: passing },
	fc.record({ kind: fc.constant("reordering" as const), ms: upTo(100, 3_000), byMs: upTo(1, 45) }),
	fc.record({ kind: fc.constant("jitter" as const), ms: upTo(100, 3_000), byMs: upTo(1, 900) }),
	fc.record({ kind: fc.constant("burst" as const), ms: upTo(50, 600) }),
);

/** Also just under where 32 bits end. */
const startMs = fc.oneof(upTo(0, 2 ** 31), upTo(2 ** 32 - 60_000, 2 ** 32 - 1), fc.constant(2 ** 24 - 5_000));

/** Below 12 ms over its target the delay comes down by resampling alone, and a target moves by some milliseconds with every quarter second of jitter. */
const NEAR_MS = 25;

describe("jitter buffer and play-out clock, whatever arrives", () => {
	test("play in order and nothing twice, queue no more than the ceiling, and play all at no more than their target 3 s after the last disturbance", () => {
		fc.assert(
			fc.property(fc.array(anything, { maxLength: 6 }), startMs, fc.integer(), (disturbances, start, seed) => {
				const { overTargetMs, missed, due } = play(arrivals(disturbances, start, seed));
				expect(overTargetMs).toBeLessThan(NEAR_MS);
				expect(missed / due).toBeLessThan(0.05);
			}),
			{ numRuns: 30 },
		);
	});

	test("are at their usual delay 3 s after stalls beyond the ceiling, losses, jumps and restarts", () => {
		fc.assert(
			fc.property(
				fc.array(passing, { minLength: 1, maxLength: 5 }),
				startMs,
				fc.integer(),
				(disturbances, start, seed) => {
					const { delayMs, usualDelayMs, missed, due } = play(arrivals(disturbances, start, seed));
					expect(Math.abs(delayMs - usualDelayMs)).toBeLessThan(NEAR_MS);
					expect(missed / due).toBeLessThan(0.05);
				},
			),
			{ numRuns: 30 },
		);
	});

	test.each([500, 550, 600, 800, 1_000, 2_000, 5_000, 10_000])(
		"are at their usual delay after one stall of %d ms",
		(ms) => {
			for (const kind of ["burst", "outage", "pause"] as const) {
				const { delayMs, usualDelayMs, missed } = play(arrivals([{ kind, ms }], 7_000, 3));
				expect(Math.abs(delayMs - usualDelayMs)).toBeLessThan(NEAR_MS);
				expect(missed).toBe(0);
			}
		},
	);
});
