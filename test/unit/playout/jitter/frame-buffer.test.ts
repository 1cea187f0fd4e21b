import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodedAudioFrame, EncodedVideoFrame } from "../../../../media/encoded-frame.ts";
import { JitterBuffer, type PlayoutTimes } from "../../../../playout/jitter/frame-buffer.ts";

const FRAME_US = 33_333;
const REFERENCE = Uint8Array.of(0, 0, 0, 2, 0x41, 0);
const DISPOSABLE = Uint8Array.of(0, 0, 0, 2, 0x01, 0);
const KEY = Uint8Array.of(0, 0, 0, 2, 0x65, 0);

class FixedClock implements PlayoutTimes {
	epoch = 0;
	offsetUs = 0;
	playoutUs(ptsUs: number): number {
		return ptsUs + this.offsetUs;
	}
}

function video(index: number, more: Partial<EncodedVideoFrame> = {}): EncodedVideoFrame {
	const timeUs = index * FRAME_US;
	const keyFrame = more.keyFrame ?? false;
	return {
		track: "video",
		codec: "avc",
		keyFrame,
		ptsUs: timeUs,
		dtsUs: timeUs,
		data: keyFrame ? KEY : REFERENCE,
		...more,
	};
}

function audio(index: number): EncodedAudioFrame {
	const timeUs = index * 20_000;
	return {
		track: "audio",
		codec: "aac",
		keyFrame: true,
		ptsUs: timeUs,
		dtsUs: timeUs,
		data: Uint8Array.of(index & 0xff),
	};
}

function indices(frames: readonly { readonly frame: EncodedVideoFrame }[]): number[] {
	return frames.map((due) => Math.round(due.frame.dtsUs / FRAME_US));
}

