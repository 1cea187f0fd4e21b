import { expect, test } from "vitest";
import { Splicer } from "../../../../worker/router/splicer/splicer.ts";
import type { StreamTag } from "../../../../worker/router/stream-tag.ts";
import { CONFIGS, markOf, picture, sound } from "./tags.ts";

const FRAME_MS = 40;
const AAC_44_MS = (1_024 * 1_000) / 44_100;
const AAC_48_MS = (1_024 * 1_000) / 48_000;
/** How far the composite lags behind the host. */
const LAG_MS = 120;

/** A host and a composite of it, as they reach the Router: the host's frame n is shown at n × 40 ms, the composite shows it LAG later. */
class World {
	readonly splicer: Splicer;
	readonly out: (StreamTag & { readonly atMs: number })[] = [];
	nowMs = 0;
	hostOn = true;
	compositeOn = false;
	/** Host time the composite's own time starts at. */
	compositeFromMs = 0;
	#keyWanted: { afterHostMs?: number | undefined } | undefined;
	#compositeFrames = 0;

	constructor(prefers: "host" | "composite") {
		this.splicer = new Splicer(prefers, 0);
	}

	startComposite(): void {
		this.compositeOn = true;
		this.compositeFromMs = this.nowMs - LAG_MS;
		this.#compositeFrames = 0;
		this.#keyWanted = {};
	}

	run(forMs: number): void {
		for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs += 1) {
			this.#step();
		}
	}

	#step(): void {
		const { nowMs } = this;
		if (this.hostOn) {
			if (nowMs % FRAME_MS === 0) {
				this.#push("host", picture({ timeMs: nowMs, keyFrame: nowMs % 2_000 === 0, mark: nowMs / FRAME_MS }));
			}
			const soundMs = Math.ceil(nowMs / AAC_44_MS) * AAC_44_MS;
			if (Math.floor(soundMs) === nowMs) {
				this.#push("host", sound({ timeMs: nowMs }));
			}
		}
		if (this.compositeOn) {
			this.#stepComposite(nowMs - LAG_MS);
		}
		if (nowMs % 50 === 0) {
			this.#take(this.splicer.tick(nowMs));
		}
	}

	#stepComposite(hostMs: number): void {
		const timeMs = hostMs - this.compositeFromMs;
		const configs = CONFIGS.composite;
		if (hostMs % FRAME_MS === 0) {
			const asked = this.#keyWanted;
			const isAsked = asked !== undefined && (asked.afterHostMs === undefined || hostMs > asked.afterHostMs);
			const keyFrame = isAsked || this.#compositeFrames % 50 === 0;
			this.#compositeFrames = keyFrame ? 1 : this.#compositeFrames + 1;
			this.#keyWanted = keyFrame && isAsked ? undefined : asked;
			const shows = keyFrame ? { showsHostMs: hostMs } : {};
			this.#push("composite", picture({ timeMs, keyFrame, mark: hostMs / FRAME_MS, configs, ...shows }));
		}
		const soundMs = Math.ceil(timeMs / AAC_48_MS) * AAC_48_MS;
		if (Math.floor(soundMs) === timeMs) {
			this.#push("composite", sound({ timeMs, configs }));
		}
	}

	#push(id: "host" | "composite", tag: StreamTag): void {
		this.#take(this.splicer.push(id, tag, this.nowMs));
		const request = this.splicer.takeKeyFrameRequest();
		if (request !== undefined) {
			this.#keyWanted = { afterHostMs: request.afterHostMs };
		}
	}

	#take(tags: readonly StreamTag[]): void {
		this.out.push(...tags.map((tag) => ({ ...tag, atMs: this.nowMs })));
	}
}

function steps(tags: readonly StreamTag[]): number[] {
	return tags.slice(1).map((tag, at) => tag.timeMs - (tags[at]?.timeMs ?? 0));
}

const video = (world: World) => world.out.filter(({ track }) => track === "video");
const audio = (world: World) => world.out.filter(({ track }) => track === "audio");

test("hands over to the composite and back with every frame of the host shown once, one frame apart, and no hole in the sound", () => {
	const world = new World("host");
	world.run(3_000);
	world.startComposite();
	world.splicer.prefer("composite");
	world.run(3_010);
	expect(world.splicer.source).toBe("composite");
	world.splicer.prefer("host");
	world.run(4_000);
	expect(world.splicer.source).toBe("host");
	expect(new Set(steps(video(world)))).toEqual(new Set([FRAME_MS]));
	const marks = video(world).map(markOf);
	expect(marks).toEqual(marks.map((_, at) => at));
	for (const step of steps(audio(world))) {
		expect(step).toBeGreaterThan(AAC_48_MS - 25 + 10);
		expect(step).toBeLessThan(AAC_44_MS + 25);
	}
	expect(Math.max(...steps(audio(world)))).toBeLessThan(25 + 21);
	expect(world.splicer.figures(world.nowMs).switches).toBe(2);
});

test("falls to the host at once when the composite stops", () => {
	const world = new World("composite");
	world.startComposite();
	world.run(5_010);
	expect(world.splicer.source).toBe("composite");
	world.compositeOn = false;
	world.run(3_000);
	expect(world.splicer.source).toBe("host");
	const gapsMs = video(world)
		.slice(1)
		.map((tag, at) => tag.atMs - (video(world)[at]?.atMs ?? 0));
	expect(Math.max(...gapsMs)).toBeLessThan(600);
	expect(steps(video(world)).every((step) => step > 0)).toBe(true);
	expect(steps(audio(world)).every((step) => step > 0 && step < 50)).toBe(true);
	expect(video(world).at(-1)?.timeMs).toBeGreaterThan(world.nowMs - 200);
});

test("holds the last key frame twice a second with silence, and goes on live when the host is back", () => {
	const world = new World("host");
	world.run(2_100);
	world.hostOn = false;
	world.run(5_000);
	expect(world.splicer.source).toBe("hold");
	const held = video(world).filter(({ atMs }) => atMs > 2_100);
	expect(held.every(({ keyFrame }) => keyFrame)).toBe(true);
	expect(held.length).toBeGreaterThanOrEqual(9);
	world.hostOn = true;
	world.run(2_000);
	expect(world.splicer.source).toBe("host");
	expect(steps(video(world)).every((step) => step > 0 && step <= 560)).toBe(true);
	expect(steps(audio(world)).every((step) => step > 0 && step < 50)).toBe(true);
});
