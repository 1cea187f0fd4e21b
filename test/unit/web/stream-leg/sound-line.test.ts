import { describe, expect, test } from "vitest";
import type { EncodedAudioFrame } from "../../../../media/encoded-frame.ts";
import { SampleTimes } from "../../../../web/lib/stream-leg/sample-times.ts";
import { SoundLine } from "../../../../web/lib/stream-leg/sound-line.ts";

const MS = 1_000;
const S = 1_000_000;
const EPOCH = 1_700_000_000 * S;
const BASE = EPOCH - S;
const RATE = 48_000;
/** The sound has begun, and any encoder has given its first frames. */
const BEGUN_MS = 200;

/** An "encoder" that gives each 1,024 samples out as they are, 1,024 samples late as real ones. */
class PlainEncoder {
	samplesIn = 0;
	closed = false;
	/** As real ones begin. */
	#samples: number[] = Array.from({ length: 1_024 }, () => 0);
	#out = -1;
	readonly #onFrame: (frame: EncodedAudioFrame) => void;

	constructor(onFrame: (frame: EncodedAudioFrame) => void) {
		this.#onFrame = onFrame;
	}

	push(samples: Float32Array, frames: number): void {
		this.samplesIn += frames;
		for (let index = 0; index < frames; index += 1) {
			this.#samples.push(samples[2 * index] ?? 0);
		}
		while (this.#samples.length >= 1_024) {
			const ptsUs = Math.round((this.#out * 1_024 * S) / RATE);
			const data = new Uint8Array(new Float32Array(this.#samples.splice(0, 1_024)).buffer);
			const config = this.#out === 0 ? { config: Uint8Array.of(1) } : {};
			this.#out += 1;
			if (ptsUs >= 0) {
				this.#onFrame({ track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs, data, ...config });
			}
		}
	}

	close(): void {
		this.closed = true;
	}
}

class Rig {
	nowUs = EPOCH;
	readonly frames: EncodedAudioFrame[] = [];
	readonly line = new SoundLine({ baseUs: BASE, nowUs: () => this.nowUs, onFrame: (frame) => this.frames.push(frame) });
	#phase = 0;

	constructor() {
		this.line.setEncoder(new PlainEncoder((frame) => this.line.takeEncoded(frame)));
	}

	/** Time goes on by `ms`, in blocks of 10 ms of a tone, of which `captured` says whether they come. */
	run(ms: number, captured: (ms: number) => boolean = () => true, sampleRate = RATE, delayUs = 2 * MS): void {
		for (let at = 0; at < ms; at += 10) {
			const startUs = this.nowUs - EPOCH;
			this.nowUs += 10 * MS;
			const frames = sampleRate / 100;
			const plane = Float32Array.from(
				{ length: frames },
				(_, index) => 0.5 * Math.sin(((this.#phase + index) / sampleRate) * 2_764.6),
			);
			this.#phase += frames;
			this.nowUs += delayUs;
			if (captured(at)) {
				this.line.push({ sampleRate, frames, channels: [plane] }, startUs);
			}
			this.line.tick(this.nowUs);
			this.nowUs -= delayUs;
		}
	}

	/** Loudest sample of each frame, with the frame's time since the epoch. */
	get levels(): { readonly ms: number; readonly peak: number }[] {
		return this.frames.map(({ ptsUs, data }) => {
			const samples = new Float32Array(data.buffer);
			return {
				ms: (ptsUs + BASE - EPOCH) / MS,
				peak: samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0),
			};
		});
	}

	expectNoHole(): void {
		const times = this.frames.map(({ ptsUs }) => ptsUs);
		for (const [index, time] of times.slice(1).entries()) {
			expect(Math.abs(time - (times[index] ?? 0) - (1_024 * S) / RATE)).toBeLessThan(2);
		}
	}
}

describe("SoundLine", () => {
	test("gives sound at the time it was captured", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		// A tone that begins after a second.
		rig.run(1_000, () => false);
		rig.run(1_000);
		const first = rig.levels.find(({ peak }) => peak > 0.1);
		expect(first?.ms).toBeGreaterThan(1_000 - 1_024 / 48);
		expect(first?.ms).toBeLessThan(1_010);
		rig.expectNoHole();
	});

	test("makes silence of what is missing, and of what is not there at all", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		rig.run(2_000, (ms) => ms < 800 || ms >= 1_400);
		rig.line.setFlows(false);
		rig.run(1_000);
		rig.expectNoHole();
		const peaks = (from: number, to: number) =>
			rig.levels.filter(({ ms }) => ms >= from && ms + 22 < to).map(({ peak }) => peak);
		expect(Math.min(...peaks(BEGUN_MS, 780))).toBeGreaterThan(0.4);
		expect(Math.max(...peaks(830, 1_390))).toBe(0);
		expect(Math.min(...peaks(1_430, 1_980))).toBeGreaterThan(0.4);
		expect(Math.max(...peaks(2_030, 2_900))).toBe(0);
		expect(rig.levels.at(-1)?.ms).toBeGreaterThan(2_900);
	});

	test("goes on without a source, hardly behind the present", () => {
		const rig = new Rig();
		rig.line.setSending(true);
		rig.run(1_000);
		rig.expectNoHole();
		expect(rig.levels.at(-1)?.ms).toBeGreaterThan(900);
	});

	test("converts any rate", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		rig.run(3_000, () => true, 16_000);
		rig.expectNoHole();
		expect(Math.min(...rig.levels.filter(({ ms }) => ms > BEGUN_MS).map(({ peak }) => peak))).toBeGreaterThan(0.4);
	});

	test("gives nothing while it sleeps, and of before nothing when it is woken", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		rig.run(1_000);
		rig.line.setSending(false);
		const before = rig.frames.length;
		rig.run(5_000);
		expect(rig.frames).toHaveLength(before);
		rig.line.setSending(true);
		rig.run(200);
		const [first, ...more] = rig.levels.slice(before);
		expect(first?.ms).toBeGreaterThan(6_000 - 90);
		expect(first?.ms).toBeLessThan(6_000 + 22);
		expect(more.length).toBeGreaterThan(3);
		// Sound of now, at once, not faded in from a silence.
		expect(more[1]?.peak).toBeGreaterThan(0.4);
	});

	test("has its configuration with every frame, for whoever begins to listen", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		rig.run(500);
		expect(rig.frames.length).toBeGreaterThan(10);
		expect(rig.frames.every(({ config }) => config?.[0] === 1)).toBe(true);
	});

	test("goes on with another encoder where the one before stopped", () => {
		const rig = new Rig();
		rig.line.begin();
		rig.line.setSending(true);
		rig.run(500);
		const other = new PlainEncoder((frame) => rig.line.takeEncoded(frame));
		rig.line.setEncoder(other);
		rig.run(500);
		expect(rig.levels.at(-1)?.ms).toBeGreaterThan(900);
		rig.line.close();
		expect(other.closed).toBe(true);
	});
});

describe("SampleTimes", () => {
	test("ends quietly when its encoder fails at what goes in", () => {
		const rig = new Rig();
		let pushes = 0;
		rig.line.setEncoder({
			samplesIn: 0,
			push: () => {
				pushes += 1;
				rig.line.close();
			},
			close: () => {},
		});
		rig.line.setSending(true);
		rig.run(500);
		expect(pushes).toBe(1);
	});

	test("says nothing before it has begun, nor of what lies before", () => {
		const times = new SampleTimes(RATE);
		expect(times.captureUs(0)).toBeUndefined();
		times.begin(48_000, 7 * S);
		expect(times.captureUs(S - 1_000)).toBeUndefined();
		expect(times.captureUs(S)).toBe(7 * S);
		expect(times.captureUs(S + 20_000)).toBe(7 * S + 20_000);
	});
});
