import fc from "fast-check";
import { expect, test } from "vitest";
import {
	configFaults,
	idrFaults,
	longestFreezeMs,
	pairs,
	presentMs,
	skew,
	soundGaps,
	timeFaults,
} from "./program-checks.ts";
import { SleepingWorld } from "./sleeping-world.ts";
import { happen, happenings, hostShape } from "./worlds.ts";

const RUNS = Number(process.env.RUNS ?? 60);
/** Half a frame of AAC at 48 kHz, as near as frames can follow each other, and what times and steps are rounded by. */
const SOUND_JOIN_MS = 15;

/** Of a browser: no pictures out of order, and sound. */
const browserHost = hostShape.map((shape) => ({ ...shape, reorders: false, soundRate: 48_000 as const }));
/** From the Router's word to the host's first tag: a line of 100 ms and back, and an encoder's step. */
const wayMs = fc.integer({ min: 1, max: 130 });

function asleep(options: ConstructorParameters<typeof SleepingWorld>[0]): SleepingWorld {
	const world = new SleepingWorld(options);
	world.host.connect();
	world.composite.start();
	world.run(1_000);
	world.prefer("composite");
	expect(world.runUntil(() => world.splicer.source === "composite", 15_000)).toBe(true);
	const onAirMs = world.nowMs;
	expect(world.runUntil(() => world.host.isAsleep, 3_000)).toBe(true);
	expect(world.nowMs - onAirMs).toBeGreaterThanOrEqual(1_000);
	return world;
}

test("a host that slept comes back at once when the guest leaves, every picture shown once and in order, sound in step", () => {
	const whole = fc.record({
		host: browserHost.map((shape) => ({ ...shape, jitterMs: 0, pace: 1 })),
		wayMs,
		lagMs: fc.integer({ min: 100, max: 400 }),
		sleepsMs: fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 3 }),
	});
	fc.assert(
		fc.property(whole, ({ host, lagMs, sleepsMs, wayMs }) => {
			const world = asleep({ host, composite: { frameRate: "host's", lagMs }, wayMs });
			const frameMs = 1_000 / host.frameRate;
			for (const [at, sleepMs] of sleepsMs.entries()) {
				if (at > 0) {
					world.prefer("composite");
					expect(world.runUntil(() => world.host.isAsleep, host.groupMs + 5_000)).toBe(true);
				}
				world.run(sleepMs);
				expect(world.host.isAsleep).toBe(true);
				world.prefer("host");
				// Woken, its key frame on its way, and the composite's way to that picture.
				expect(world.runUntil(() => world.splicer.source === "host", wayMs + 2 * frameMs + lagMs + 100)).toBe(true);
				world.run(2_500);
			}
			const settledMs = world.nowMs - 500;
			const shown = world.video.filter(({ atMs }) => atMs < settledMs);
			const contents = shown.map(({ sent }) => sent?.content ?? -1);
			expect(contents).toEqual(contents.map((_, at) => (contents[0] ?? 0) + at));
			for (const [before, after] of pairs(shown.map(presentMs))) {
				expect(Math.abs(after - before - frameMs)).toBeLessThanOrEqual(1.5);
			}
			const fromMs = (world.audio[0]?.timeMs ?? 0) + 1_000;
			const gaps = soundGaps(world.audio).filter(({ tag }) => tag.timeMs > fromMs);
			expect(Math.max(...gaps.map(({ gapMs }) => Math.abs(gapMs)))).toBeLessThanOrEqual(SOUND_JOIN_MS);
			expect(world.audio.every(({ sent }) => sent !== undefined)).toBe(true);
			expect(timeFaults(world)).toEqual([]);
			expect(configFaults(world)).toEqual([]);
			expect(idrFaults(world)).toEqual([]);
			expect(skew(world.out).worstMs).toBeLessThanOrEqual(1);
			expect(world.splicer.figures(world.nowMs).heldMs).toBe(0);
			expect(world.told.map(({ what }) => what)).toEqual(sleepsMs.flatMap(() => ["sleep", "wake"]));
		}),
		{ numRuns: RUNS },
	);
});

