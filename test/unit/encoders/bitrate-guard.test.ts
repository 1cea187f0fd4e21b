import { describe, expect, test } from "vitest";
import { BitrateGuard } from "../../../encoders/avc/bitrate-guard.ts";

const TARGET_BPS = 3_000_000;
const FPS = 30;
const US_PER_SECOND = 1_000_000;
const KEY_FRAME_EVERY = 60;
const FRAME_US = US_PER_SECOND / FPS;
const EVEN_FRAME_BYTES = TARGET_BPS / 8 / FPS;

interface Sent {
	readonly atUs: number;
	readonly bytes: number;
}

/** Bytes of frame `index` from an encoder that is asked for `askedBps`. */
type Source = (index: number, askedBps: number, keyFrame: boolean) => number;

/** Lets an encoder run for a while in made-up time, a key frame every two seconds, each frame coming out `delayFrames` after it went in. */
function run(guard: BitrateGuard, seconds: number, source: Source, fromSecond = 0, delayFrames = 0): Sent[] {
	const sent: Sent[] = [];
	const inside: (Sent & { readonly outAt: number })[] = [];
	let keyFrameIsDue = false;
	for (let index = fromSecond * FPS; index < (fromSecond + seconds) * FPS; index++) {
		const atUs = Math.round(index * FRAME_US);
		keyFrameIsDue ||= index % KEY_FRAME_EVERY === 0;
		if (guard.admit(atUs, keyFrameIsDue ? "key" : "delta")) {
			inside.push({ atUs, bytes: source(index, guard.askedBps, keyFrameIsDue), outAt: index + delayFrames });
			keyFrameIsDue = false;
		}
		while ((inside[0]?.outAt ?? Number.POSITIVE_INFINITY) <= index) {
			const frame = inside.shift() as Sent;
			sent.push(frame);
			guard.note(frame.bytes, frame.atUs);
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

/** As {@link obedient}, with key frames so many times as large. */
const withKeyFrames =
	(times: number): Source =>
	(_index, askedBps, keyFrame) =>
		(askedBps / 8 / FPS) * (keyFrame ? times : 1);

describe("BitrateGuard", () => {
	test("leaves an encoder alone that holds its rate, key frames included", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		// A key frame of 4 frames' size every 2 s, paid for by the 59 others. Until it has seen some, the guard plans for larger ones.
		const holding: Source = (_index, askedBps, keyFrame) => (askedBps / 8 / FPS) * (keyFrame ? 4 : 56 / 59);
		const sent = run(guard, 20, holding);
		expect([guard.dropped, guard.askedBps]).toEqual([0, TARGET_BPS]);
		expect(sent).toHaveLength(20 * FPS);
		expect(meanShare(sent, 20)).toBeGreaterThan(0.95);
		expect(worstSecond(sent)).toBeLessThanOrEqual(1.2);
	});

	test.each([5, 7, 9])(
		"makes room for key frames of %i frames' size by asking for less, and keeps near the target",
		(times) => {
			const guard = new BitrateGuard(TARGET_BPS);
			const sent = run(guard, 40, withKeyFrames(times));
			const settled = sent.filter(({ atUs }) => atUs >= 10 * US_PER_SECOND);
			expect(worstSecond(sent)).toBeLessThanOrEqual(1.2);
			expect(settled).toHaveLength(30 * FPS);
			expect(meanShare(settled, 30)).toBeGreaterThan(0.85);
		},
	);

	test.each([
		{ size: 1.5, delayFrames: 0 },
		{ size: 3, delayFrames: 3 },
		{ size: 5, delayFrames: 2 },
	])(
		"where orders are ignored, leaves frames out: no second over 1.2× ($size times too large, $delayFrames under way)",
		({ size, delayFrames }) => {
			const guard = new BitrateGuard(TARGET_BPS);
			const sent = run(guard, 30, (index) => EVEN_FRAME_BYTES * size * (0.9 + ((index * 7) % 11) / 50), 0, delayFrames);
			// Until the first frames have come out nobody knows how large they are.
			expect(worstSecond(sent.filter(({ atUs }) => atUs >= US_PER_SECOND))).toBeLessThanOrEqual(1.2);
			expect(worstSecond(sent)).toBeLessThanOrEqual(1.2 + (size * delayFrames) / FPS);
			expect(meanShare(sent, 30)).toBeGreaterThan(0.9);
			expect(30 * FPS - sent.length - guard.dropped).toBeLessThanOrEqual(delayFrames);
			expect(guard.askedBps).toBe(TARGET_BPS * 0.05);
		},
	);

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

	test("one frame that nobody could foresee is followed by a pause, and no second but its own holds too much", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 20, (index, askedBps) =>
			index === 300 ? EVEN_FRAME_BYTES * 20 : obedient(index, askedBps, false),
		);
		const others = sent.filter(({ bytes }) => bytes < EVEN_FRAME_BYTES * 20);
		expect(worstSecond(others)).toBeLessThanOrEqual(1.2);
		const gapsUs = sent.slice(1).map(({ atUs }, index) => atUs - (sent[index]?.atUs ?? 0));
		expect(Math.max(...gapsUs)).toBeLessThan(0.6 * US_PER_SECOND);
		expect(sent.filter(({ atUs }) => atUs > 15 * US_PER_SECOND).length).toBeGreaterThanOrEqual(5 * FPS - 1);
	});

	test("a key frame that is asked for passes at once, also in a full second, and nothing is left out for it", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 10, (_index, _asked, keyFrame) => EVEN_FRAME_BYTES * (keyFrame ? 4 : 1.08));
		const before = guard.dropped;
		const atUs = 10 * US_PER_SECOND;
		expect(guard.admit(atUs, "asked")).toBe(true);
		guard.note(EVEN_FRAME_BYTES * 6, atUs);
		for (let index = 1; index < FPS; index++) {
			expect(guard.admit(Math.round(atUs + index * FRAME_US), "delta")).toBe(true);
			guard.note(EVEN_FRAME_BYTES, Math.round(atUs + index * FRAME_US));
		}
		expect(guard.dropped).toBe(before);
	});

	test("asks for less when a second with a key frame would be too full, and not before", () => {
		const within = new BitrateGuard(TARGET_BPS);
		run(within, 20, () => EVEN_FRAME_BYTES * 0.94);
		expect([within.askedBps, within.dropped]).toEqual([TARGET_BPS, 0]);
		const over = new BitrateGuard(TARGET_BPS);
		run(over, 1.2, () => EVEN_FRAME_BYTES * 1.15);
		expect(over.askedBps).toBeLessThan(TARGET_BPS);
	});

	test.each([10, 30])(
		"has room for the first key frame that shows the whole scene, at %i frames a second, before it comes",
		(fps) => {
			const guard = new BitrateGuard(TARGET_BPS);
			const sent: Sent[] = [];
			for (let index = 0; index < fps * 4; index++) {
				const atUs = Math.round((index * US_PER_SECOND) / fps);
				const keyFrame = index % (fps * 2) === 0;
				// Like OpenH264: it begins at a low quality, and needs a quarter of a second's worth for the next.
				const share = keyFrame ? (index === 0 ? 0.05 : 0.25) : 0.97 / fps;
				expect(guard.admit(atUs, keyFrame ? "key" : "delta")).toBe(true);
				const bytes = (guard.askedBps / 8) * share;
				guard.note(bytes, atUs);
				sent.push({ atUs, bytes });
			}
			expect(worstSecond(sent)).toBeLessThanOrEqual(1.2);
			expect(guard.dropped).toBe(0);
		},
	);

	test("has room for a key frame that is half as large again as the one before", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		// OpenH264's of one scene: 6 or 8.6 frames' worth and the first small, each with a frame of twice the usual size behind it.
		const unequal: Source = (index, askedBps, keyFrame) => {
			const ofKey = index === 0 ? 2 : index % (2 * KEY_FRAME_EVERY) === 0 ? 8.6 : 6;
			const ofDelta = index % KEY_FRAME_EVERY === 1 ? 2 : 1;
			return (askedBps / 8 / FPS) * (keyFrame ? ofKey : ofDelta);
		};
		const sent = run(guard, 30, unequal);
		// A real one gives some percent more than it is asked for.
		expect(worstSecond(sent)).toBeLessThanOrEqual(1.15);
		expect(guard.dropped).toBe(0);
		expect(meanShare(sent, 30)).toBeGreaterThan(0.8);
	});

	test("brings an encoder that gives a constant half more than asked back to its rate", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		const sent = run(guard, 30, (index, askedBps, keyFrame) => 1.5 * obedient(index, askedBps, keyFrame));
		const settled = sent.filter(({ atUs }) => atUs >= 5 * US_PER_SECOND);
		expect(settled).toHaveLength(25 * FPS);
		expect(meanShare(settled, 25)).toBeGreaterThan(0.7);
		expect(worstSecond(sent)).toBeLessThanOrEqual(1.2);
	});

	test("gives the whole target back, slowly, once the picture is easy again", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 10, () => EVEN_FRAME_BYTES * 5);
		expect(guard.askedBps).toBe(TARGET_BPS * 0.05);
		const easy: Source = (index, askedBps, keyFrame) => 0.8 * obedient(index, askedBps, keyFrame);
		run(guard, 5, easy, 10);
		expect(guard.askedBps).toBeLessThan(TARGET_BPS / 2);
		const dropped = guard.dropped;
		const sent = run(guard, 120, easy, 15);
		expect([guard.askedBps, guard.dropped]).toEqual([TARGET_BPS, dropped]);
		expect(sent).toHaveLength(120 * FPS);
	});

	test("leaves nothing out because the bitrate is to be lower from now on", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 5, obedient);
		guard.retarget(TARGET_BPS / 5, 5 * US_PER_SECOND);
		const sent = run(guard, 5, obedient, 5);
		expect(guard.dropped).toBe(0);
		expect(meanShare(sent, 5)).toBeGreaterThan(0.9 / 5);
		expect(meanShare(sent, 5)).toBeLessThanOrEqual(1 / 5);
	});

	test("does not hold a pause against the next frame", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		run(guard, 2, () => EVEN_FRAME_BYTES * 10);
		expect(guard.admit(3_000 * US_PER_SECOND, "delta")).toBe(true);
		expect(guard.rateBps(3_000 * US_PER_SECOND)).toBe(0);
	});

	test("reports the bits of the last second", () => {
		const guard = new BitrateGuard(TARGET_BPS);
		for (const [bytes, atUs] of [
			[1_000, 0],
			[2_000, 500_000],
		] as const) {
			guard.admit(atUs, "delta");
			guard.note(bytes, atUs);
		}
		expect(guard.rateBps(999_999)).toBe(24_000);
		expect(guard.rateBps(1_000_000)).toBe(16_000);
		expect(guard.rateBps(1_500_000)).toBe(0);
	});
});