describe("JitterBuffer", () => {
	it("hands frames out when they are due less the lead, with their play-out times", () => {
		const clock = new FixedClock();
		clock.offsetUs = 50_000;
		const buffer = new JitterBuffer<EncodedVideoFrame>(clock);
		buffer.push(video(0, { keyFrame: true }), 0);
		buffer.push(video(1), FRAME_US);
		expect(buffer.popDue(39_999, 10_000)).toEqual([]);
		expect(buffer.popDue(40_000, 10_000)).toMatchObject([{ playoutUs: 50_000, arrivalUs: 0, show: true }]);
		expect(buffer.figures).toMatchObject({ frames: 1, received: 2, late: 0, dropped: 0 });
		expect(indices(buffer.popDue(80_000, 10_000))).toEqual([1]);
	});

	it("goes by decode time, so that a picture which others refer to is decoded before them", () => {
		const clock = new FixedClock();
		const buffer = new JitterBuffer<EncodedVideoFrame>(clock);
		buffer.push(video(0, { keyFrame: true, ptsUs: 2 * FRAME_US }), 0);
		buffer.push(video(1, { ptsUs: 5 * FRAME_US }), 0);
		buffer.push(video(2, { ptsUs: 3 * FRAME_US }), 0);
		const due = buffer.popDue(2 * FRAME_US, 0);
		expect(indices(due)).toEqual([0, 1, 2]);
		expect(due.map((each) => each.playoutUs)).toEqual([2 * FRAME_US, 5 * FRAME_US, 3 * FRAME_US]);
	});

	it("puts frames that overtook each other back in order", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock());
		for (const index of [0, 2, 1, 3]) {
			buffer.push(video(index, { keyFrame: index === 0 }), 0);
		}
		expect(indices(buffer.popDue(1e6, 0))).toEqual([0, 1, 2, 3]);
	});

	it("does not show what comes after a later frame was handed out, nor anything twice, until the source starts over", () => {
		const clock = new FixedClock();
		const buffer = new JitterBuffer<EncodedVideoFrame>(clock);
		const showOf = (frame: EncodedVideoFrame) => {
			buffer.push(frame, frame.dtsUs);
			return buffer.popDue(2 * FRAME_US, 0).map((due) => due.show);
		};
		expect(showOf(video(0, { keyFrame: true }))).toEqual([true]);
		expect(showOf(video(2))).toEqual([true]);
		expect(showOf(video(1))).toEqual([false]);
		expect(showOf(video(2))).toEqual([false]);
		clock.epoch = 1;
		expect(showOf(video(1, { keyFrame: true }))).toEqual([true]);
	});

	it("waits for a key frame at the start and says so", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock());
		buffer.push(video(0), 0);
		expect(buffer.needsKeyFrame).toBe(true);
		buffer.push(video(1, { keyFrame: true }), 0);
		expect(buffer.needsKeyFrame).toBe(false);
		expect(indices(buffer.popDue(1e6, 0))).toEqual([1]);
		expect(buffer.figures.dropped).toBe(1);
	});

	it("decodes late frames without showing them, and leaves out only those nothing refers to", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock());
		buffer.push(video(0, { keyFrame: true }), 400_000);
		buffer.push(video(1), 400_000);
		buffer.push(video(2, { data: DISPOSABLE }), 400_000);
		buffer.push(video(3), 400_000);
		const due = buffer.popDue(400_000, 0);
		expect(indices(due)).toEqual([0, 1, 3]);
		expect(due.map((each) => each.show)).toEqual([false, false, true]);
		expect(buffer.figures).toMatchObject({ late: 4, dropped: 1 });
	});

	it("shows nothing that is older than live, though nothing newer is there", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock(), { maxLatenessUs: 300_000 });
		buffer.push(video(0, { keyFrame: true }), 300_001);
		expect(buffer.popDue(300_001, 0)).toMatchObject([{ show: false }]);
		buffer.push(video(1), 300_001);
		expect(buffer.popDue(300_001, 0)).toMatchObject([{ show: true }]);
	});

	it("skips a late group when a newer key frame is due as well", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock());
		for (let index = 0; index < 10; index += 1) {
			buffer.push(video(index, { keyFrame: index % 4 === 0 }), 900_000);
		}
		expect(indices(buffer.popDue(900_000, 0))).toEqual([8, 9]);
		expect(buffer.figures.dropped).toBe(8);
	});

	it("hands on the configuration of a frame it dropped, and one that came alone", () => {
		const buffer = new JitterBuffer<EncodedVideoFrame>(new FixedClock());
		const [first, second] = [Uint8Array.of(1), Uint8Array.of(2)];
		buffer.push(video(0, { keyFrame: true, config: first, data: new Uint8Array(0) }), 0);
		expect(buffer.figures.received).toBe(0);
		buffer.push(video(0, { keyFrame: true }), 0);
		buffer.push(video(1), 0);
		buffer.push(video(2, { keyFrame: true, config: second }), 0);
		buffer.push(video(3, { keyFrame: true }), 0);
		const due = buffer.popDue(900_000, 0);
		expect(indices(due)).toEqual([3]);
		expect(due[0]?.frame.config).toBe(second);
	});

	it("after a reset of the clock hands out what was left, so that references stay whole, but does not show it", () => {
		const clock = new FixedClock();
		clock.offsetUs = 500_000;
		const buffer = new JitterBuffer<EncodedVideoFrame>(clock);
		buffer.push(video(0, { keyFrame: true }), 0);
		buffer.push(video(1), 0);
		clock.epoch = 1;
		clock.offsetUs = 9_200_000;
		buffer.push(video(2), 9_000_000);
		const due = buffer.popDue(9_000_000, 0);
		expect(indices(due)).toEqual([0, 1]);
		expect(due.map((each) => each.show)).toEqual([false, false]);
		expect(buffer.figures.frames).toBe(1);
	});

	it("after a decoder error goes on at the next key frame", () => {
		const clock = new FixedClock();
		const buffer = new JitterBuffer<EncodedVideoFrame>(clock);
		for (let index = 0; index < 6; index += 1) {
			buffer.push(video(index, { keyFrame: index === 0 || index === 4 }), 0);
		}
		buffer.requireKeyFrame();
		expect(buffer.needsKeyFrame).toBe(false);
		expect(indices(buffer.popDue(1e6, 0))).toEqual([4, 5]);
		buffer.requireKeyFrame();
		buffer.push(video(6), 0);
		expect(buffer.needsKeyFrame).toBe(true);
		expect(buffer.popDue(1e6, 0)).toEqual([]);
	});

	it("gives up the oldest sound when full", () => {
		const buffer = new JitterBuffer<EncodedAudioFrame>(new FixedClock(), { maxFrames: 3 });
		for (let index = 0; index < 5; index += 1) {
			buffer.push(audio(index), 0);
		}
		expect(buffer.popDue(1e6, 0).map((due) => due.frame.data[0])).toEqual([2, 3, 4]);
		expect(buffer.figures).toMatchObject({ dropped: 2, frames: 0, bytes: 0 });
	});

	it("takes at most as many as asked for", () => {
		const buffer = new JitterBuffer<EncodedAudioFrame>(new FixedClock());
		for (let index = 0; index < 5; index += 1) {
			buffer.push(audio(index), 0);
		}
		expect(buffer.popDue(1e6, 0, 2)).toHaveLength(2);
		expect(buffer.popDue(1e6, 0)).toHaveLength(3);
	});

	it("stays bounded and never hands out a picture whose reference it dropped, whatever comes", () => {
		const step = fc.record({
			keyFrame: fc.boolean(),
			stepMs: fc.integer({ min: 0, max: 400 }),
			pop: fc.boolean(),
			lost: fc.integer({ min: 0, max: 12 }),
			offsetMs: fc.integer({ min: -500, max: 900 }),
			reset: fc.integer({ min: 0, max: 20 }),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
				const clock = new FixedClock();
				const buffer = new JitterBuffer<EncodedVideoFrame>(clock, { maxFrames: 20, maxBytes: 100 });
				let nowUs = 0;
				let sent = 0;
				let decoded: number | undefined;
				for (const each of steps) {
					nowUs += each.stepMs * 1_000;
					clock.offsetUs = each.offsetMs * 1_000;
					clock.epoch += each.reset === 0 ? 1 : 0;
					buffer.push(video(sent, { keyFrame: each.keyFrame }), nowUs);
					sent += 1;
					if (each.lost === 0) {
						buffer.requireKeyFrame();
					}
					for (const due of each.pop ? buffer.popDue(nowUs, 5_000) : []) {
						const index = Math.round(due.frame.dtsUs / FRAME_US);
						expect(due.frame.keyFrame || index === (decoded ?? -2) + 1).toBe(true);
						decoded = index;
					}
					expect(buffer.figures.frames).toBeLessThanOrEqual(20);
					expect(buffer.figures.bytes).toBeLessThanOrEqual(100);
				}
				const { received, dropped, frames } = buffer.figures;
				expect(received).toBeGreaterThanOrEqual(dropped + frames);
			}),
			{ numRuns: 300 },
		);
	});
});
