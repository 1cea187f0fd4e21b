import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlayoutClock } from "../../../../playout/jitter/playout-clock.ts";
import { frames, INTERVAL_US, randomSource, run, type SentFrame } from "./traffic.ts";

/** Share of frames that came after their play-out time, from `fromUs` on. */
function lateShare(clock: PlayoutClock, sent: readonly SentFrame[], fromUs: number): number {
	let late = 0;
	let all = 0;
	run(
		clock,
		sent,
		() => undefined,
		(frame) => {
			if (frame.arrivalUs >= fromUs) {
				all += 1;
				late += clock.playoutUs(frame.dtsUs) < frame.arrivalUs ? 1 : 0;
			}
		},
	);
	return late / all;
}

describe("PlayoutClock", () => {
	it("starts at the start value and maps both ways", () => {
		const clock = new PlayoutClock({ startMs: 40 });
		expect(clock.running).toBe(false);
		clock.onArrival({ track: "video", dtsUs: 0, arrivalUs: 5_000_000 });
		expect(clock.running).toBe(true);
		expect(clock.playoutUs(0)).toBe(5_040_000);
		expect(clock.sourceUs(5_040_000)).toBe(0);
		expect(clock.figures.delayMs).toBe(40);
	});

	it("comes down to the floor on a clean feed", () => {
		const clock = new PlayoutClock({ floorMs: 10, leadMs: { audio: 4, video: 8 } });
		const late = lateShare(clock, frames({ seconds: 30, delayUs: () => 0 }), 1_000_000);
		expect(late).toBe(0);
		expect(clock.figures.targetDelayMs).toBe(10);
		expect(clock.figures.delayMs).toBeLessThan(12);
		expect(clock.figures.resets).toBe(0);
	});

	it("makes room for sound that is interleaved a picture late", () => {
		const clock = new PlayoutClock();
		const sent = frames({ seconds: 30, delayUs: (track) => (track === "audio" ? 33_000 : 0) });
		expect(lateShare(clock, sent, 1_000_000)).toBe(0);
		expect(clock.figures.delayMs).toBeGreaterThan(33);
		expect(clock.figures.delayMs).toBeLessThan(45);
	});

	it("covers 50 ms of jitter", () => {
		const random = randomSource(1);
		const clock = new PlayoutClock();
		const sent = frames({ seconds: 60, delayUs: () => random() * 50_000 });
		expect(lateShare(clock, sent, 2_000_000)).toBeLessThan(0.005);
		expect(clock.figures.targetDelayMs).toBeGreaterThan(40);
		expect(clock.figures.targetDelayMs).toBeLessThanOrEqual(62);
	});

	it("rises for repeated bursts and comes down again in the calm after", () => {
		const clock = new PlayoutClock();
		// The network stops for 250 ms once a second, from 10 s to 30 s.
		const stall = (us: number) => (us > 10e6 && us < 30e6 ? Math.max(0, 250_000 - (us % 1e6)) : 0);
		let highestMs = 0;
		run(clock, frames({ seconds: 110, delayUs: (_, us) => stall(us) }), () => {
			highestMs = Math.max(highestMs, clock.figures.delayMs);
		});
		expect(highestMs).toBeGreaterThan(240);
		expect(highestMs).toBeLessThan(300);
		expect(clock.figures.delayMs).toBeLessThan(15);
		expect(clock.figures.resets).toBe(0);
	});

	it("starts over after a silence of more than a second, and is at its target at once", () => {
		const clock = new PlayoutClock();
		const before = frames({ seconds: 5, delayUs: () => 0 });
		const after = before.map((frame) => ({ ...frame, arrivalUs: frame.arrivalUs + 6_200_000 }));
		run(clock, [...before, ...after.slice(0, 3)]);
		expect(clock.figures.resets).toBe(1);
		const lastUs = after[2]?.dtsUs ?? 0;
		expect(clock.playoutUs(lastUs)).toBeLessThan((after[2]?.arrivalUs ?? 0) + 45_000);
	});

	it.each([
		["forward by 1.1 s", 1_100_000, 1],
		["forward by 900 ms", 900_000, 0],
		["back by 60 ms", -60_000, 1],
		["back by 40 ms", -40_000, 0],
		["back to zero", -5_000_000, 1],
	])("timestamps that jump %s (%d µs) reset %d times", (_, jumpUs, resets) => {
		const clock = new PlayoutClock();
		const sent = frames({ seconds: 10, tracks: ["video"], delayUs: () => 0 }).map((frame) =>
			frame.arrivalUs < 5e6 ? frame : { ...frame, dtsUs: frame.dtsUs - Math.round(INTERVAL_US.video) + jumpUs },
		);
		run(clock, sent);
		expect(clock.figures.resets).toBe(resets);
	});

	it.each([
		{ silenceSeconds: 29, resets: 0 },
		{ silenceSeconds: 31, resets: 1 },
	])("after $silenceSeconds s of silence starts over $resets times", ({ silenceSeconds, resets }) => {
		const clock = new PlayoutClock();
		const endUs = (10 + silenceSeconds) * 1e6;
		const sent = frames({ seconds: silenceSeconds + 20, delayUs: () => 0 });
		run(
			clock,
			sent.filter(({ arrivalUs }) => arrivalUs < 10e6 || arrivalUs > endUs),
		);
		expect(clock.figures.resets).toBe(resets);
		expect(clock.figures.delayMs).toBeLessThan(15);
	});

	it("follows a source whose time stood still within half a second", () => {
		const clock = new PlayoutClock();
		const sent = frames({ seconds: 20, delayUs: () => 0 }).map((frame) =>
			frame.arrivalUs < 10e6 ? frame : { ...frame, arrivalUs: frame.arrivalUs + 2e6 },
		);
		run(
			clock,
			sent.filter(({ arrivalUs }) => arrivalUs < 12.5e6),
		);
		expect(clock.figures.resets).toBe(1);
		expect(clock.playoutUs(10.5e6)).toBeLessThan(12.515e6);
		expect(clock.playoutUs(10.5e6)).toBeGreaterThan(12.5e6);
	});

	it("takes a backlog that needs half a second to come in for one event, which moves nothing", () => {
		const clock = new PlayoutClock();
		// Held up for 450 ms, then at twice live speed.
		const delayUs = (us: number) => (us > 10e6 && us < 10.9e6 ? Math.max(0, 450_000 - (us - 10e6) / 2) : 0);
		let highestMs = 0;
		run(clock, frames({ seconds: 15, delayUs: (_, us) => delayUs(us) }), (nowUs) => {
			highestMs = nowUs > 5e6 ? Math.max(highestMs, clock.figures.targetDelayMs) : 0;
		});
		expect(highestMs).toBe(10);
	});

	it("never waits for stalls beyond its ceiling, however often they come", () => {
		const clock = new PlayoutClock();
		// 700 ms every three seconds.
		run(clock, frames({ seconds: 60, delayUs: (_, us) => Math.max(0, 700_000 - (us % 3e6)) }));
		expect(clock.figures.targetDelayMs).toBe(10);
		expect(clock.figures.resets).toBe(0);
	});

	it("takes the group of pictures so far, delivered at once, without keeping its age as delay", () => {
		const clock = new PlayoutClock();
		const live = frames({ seconds: 4, delayUs: () => 0 });
		const joined = live.map((frame) => ({ ...frame, arrivalUs: Math.max(frame.arrivalUs, 1_900_000) }));
		run(clock, joined);
		expect(clock.figures.resets).toBe(0);
		expect(clock.figures.delayMs).toBeLessThan(45);
	});

	it("finds a path that grew longer for good, though nothing paused for a second", () => {
		const clock = new PlayoutClock();
		run(clock, frames({ seconds: 12, delayUs: (_, us) => (us > 5e6 ? 800_000 : 0) }));
		expect(clock.figures.resets).toBe(1);
		expect(clock.figures.delayMs).toBeLessThan(60);
	});

	it("never keeps a delay beyond the ceiling", () => {
		const clock = new PlayoutClock({ ceilingMs: 200 });
		// Late by 300 ms at first, then the path shortens: playing on would mean staying 340 ms behind.
		run(clock, frames({ seconds: 5, delayUs: (_, us) => (us < 2e6 ? 300_000 : 0) }));
		expect(clock.figures.delayMs).toBeLessThanOrEqual(200);
		expect(clock.figures.jumps).toBe(1);
	});

	it.each([200, -200, 50])("follows %d ppm of clock drift for eight hours without a jump", (driftPpm) => {
		const clock = new PlayoutClock();
		const feed = frames({ seconds: 8 * 3_600, driftPpm, delayUs: () => 0, sourceStartUs: 1e9 });
		let worstMs = 0;
		let lastSourceUs: number | undefined;
		let lastNowUs = 0;
		let steepest = 0;
		run(clock, feed, (nowUs) => {
			const sourceUs = clock.sourceUs(nowUs);
			if (nowUs > 60e6) {
				worstMs = Math.max(worstMs, Math.abs(clock.figures.delayMs - 10));
				steepest = Math.max(steepest, Math.abs((sourceUs - (lastSourceUs ?? sourceUs)) / (nowUs - lastNowUs) - 1));
			}
			lastSourceUs = sourceUs;
			lastNowUs = nowUs;
		});
		expect(worstMs).toBeLessThan(6);
		expect(steepest).toBeLessThan(0.005);
		expect(clock.figures.resets + clock.figures.jumps).toBe(0);
		expect(clock.figures.driftPpm).toBeGreaterThan(driftPpm - 10);
		expect(clock.figures.driftPpm).toBeLessThan(driftPpm + 10);
	});

	it("plays monotonically, grows the delay by at most 100 ms a second and shrinks it by at most 250, whatever the network does", () => {
		const segment = fc.record({
			jitterMs: fc.integer({ min: 0, max: 400 }),
			extraMs: fc.integer({ min: 0, max: 300 }),
			seconds: fc.integer({ min: 1, max: 6 }),
		});
		fc.assert(
			fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), fc.integer(), (segments, seed) => {
				const random = randomSource(seed);
				const seconds = segments.reduce((sum, each) => sum + each.seconds, 0);
				const at = (us: number) => {
					let endUs = 0;
					for (const each of segments) {
						endUs += each.seconds * 1e6;
						if (us < endUs) {
							return each;
						}
					}
					return undefined;
				};
				const clock = new PlayoutClock();
				let last: { nowUs: number; sourceUs: number; jumps: number; resets: number; settling: boolean } | undefined;
				const sent = frames({
					seconds,
					delayUs: (_, us) => ((at(us)?.extraMs ?? 0) + random() * (at(us)?.jitterMs ?? 0)) * 1_000,
				});
				run(clock, sent, (nowUs) => {
					const now = { nowUs, sourceUs: clock.sourceUs(nowUs), ...clock.figures };
					if (last !== undefined && now.resets === 0 && !last.settling) {
						expect(now.sourceUs).toBeGreaterThanOrEqual(last.sourceUs);
						if (now.jumps === last.jumps) {
							const shrunkUs = now.sourceUs - last.sourceUs - (nowUs - last.nowUs);
							expect(shrunkUs).toBeLessThanOrEqual((nowUs - last.nowUs) * 0.25 + 0.01);
							expect(-shrunkUs).toBeLessThanOrEqual((nowUs - last.nowUs) * 0.1 + 0.01);
						}
					}
					expect(now.delayMs).toBeLessThanOrEqual(500);
					expect(now.targetDelayMs).toBeGreaterThanOrEqual(10);
					expect(now.targetDelayMs).toBeLessThanOrEqual(500);
					last = now;
				});
			}),
			{ numRuns: 40 },
		);
	});
});

it("waits longer when frames must be there earlier, and never jumps to it", () => {
	const clock = new PlayoutClock({ floorMs: 10, startMs: 10 });
	const feed = (fromMs: number, toMs: number) => {
		for (let ms = fromMs; ms < toMs; ms += 20) {
			clock.onArrival({ track: "video", dtsUs: ms * 1_000, arrivalUs: (ms + 100) * 1_000 });
			clock.advance((ms + 100) * 1_000);
		}
	};
	feed(0, 3_000);
	const beforeMs = clock.figures.delayMs;
	clock.setLead("video", 80);
	feed(3_000, 3_500);
	expect(clock.figures.delayMs - beforeMs).toBeLessThanOrEqual(51);
	feed(3_500, 6_000);
	expect(clock.figures.delayMs).toBeGreaterThan(78);
});