test("when the composite dies while the host sleeps, the host is on air within half a second of its last picture", () => {
	const dying = fc.record({
		host: browserHost.map((shape) => ({ ...shape, frameRate: 30, jitterMs: 0 })),
		lagMs: fc.integer({ min: 30, max: 400 }),
		sleepMs: fc.integer({ min: 0, max: 60_000 }),
		closes: fc.boolean(),
	});
	fc.assert(
		fc.property(dying, ({ host, lagMs, sleepMs, closes }) => {
			const world = asleep({ host, composite: { lagMs }, wayMs: 60 });
			world.run(sleepMs);
			const diesMs = world.nowMs;
			closes ? world.closeComposite() : world.composite.die();
			const lastMs = world.video.at(-1)?.atMs ?? 0;
			expect(world.runUntil(() => world.splicer.source === "host", 1_000)).toBe(true);
			const woken = world.video.find(({ sent, atMs }) => sent?.id === "host" && atMs >= diesMs);
			expect(woken?.keyFrame).toBe(true);
			expect((woken?.atMs ?? 0) - lastMs).toBeLessThanOrEqual(closes ? 170 : 500);
			world.run(5_000);
			expect(world.host.isAsleep).toBe(false);
			expect(world.splicer.source).toBe("host");
			expect(timeFaults(world)).toEqual([]);
			expect(idrFaults(world)).toEqual([]);
			const after = world.out.filter(({ atMs }) => atMs > diesMs + 1_000);
			expect(skew(after).worstMs).toBeLessThanOrEqual(1);
		}),
		{ numRuns: RUNS },
	);
});

test("a composite that stops for a moment wakes the host, keeps the program, and lets it sleep again", () => {
	const world = asleep({ composite: { lagMs: 100 }, wayMs: 40 });
	world.run(5_000);
	world.composite.stall(380);
	world.run(400);
	expect(world.told.at(-1)?.what).toBe("wake");
	world.run(500);
	expect(world.host.isAsleep).toBe(false);
	expect(world.splicer.source).toBe("composite");
	world.run(1_500);
	expect(world.host.isAsleep).toBe(true);
	expect(world.splicer.figures(world.nowMs).switches).toBe(1);
});

test("a host whom the compositor has by the stream alone never sleeps, and wakes when the other leg is lost", () => {
	const world = new SleepingWorld({ wayMs: 40 });
	world.hasRealTime = false;
	world.host.connect();
	world.composite.start();
	world.prefer("composite");
	world.run(10_000);
	expect(world.splicer.source).toBe("composite");
	expect(world.told).toEqual([]);
	world.hasRealTime = true;
	world.run(3_000);
	expect(world.host.isAsleep).toBe(true);
	world.hasRealTime = false;
	world.run(1_200);
	expect(world.host.isAsleep).toBe(false);
});

test("whatever happens to a host that sleeps and its composite, time rises, sound has no hole, and pictures do not stop", () => {
	const kinds = [
		"prefer host",
		"prefer composite",
		"composite starts",
		"composite dies",
		"composite stalls",
		"composite stalls and loses",
		"host vanishes",
		"host closes",
		"host connects",
		"host stalls",
		"sleep on",
	];
	const any = fc.record({ host: browserHost, lagMs: fc.integer({ min: 30, max: 400 }), wayMs, seed: fc.integer() });
	let sleeps = 0;
	fc.assert(
		fc.property(any, happenings(kinds), ({ host, lagMs, wayMs, seed }, steps) => {
			const world = asleep({ host, composite: { lagMs }, wayMs, seed });
			for (const step of steps) {
				world.run(step.afterMs);
				if (step.kind.startsWith("prefer ")) {
					world.prefer(step.kind === "prefer host" ? "host" : "composite");
				} else {
					happen(world, step);
				}
			}
			world.run(3_000);
			world.host.connect(5);
			world.sleep.publisherCame();
			world.composite.start();
			world.run(8_000);
			sleeps += world.told.length;
			expect(timeFaults(world)).toEqual([]);
			expect(configFaults(world)).toEqual([]);
			expect(idrFaults(world)).toEqual([]);
			const fromMs = (world.audio[0]?.timeMs ?? 0) + 1_000;
			expect(soundGaps(world.audio).filter(({ tag, gapMs }) => tag.timeMs > fromMs && gapMs > 100)).toEqual([]);
			expect(longestFreezeMs(world)).toBeLessThan(700);
			expect(["host", "composite"]).toContain(world.splicer.source);
		}),
		{ numRuns: RUNS },
	);
	expect(sleeps).toBeGreaterThan(2 * RUNS);
});
