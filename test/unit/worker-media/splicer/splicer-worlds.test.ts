import fc from "fast-check";
import { expect, test } from "vitest";
import {
	configFaults,
	idrFaults,
	lagsMs,
	longestFreezeMs,
	pairs,
	presentMs,
	skew,
	soundGaps,
	timeFaults,
} from "./program-checks.ts";
import { type OutTag, World } from "./world.ts";
import { compositeShape, happen, happenings, hostShape } from "./worlds.ts";

const RUNS = Number(process.env.RUNS ?? 60);

/** Half a frame of AAC at 44.1 kHz, and what rounding adds: as near as frames can follow each other. */
const SOUND_JOIN_MS = 13;

const anyWorld = fc.record({
	host: hostShape,
	composite: compositeShape,
	prefers: fc.constantFrom("host" as const, "composite" as const),
	seed: fc.integer(),
});

/** After the first second of sound, which has no place before the first picture. */
function soundFaults(world: World, overlapMs: number, holeMs: number): string[] {
	const fromMs = (world.audio[0]?.timeMs ?? 0) + 1_000;
	return soundGaps(world.audio)
		.filter(({ gapMs, tag }) => tag.timeMs > fromMs && (gapMs > holeMs || gapMs < -overlapMs))
		.map(({ gapMs, tag }) => `${gapMs} ms at ${tag.atMs}`);
}

/** Pictures that were held are shown after all that was shown before. */
function holdFaults(video: readonly OutTag[]): string[] {
	let latestMs = Number.NEGATIVE_INFINITY;
	const faults: string[] = [];
	for (const tag of video) {
		if (tag.sent === undefined && presentMs(tag) <= latestMs) {
			faults.push(`held at ${tag.atMs} for ${presentMs(tag)}, after ${latestMs}`);
		}
		latestMs = Math.max(latestMs, presentMs(tag));
	}
	return faults;
}

test("whatever happens, the program's time rises, its sound has no hole, its pictures do not stop, and it falls no further behind", () => {
	fc.assert(
		fc.property(anyWorld, happenings(), (options, steps) => {
			const world = new World(options);
			world.host.connect();
			world.composite.start();
			world.run(2_000);
			for (const step of steps) {
				world.run(step.afterMs);
				happen(world, step);
			}
			world.run(3_000);
			world.splicer.setHostFit(true);
			world.host.hasPictures = true;
			world.host.hasSound = true;
			world.host.connect(5);
			world.composite.start();
			const wholeMs = world.nowMs;
			world.run(8_000);

			expect(timeFaults(world)).toEqual([]);
			expect(configFaults(world)).toEqual([]);
			expect(idrFaults(world)).toEqual([]);
			expect(holdFaults(world.video)).toEqual([]);
			// A clock that was put back a little leaves sound nowhere to go but on top of what was.
			expect(soundFaults(world, Number.POSITIVE_INFINITY, 100)).toEqual([]);
			expect(longestFreezeMs(world)).toBeLessThan(700);
			expect(["host", "composite"]).toContain(world.splicer.source);
			const steady = world.out.filter(({ atMs }) => atMs > wholeMs + 4_000);
			const { worstMs, compared } = skew(steady);
			expect(worstMs).toBeLessThanOrEqual(1);
			expect(compared).toBeGreaterThan(
				options.host.soundRate === undefined && world.splicer.source === "host" ? -1 : 50,
			);
			// The way through the composite, a hand-over while one of them stood still, and a frame or two for each switch.
			const lagMs = lagsMs(world).at(-1)?.lagMs ?? 0;
			const { switches } = world.splicer.figures(world.nowMs);
			expect(Math.abs(lagMs)).toBeLessThan(options.composite.lagMs + 600 + switches * 70);
		}),
		{ numRuns: RUNS },
	);
});

test("planned switches alone show every picture of the host once and in order, with sound within 25 ms and in step", () => {
	const whole = fc.record({
		host: hostShape.map((shape) => ({ ...shape, jitterMs: 0, pace: 1 })),
		lagMs: fc.integer({ min: 100, max: 400 }),
		waits: fc.array(fc.integer({ min: 700, max: 3_000 }), { minLength: 1, maxLength: 6 }),
	});
	fc.assert(
		fc.property(whole, ({ host, lagMs, waits }) => {
			const world = new World({ host, composite: { frameRate: "host's", lagMs } });
			world.host.connect();
			world.run(host.groupMs + 1_000);
			world.composite.start();
			world.run(1_000);
			for (const [at, waitMs] of waits.entries()) {
				const wanted = at % 2 === 0 ? "composite" : "host";
				world.splicer.prefer(wanted);
				expect(world.runUntil(() => world.splicer.source === wanted, host.groupMs + 1_500)).toBe(true);
				world.run(waitMs);
			}
			const settledMs = world.nowMs - 500;
			const shown = world.video.filter(({ atMs }) => atMs < settledMs).toSorted((a, b) => presentMs(a) - presentMs(b));
			// The last few of a stream with pictures out of order are not all there yet.
			const contents = shown.slice(0, -4).map(({ sent }) => sent?.content ?? -1);
			expect(contents).toEqual(contents.map((_, at) => (contents[0] ?? 0) + at));
			const frameMs = 1_000 / host.frameRate;
			for (const [before, after] of pairs(shown.slice(0, -4).map(presentMs))) {
				expect(Math.abs(after - before - frameMs)).toBeLessThanOrEqual(1.5);
			}
			expect(soundFaults(world, SOUND_JOIN_MS, SOUND_JOIN_MS)).toEqual([]);
			const hasSound = host.soundRate !== undefined;
			expect(!hasSound || world.audio.every(({ sent }) => sent !== undefined)).toBe(true);
			expect(timeFaults(world)).toEqual([]);
			expect(configFaults(world)).toEqual([]);
			expect(idrFaults(world)).toEqual([]);
			expect(skew(world.out).worstMs).toBeLessThanOrEqual(1);
			expect(world.splicer.figures(world.nowMs).switches).toBe(waits.length);
			expect(longestFreezeMs(world)).toBeLessThan(lagMs + 3 * frameMs + 50);
		}),
		{ numRuns: RUNS },
	);
});

