import { afterEach, expect, test, vi } from "vitest";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { Person } from "../../../../playout/person/person.ts";
import type { PersonId } from "../../../../worker/protocol/roles.ts";
import { randomSource } from "../jitter/traffic.ts";
import { FakeCodecs, ptsOfLevel } from "./fake-codecs.ts";

const END_US = 8 * 3_600e6;
/**
 * Eight hours of time and of every block of sound, in few samples and few pictures: 1 kHz in blocks of 100 ms, and 5 pictures a second.
 * Two seconds of every five minutes, and the last half minute, are as on air: 30 pictures and steps a second, and the sound is mixed.
 */
const SOUND = { sampleRate: 1_000, frames: 100 };
const SOUND_US = 100_000;
const SPARSE_US = 200_000;
const ON_AIR_US = 1e6 / 30;
const LISTEN_EVERY_US = 300e6;
const LISTEN_US = 2e6;
const LISTEN_LAST_US = 30e6;
const MIX_FRAMES = 960;
const MIX_US = 20_000;
const SOUND_BEHIND_US = ON_AIR_US;
const TRANSIT_US = 5_000;
const JITTER_US = 10_000;
/** The level that tells the time repeats. */
const LEVEL_PERIOD_US = 64e6;

function isOnAir(us: number): boolean {
	return us % LISTEN_EVERY_US < LISTEN_US || us > END_US - LISTEN_LAST_US;
}

/** One person whose clock is off by `ppm`, and what is seen and heard of them. */
class Drifting {
	readonly person: Person;
	readonly #scale: number;
	readonly #random = randomSource(11);
	readonly #out = new Float32Array(2 * MIX_FRAMES);
	#nowUs = 0;
	readonly #startUs: number;
	#nextSoundUs = 0;
	#nextPictureUs = 0;
	#pictures = 0;
	#mixedUs: number | undefined;
	#soundLagsUs: number[] = [];
	#pictureLagsUs: number[] = [];
	/** Sound minus picture, a mean for each time listened. */
	readonly skewsMs: number[] = [];
	readonly most = { queueMs: 0, bufferedMs: 0, delayMs: 0 };

	constructor(id: PersonId, ppm: number, startUs: number) {
		this.#scale = 1 + ppm / 1e6;
		this.#startUs = startUs;
		this.person = new Person({
			id,
			outputFrameRate: 30,
			soundBehindMs: SOUND_BEHIND_US / 1_000,
			nowUs: () => this.#nowUs,
			onProblem: (reason) => {
				throw new Error(reason);
			},
			onDecodeMs: () => undefined,
		});
	}

