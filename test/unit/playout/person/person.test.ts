import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { Person } from "../../../../playout/person/person.ts";
import { FakeCodecs } from "./fake-codecs.ts";

const FRAME_US = 1e6 / 30;
const TRANSIT_US = 5_000;

function picture(index: number, more: { keyFrame?: boolean; startUs?: number } = {}): EncodedFrame {
	const ptsUs = Math.round((more.startUs ?? 0) + index * FRAME_US);
	const data = Uint8Array.of(1);
	return { track: "video", codec: "vp8", keyFrame: more.keyFrame ?? false, ptsUs, dtsUs: ptsUs, data };
}

function sound(ptsUs: number): EncodedFrame {
	return { track: "audio", codec: "opus", keyFrame: true, ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) };
}

describe("Person", () => {
	let codecs: FakeCodecs;
	let person: Person;
	let nowUs: number;
	let problems: string[];

	beforeEach(() => {
		codecs = new FakeCodecs();
		codecs.install();
		nowUs = 0;
		problems = [];
		person = new Person({
			id: "guest",
			outputFrameRate: 30,
			soundBehindMs: 33,
			nowUs: () => nowUs,
			onProblem: (reason) => problems.push(reason),
			onDecodeMs: () => undefined,
		});
	});

	afterEach(() => {
		person.close();
		vi.unstubAllGlobals();
	});

	function arrive(frame: EncodedFrame, arrivalUs: number): void {
		nowUs = arrivalUs;
		person.push(frame, arrivalUs);
	}

	test("after a decoder error hands over nothing before the next key frame, and shows from there", () => {
		for (let index = 0; index < 10; index += 1) {
			codecs.failNext = index === 3;
			arrive(picture(index, { keyFrame: index === 0 || index === 7 }), index * FRAME_US + TRANSIT_US);
			codecs.deliver();
		}
		expect(problems).toEqual(["video decoder: broken picture"]);
		expect(codecs.videoChunks.map((chunk) => Math.round(chunk.timestamp / FRAME_US))).toEqual([0, 1, 2, 3, 7, 8, 9]);
		person.step(8 * FRAME_US + 50_000);
		expect(Math.round((person.picture?.ptsUs ?? 0) / FRAME_US)).toBe(8);
	});

	test("after a decoder error gives up at once what waits for a decoder that is behind, up to a key frame", () => {
		for (let index = 0; index < 12; index += 1) {
			arrive(picture(index, { keyFrame: index === 0 || index === 10 }), index * FRAME_US + TRANSIT_US);
			codecs.videoQueue = index === 5 ? 12 : codecs.videoQueue;
		}
		expect(codecs.videoChunks).toHaveLength(6);
		expect(person.stats(nowUs).queueMs).toBeGreaterThan(5 * 33);
		codecs.fail();
		expect(problems).toHaveLength(1);
		expect(person.stats(nowUs).queueMs).toBeLessThan(34);
		codecs.videoQueue = 0;
		person.step(nowUs);
		expect(Math.round((codecs.videoChunks[6]?.timestamp ?? 0) / FRAME_US)).toBe(10);
	});

	test("shows no picture that was decoded across a restart of its source's time, and counts all it gave up", () => {
		const restart = 100;
		for (let index = 0; index < 30; index += 1) {
			arrive(picture(index, { keyFrame: index === 0, startUs: 60e6 }), index * FRAME_US + TRANSIT_US);
			codecs.deliver();
			person.step(nowUs);
		}
		const dropped = person.stats(nowUs).dropped;
		// Two are in the decoder and some wait decoded when time starts at zero.
		arrive(picture(30, { startUs: 60e6 }), 30 * FRAME_US + TRANSIT_US);
		codecs.deliver();
		const waiting = codecs.pictures.filter((each) => each.closed === 0).length - 1;
		expect(waiting).toBeGreaterThan(0);
		arrive(picture(31, { startUs: 60e6 }), 31 * FRAME_US + TRANSIT_US);
		arrive(picture(32, { startUs: 60e6 }), 32 * FRAME_US + TRANSIT_US);
		arrive(picture(0, { keyFrame: true }), restart * FRAME_US);
		codecs.deliver();
		expect(person.clock.epoch).toBe(1);
		expect(person.stats(nowUs).dropped).toBe(dropped + waiting + 2);
		for (let index = 1; index < 10; index += 1) {
			arrive(picture(index), (restart + index) * FRAME_US);
			codecs.deliver();
			person.step(nowUs + 40_000);
			expect(person.picture?.ptsUs).toBeLessThan(1e6);
		}
		person.close();
		expect(codecs.pictures.every((each) => each.closed === 1)).toBe(true);
	});

	test("decodes no sound that is too late to be heard whatever the delay", () => {
		for (let index = 0; index < 50; index += 1) {
			arrive(sound(index * 20_000), index * 20_000 + TRANSIT_US);
			codecs.deliver();
		}
		expect(codecs.audioChunks).toHaveLength(50);
		// Five seconds of silence; then all of it at once.
		for (let index = 50; index < 300; index += 1) {
			arrive(sound(index * 20_000), 6e6);
			codecs.deliver();
		}
		const first = codecs.audioChunks[50]?.timestamp ?? 0;
		expect(first).toBeGreaterThan(5.4e6);
		expect(first).toBeLessThan(5.6e6);
		expect(codecs.audioChunks.at(-1)?.timestamp).toBe(299 * 20_000);
		expect(person.stats(nowUs).audioIn).toBe(300);
		expect(person.clock.epoch).toBe(0);
	});
});