test("when a source dies and the other is whole, pictures go on within seven tenths of a second", () => {
	const dying = fc.record({
		host: hostShape,
		composite: compositeShape,
		ends: fc.array(
			fc.record({
				of: fc.constantFrom("host" as const, "composite" as const),
				how: fc.constantFrom("vanish", "close", "stall"),
				afterMs: fc.integer({ min: 0, max: 5_000 }),
			}),
			{ minLength: 1, maxLength: 5 },
		),
	});
	fc.assert(
		fc.property(dying, ({ host, composite, ends }) => {
			const world = new World({ host, composite, prefers: "composite" });
			world.host.connect();
			world.composite.start();
			world.run(host.groupMs + 2_000);
			const wholeMs = world.nowMs;
			for (const { of, how, afterMs } of ends) {
				world.run(afterMs);
				const publisher = world[of];
				if (how === "stall") {
					publisher.stall(2_500);
					world.run(2_500);
				} else {
					how === "close" ? publisher.disconnect() : of === "host" ? world.host.vanish() : world.composite.die();
					world.run(1_500);
					of === "host" ? world.host.connect(77) : world.composite.start();
				}
				world.run(host.groupMs + 2_500);
			}
			expect(longestFreezeMs(world, wholeMs)).toBeLessThan(700);
			expect(world.splicer.figures(world.nowMs).heldMs).toBe(0);
			expect(timeFaults(world)).toEqual([]);
			expect(Math.abs(lagsMs(world).at(-1)?.lagMs ?? 0)).toBeLessThan(composite.lagMs + 150 + ends.length * 100);
		}),
		{ numRuns: RUNS },
	);
});

test("ten thousand planned switches leave sound and picture in step and time where the clock is", () => {
	const frameMs = 40;
	const world = new World({ host: { groupMs: 160 }, composite: { lagMs: 100 }, subscribes: false });
	let [switches, worstSkewMs, compared, lagMs] = [0, 0, 0, 0];
	let last: { video?: OutTag; audio?: OutTag } = {};
	let frames = 0;
	world.onOut = (tag) => {
		const before = last[tag.track];
		if (before !== undefined && tag.timeMs <= before.timeMs) {
			throw new Error(`${tag.track}: ${before.timeMs} then ${tag.timeMs}`);
		}
		last = { ...last, [tag.track]: tag };
		const { video, audio } = last;
		if (video?.sent !== undefined && audio?.sent !== undefined && video.sent.id === audio.sent.id) {
			compared++;
			const skewMs = video.timeMs - video.sent.timeMs - (audio.timeMs - audio.sent.timeMs);
			worstSkewMs = Math.max(worstSkewMs, Math.abs(skewMs));
		}
		frames += tag.track === "video" ? 1 : 0;
		lagMs = tag.track === "video" ? tag.atMs - tag.timeMs : lagMs;
	};
	world.host.connect();
	world.composite.start();
	world.run(1_000);
	while (switches < 10_000) {
		const wanted = world.splicer.source === "host" ? "composite" : "host";
		world.splicer.prefer(wanted);
		if (!world.runUntil(() => world.splicer.source === wanted, 2_000)) {
			throw new Error(`test: expected switch ${switches} to ${wanted} within 2 s`);
		}
		switches++;
	}
	world.run(200);
	expect(world.splicer.figures(world.nowMs).switches).toBe(10_000);
	expect(compared).toBeGreaterThan(100_000);
	// The first tags after a switch are compared across it: what one source's sound was when the other's picture came.
	expect(worstSkewMs).toBeLessThanOrEqual(1);
	expect(Math.abs(lagMs)).toBeLessThanOrEqual(2 * frameMs);
	expect(Math.abs(frames * frameMs - world.nowMs)).toBeLessThan(200);
});

test.each([1.0005, 0.9995])(
	"an hour of a host whose clock runs at %d of ours passes without a step, and a death after it moves nothing",
	(pace) => {
		const hourMs = 3_600_000;
		const world = new World({ host: { pace, frameRate: 15, soundRate: undefined }, composite: { lagMs: 300 } });
		const offsets = new Set<number>();
		world.onOut = (tag) => tag.track === "video" && tag.sent !== undefined && offsets.add(tag.timeMs - tag.sent.timeMs);
		world.host.connect();
		world.run(hourMs);
		expect([...offsets]).toEqual([0]);
		const out: OutTag[] = [];
		world.onOut = (tag) => tag.track === "video" && out.push(tag);
		world.composite.start();
		world.run(2_000);
		const aheadMs = hourMs * (pace - 1);
		world.host.disconnect();
		world.run(2_000);
		expect(world.splicer.source).toBe("composite");
		world.host.connect(0);
		world.run(4_000);
		expect(world.splicer.source).toBe("host");
		const steps = pairs(out).map(([before, tag]) => tag.timeMs - before.timeMs);
		expect(Math.max(...steps)).toBeLessThan(700);
		const last = out.at(-1);
		expect(Math.abs((last?.timeMs ?? 0) - (last?.atMs ?? 0) - aheadMs)).toBeLessThan(350);
	},
);