	/** Everything that arrives up to `nowUs`. A frame's source time counts from `startUs`. */
	receiveUntil(nowUs: number, codecs: FakeCodecs): void {
		for (;;) {
			const isSound = this.#nextSoundUs <= this.#nextPictureUs;
			const sourceUs = isSound ? this.#nextSoundUs : this.#nextPictureUs;
			const leastUs = sourceUs * this.#scale + TRANSIT_US;
			if (leastUs > nowUs) {
				return;
			}
			this.#nowUs = Math.max(this.#nowUs, leastUs + this.#random() * JITTER_US);
			const ptsUs = Math.round((this.#startUs + sourceUs) / 1_000) * 1_000; // FLV counts milliseconds
			const common = { ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) };
			const frame: EncodedFrame = isSound
				? { ...common, track: "audio", codec: "opus", keyFrame: true }
				: { ...common, track: "video", codec: "vp8", keyFrame: this.#pictures % 60 === 0 };
			this.person.push(frame, this.#nowUs);
			codecs.deliver();
			if (isSound) {
				this.#nextSoundUs += SOUND_US;
			} else {
				this.#pictures += 1;
				this.#nextPictureUs += isOnAir(nowUs) ? ON_AIR_US : SPARSE_US;
			}
		}
	}

	step(dueUs: number, codecs: FakeCodecs): void {
		const isNew = this.person.step(dueUs) === "new";
		codecs.deliver();
		const { delayMs } = this.person.clock.figures;
		this.most.delayMs = Math.max(this.most.delayMs, delayMs);
		this.most.queueMs = Math.max(this.most.queueMs, this.person.stats(dueUs).queueMs);
		if (!isOnAir(dueUs)) {
			this.#endListening();
			return;
		}
		const shown = this.person.picture;
		if (isNew && shown !== undefined && this.#mixedUs !== undefined) {
			this.#pictureLagsUs.push(dueUs - (shown.ptsUs - this.#startUs) * this.#scale);
		}
		this.#mixedUs ??= dueUs - SOUND_BEHIND_US;
		for (; this.#mixedUs + MIX_US <= dueUs - SOUND_BEHIND_US; this.#mixedUs += MIX_US) {
			this.person.audio.pull(this.#mixedUs, MIX_FRAMES, this.person.clock, this.#out);
			this.#hear(this.#out[2 * MIX_FRAMES - 2] ?? 0, this.#out[0] ?? 0, this.#mixedUs + MIX_US);
		}
	}

	#hear(level: number, before: number, atUs: number): void {
		if (before < 0.1 || level <= before) {
			return; // Fading in, or where the level starts again.
		}
		const spokenUs = ptsOfLevel(level);
		const sourceNowUs = (atUs / this.#scale + this.#startUs) % LEVEL_PERIOD_US;
		const lagUs = (sourceNowUs - spokenUs + LEVEL_PERIOD_US) % LEVEL_PERIOD_US;
		this.#soundLagsUs.push(lagUs > LEVEL_PERIOD_US / 2 ? lagUs - LEVEL_PERIOD_US : lagUs);
		this.most.bufferedMs = Math.max(this.most.bufferedMs, this.person.audio.figures.bufferedMs);
	}

	#endListening(): void {
		this.#mixedUs = undefined;
		if (this.#soundLagsUs.length > 0 && this.#pictureLagsUs.length > 0) {
			this.skewsMs.push((mean(this.#soundLagsUs) - mean(this.#pictureLagsUs)) / 1_000);
		}
		this.#soundLagsUs = [];
		this.#pictureLagsUs = [];
	}

	close(): void {
		this.#endListening();
		this.person.close();
	}
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

afterEach(() => {
	vi.unstubAllGlobals();
});

test("host and guest, 400 ppm apart, keep lips within 30 ms and bounded buffers for eight hours", () => {
	const codecs = new FakeCodecs(SOUND);
	codecs.install();
	// Across 2^31 and 2^32 milliseconds, which the reader has unwrapped by here.
	const people = [
		new Drifting("host", 200, (2 ** 31 - 3_600e3) * 1_000),
		new Drifting("guest", -200, (2 ** 32 - 3_600e3) * 1_000),
	];
	for (let nowUs = 0; nowUs < END_US; nowUs += isOnAir(nowUs) ? ON_AIR_US : SPARSE_US) {
		for (const each of people) {
			each.receiveUntil(nowUs, codecs);
			each.step(nowUs, codecs);
		}
	}
	for (const each of people) {
		each.close();
		const { person, skewsMs, most } = each;
		expect(skewsMs.length).toBe(END_US / LISTEN_EVERY_US + 1);
		expect(Math.max(...skewsMs.map(Math.abs))).toBeLessThan(30);
		expect(most.queueMs).toBeLessThan(100);
		expect(most.bufferedMs).toBeLessThan(250);
		expect(most.delayMs).toBeLessThan(45);
		const { resets, jumps } = person.clock.figures;
		const { late, held } = person.stats(END_US);
		expect({ resets, jumps, late, held }).toEqual({ resets: 0, jumps: 0, late: 0, held: 0 });
		expect(person.audio.figures.concealedSamples).toBe(0);
	}
	expect(codecs.mostOpenPictures).toBeLessThan(12);
	expect(codecs.pictures.every((picture) => picture.closed === 1)).toBe(true);
}, 60_000);
