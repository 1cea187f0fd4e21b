import { describe, expect, test } from "vitest";
import { BitrateGuard } from "../../../encoders/avc/bitrate-guard.ts";

const TARGET_BPS = 3_000_000;
const FPS = 30;
const US_PER_SECOND = 1_000_000;
const FRAME_US = US_PER_SECOND / FPS;
const EVEN_FRAME_BYTES = TARGET_BPS / 8 / FPS;

interface Sent {
	readonly atUs: number;
	readonly bytes: number;
}

/** Bytes of frame `index` from an encoder that is asked for `askedBps`. */
type Source = (index: number, askedBps: number) => number;

/** Lets an encoder run for a while in made-up time, each frame coming out `delayFrames` after it went in. */
function run(guard: BitrateGuard, seconds: number, source: Source, fromSecond = 0, delayFrames = 0): Sent[] {
	const sent: Sent[] = [];
	const inside: { bytes: number; outAt: number }[] = [];
	for (let index = fromSecond * FPS; index < (fromSecond + seconds) * FPS; index++) {
		const atUs = Math.round(index * FRAME_US);
		if (!guard.shouldDrop(atUs)) {
			inside.push({ bytes: source(index, guard.askedBps), outAt: index + delayFrames });
		}
		while ((inside[0]?.outAt ?? Number.POSITIVE_INFINITY) <= index) {
			const bytes = inside.shift()?.bytes ?? 0;
			sent.push({ atUs, bytes });
			guard.note(bytes, atUs);
		}
	}
	return sent;
}

/** The most that left in any second, as a share of the target. */
function worstSecond(sent: readonly Sent[]): number {
	const sums = sent.map(({ atUs }) =>
		sent
			.filter((other) => other.atUs >= atUs && other.atUs < atUs + US_PER_SECOND)
			.reduce((sum, other) => sum + other.bytes, 0),
	);
	return (Math.max(...sums) * 8) / TARGET_BPS;
}

function meanShare(sent: readonly Sent[], seconds: number): number {
	return (sent.reduce((sum, { bytes }) => sum + bytes, 0) * 8) / seconds / TARGET_BPS;
}

const obedient: Source = (_index, askedBps) => askedBps / 8 / FPS;

describe("BitrateGuard", () => {
	test("leaves an encoder alone that holds its rate, key frames included", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		// A key frame of 8 frames' size every 2 s, paid for by the 59 others.
		const sent = run(guard, 20, (index) => EVEN_FRAME_BYTES * (index % 60 === 0 ? 8 : 52 / 59));
		expect([guard.dropped, guard.askedBps]).toEqual([0, TARGET_BPS]);
		expect(sent).toHaveLength(20 * FPS);
	});

	test("leaves frames out where orders are ignored, so that no second holds more than about twice the target", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 30, () => EVEN_FRAME_BYTES * 5);
		expect(worstSecond(sent)).toBeLessThanOrEqual(2.2);
		expect(meanShare(sent, 30)).toBeLessThanOrEqual(1.25);
		// It still shows what it can: a fifth of the frames would be the target.
		expect(sent.length).toBeGreaterThanOrEqual((30 * FPS) / 5);
		expect(guard.dropped).toBe(30 * FPS - sent.length);
		expect(guard.askedBps).toBe(TARGET_BPS * 0.05);
	});

	test("holds for any encoder whose frames are of some size, also when three are under way", () => {
		for (const [size, delayFrames] of [
			[1.5, 0],
			[3, 3],
			[5, 2],
			[20, 0],
		] as const) {
			const guard = new BitrateGuard(TARGET_BPS);
			const sent = run(guard, 20, (index) => EVEN_FRAME_BYTES * size * (0.5 + ((index * 7) % 11) / 10), 0, delayFrames);
			const inFlight = (size * 1.5 * (delayFrames + 1)) / FPS;
			expect(worstSecond(sent)).toBeLessThanOrEqual(2 + inFlight);
		}
	});

	test("spaces frames out that are larger than a second's worth, and keeps the mean", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 60, () => EVEN_FRAME_BYTES * FPS * 2.4);
		expect(meanShare(sent, 60)).toBeLessThan(1.3);
		expect(sent.length).toBeGreaterThan(25);
	});

	test("never stands still for more than five seconds", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 60, () => EVEN_FRAME_BYTES * FPS * 100);
		const gapsUs = sent.slice(1).map(({ atUs }, index) => atUs - (sent[index]?.atUs ?? 0));
		expect(Math.max(...gapsUs)).toBeLessThanOrEqual(5 * US_PER_SECOND + FRAME_US + 1);
		expect(Math.min(...gapsUs)).toBeGreaterThan(4.9 * US_PER_SECOND);
	});

	test("asks for less when a second is a fifth over, and not before", () => {
		const within = new BitrateGuard(TARGET_BPS);
		run(within, 20, () => EVEN_FRAME_BYTES * 1.19);
		expect([within.askedBps, within.dropped]).toEqual([TARGET_BPS, 0]);
		const over = new BitrateGuard(TARGET_BPS);
		run(over, 1.2, () => EVEN_FRAME_BYTES * 1.3);
		expect(over.askedBps).toBeLessThan(TARGET_BPS);
	});

	test("brings an encoder that gives a constant half more than asked back to its rate without leaving frames out", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 30, (index, askedBps) => 1.5 * obedient(index, askedBps));
		expect(guard.dropped).toBe(0);
		expect(meanShare(sent.slice(-10 * FPS), 10)).toBeGreaterThan(0.7);
		expect(meanShare(sent.slice(-10 * FPS), 10)).toBeLessThan(1.2);
	});

	test("gives the whole target back, slowly, once the picture is easy again", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 10, () => EVEN_FRAME_BYTES * 5);
		expect(guard.askedBps).toBe(TARGET_BPS * 0.05);
		run(guard, 5, (index, askedBps) => 0.8 * obedient(index, askedBps), 10);
		expect(guard.askedBps).toBeLessThan(TARGET_BPS / 2);
		const dropped = guard.dropped;
		const sent = run(guard, 45, (index, askedBps) => 0.8 * obedient(index, askedBps), 15);
		expect([guard.askedBps, guard.dropped]).toEqual([TARGET_BPS, dropped]);
		expect(sent).toHaveLength(45 * FPS);
	});

	test("does not hold a pause against the next frame", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 2, () => EVEN_FRAME_BYTES * 10);
		expect(guard.shouldDrop(3_000 * US_PER_SECOND)).toBe(false);
		expect(guard.rateBps(3_000 * US_PER_SECOND)).toBe(0);
	});

	test("reports the bits of the last second", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		guard.note(1_000, 0);
		guard.note(2_000, 500_000);
		expect(guard.rateBps(999_999)).toBe(24_000);
		expect(guard.rateBps(1_000_000)).toBe(16_000);
		expect(guard.rateBps(1_500_000)).toBe(0);
	});
});
