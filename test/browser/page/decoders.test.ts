import { beforeAll, describe, expect, test } from "vitest";
import type { EncodedAudioFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { AudioDecoded, DecodedPicture, VideoDecoded } from "./decoders-in-worker.ts";
import { aac, h264, later, lumaOf, opus, vpx } from "./made-media.ts";

const MODULE = new URL("./decoders-in-worker.ts", import.meta.url);
const FRAME_US = 1_000_000 / 30;

const browser = useBrowser();

type VideoRun = { readonly frames: readonly EncodedVideoFrame[]; readonly pictures: number };
type AudioRun = { readonly frames: readonly EncodedAudioFrame[]; readonly blocks: number; readonly quietMs?: number };

function decodeVideo(...runs: readonly VideoRun[]): Promise<VideoDecoded> {
	return browser.run<VideoDecoded>(MODULE, "decodeVideo", [runs]);
}

function decodeAudio(...runs: readonly AudioRun[]): Promise<AudioDecoded> {
	return browser.run<AudioDecoded>(MODULE, "decodeAudio", [runs]);
}

/** Which picture of the made video each is, by its brightness. */
function indexesOf(pictures: readonly DecodedPicture[]): number[] {
	return pictures.map(({ luma }) => Math.round((luma - lumaOf(0)) / (lumaOf(1) - lumaOf(0))));
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Each picture's own time: the frames' after the first's, in presentation order. */
function timesOf(frames: readonly EncodedVideoFrame[]): number[] {
	return frames
		.filter(({ data }) => data.byteLength > 0)
		.map(({ ptsUs }) => ptsUs)
		.toSorted((a, b) => a - b);
}

describe("VideoDecoderStage", () => {
	let baseline: EncodedVideoFrame[];
	beforeAll(() => {
		baseline = h264({ frames: 45, group: 15 });
	});

	test("gives each H.264 picture with its own time, size and origin, and keeps none back", async () => {
		const { pictures, errors, dropped } = await decodeVideo({ frames: baseline, pictures: 45 });
		expect(indexesOf(pictures)).toEqual(range(0, 45));
		expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(timesOf(baseline));
		// The configuration was frame 0.
		expect(pictures.map(({ origin }) => origin.arrivalUs)).toEqual(range(1, 46));
		expect(pictures.every(({ width, height }) => width === 320 && height === 180)).toBe(true);
		expect([errors, dropped]).toEqual([0, 0]);
	});

	test("puts B-frames into the order in which they are shown", async () => {
		const frames = h264({ frames: 48, group: 24, bFrames: 3 });
		expect(frames.some(({ ptsUs, dtsUs }) => ptsUs > dtsUs + FRAME_US)).toBe(true);
		const { pictures, errors } = await decodeVideo({ frames, pictures: 40 });
		expect(errors).toBe(0);
		expect(indexesOf(pictures)).toEqual(range(0, pictures.length));
		expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(timesOf(frames).slice(0, pictures.length));
	});

	test("goes on through a change of size in mid-stream and loses no picture of either", async () => {
		const large = later(h264({ frames: 15, width: 640, height: 360 }), 1_500_000);
		const { pictures, errors, dropped } = await decodeVideo({ frames: [...baseline, ...large], pictures: 60 });
		expect(indexesOf(pictures)).toEqual([...range(0, 45), ...range(0, 15)]);
		expect(pictures.map(({ width, height }) => `${width}x${height}`)).toEqual([
			...range(0, 45).map(() => "320x180"),
			...range(0, 15).map(() => "640x360"),
		]);
		expect([errors, dropped]).toEqual([0, 0]);
	});

	test("lives through a broken frame, and goes on at the next key frame", async () => {
		const broken = baseline.map((frame, index) =>
			// The configuration, 20 pictures, then a length that is more than there is.
			index === 21 ? { ...frame, data: Uint8Array.from([0x7f, 0xff, 0xff, 0xff, ...frame.data.subarray(4)]) } : frame,
		);
		const { pictures, errors, problems, dropped } = await decodeVideo(
			{ frames: broken.slice(0, 21), pictures: 20 },
			{ frames: broken.slice(21, 22), pictures: 1 },
			{ frames: broken.slice(22), pictures: 15 },
		);
		expect(errors).toBe(1);
		expect(problems).toHaveLength(1);
		expect(problems[0]).toMatch(/^video decoder: ./);
		expect(indexesOf(pictures)).toEqual([...range(0, 20), ...range(30, 45)]);
		expect(dropped).toBe(10);
	});

	test("takes the same configuration again, also between key frames, for no reason to stop", async () => {
		const config = baseline[0]?.config as Uint8Array;
		const repeated = baseline.map((frame, index) => (index % 4 === 0 ? { ...frame, config } : frame));
		const { pictures, errors, dropped } = await decodeVideo({ frames: repeated, pictures: 45 });
		expect(indexesOf(pictures)).toEqual(range(0, 45));
		expect([errors, dropped]).toEqual([0, 0]);
	});

	test.each(["vp8", "vp9"] as const)("decodes %s, which has no configuration record", async (codec) => {
		const frames = await vpx(codec, { frames: 20 });
		const { pictures, errors } = await decodeVideo({ frames, pictures: 20 });
		expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(timesOf(frames));
		expect(indexesOf(pictures)).toEqual(range(0, 20));
		expect(errors).toBe(0);
	});

	test("follows a stream from one codec to another and back, with a record or without", async () => {
		const vp8 = later(await vpx("vp8", { frames: 10 }), 2_000_000);
		const { pictures, errors } = await decodeVideo(
			{ frames: baseline, pictures: 45 },
			{ frames: vp8, pictures: 10 },
			{ frames: later(baseline, 4_000_000), pictures: 45 },
		);
		expect(errors).toBe(0);
		expect(indexesOf(pictures)).toEqual([...range(0, 45), ...range(0, 10), ...range(0, 45)]);
	});

	test("drops and counts what cannot be decoded for want of a key frame or a configuration", async () => {
		const withoutConfig = baseline.slice(1, 11);
		const { pictures, errors, dropped } = await decodeVideo(
			{ frames: withoutConfig, pictures: 0 },
			{ frames: [...baseline.slice(0, 1), ...baseline.slice(12)], pictures: 30 },
		);
		expect(indexesOf(pictures)).toEqual(range(15, 45));
		expect([errors, dropped]).toEqual([0, 10 + 4]);
	});

	test("says what is wrong with a configuration that cannot be read, and takes the next", async () => {
		const garbage = { ...(baseline[0] as EncodedVideoFrame), config: new Uint8Array([1, 2, 3]) };
		const { pictures, errors, problems } = await decodeVideo(
			{ frames: [garbage, ...baseline.slice(1, 5)], pictures: 1 },
			{ frames: baseline, pictures: 45 },
		);
		expect(errors).toBe(1);
		expect(problems[0]).toMatch(/^video decoder: .*expected/);
		expect(indexesOf(pictures)).toEqual(range(0, 45));
	});
});

describe("AudioDecoderStage", () => {
	let stereo: EncodedAudioFrame[];
	beforeAll(() => {
		stereo = aac({ seconds: 1, hz: 1_000, sampleRate: 48_000, channels: 2 });
	});

	/** Of the whole sound but its first blocks, in which an encoder starts. */
	function hertz({ blocks }: AudioDecoded): number {
		const steady = blocks.slice(3);
		const cycles = steady.reduce((sum, block) => sum + block.cycles, 0);
		const seconds = steady.reduce((sum, block) => sum + block.frames / block.sampleRate, 0);
		return cycles / seconds;
	}

	test.each([
		{ sampleRate: 44_100, channels: 1, hz: 440 },
		{ sampleRate: 48_000, channels: 2, hz: 1_000 },
	] as const)("decodes AAC of $sampleRate Hz with $channels channels, each block with its own time", async (format) => {
		const frames = aac({ seconds: 1, ...format });
		const sounds = frames.filter(({ data }) => data.byteLength > 0);
		const decoded = await decodeAudio({ frames, blocks: sounds.length - 1 });
		expect(decoded.errors).toBe(0);
		expect(hertz(decoded)).toBeGreaterThan(format.hz * 0.93);
		expect(hertz(decoded)).toBeLessThan(format.hz * 1.07);
		for (const [index, block] of decoded.blocks.entries()) {
			expect(block).toMatchObject({ sampleRate: format.sampleRate, channels: format.channels, frames: 1_024 });
			expect(Math.abs(block.ptsUs - (sounds[index]?.ptsUs ?? Number.NaN))).toBeLessThanOrEqual(1);
		}
	});

	test("keeps the source's times across a gap and a jump, which the browser's decoder would lose", async () => {
		const jumped = [
			...stereo.slice(0, 11),
			...later(stereo.slice(11, 21), 700_000),
			...later(stereo.slice(21), 9_000_000),
		];
		const sounds = jumped.filter(({ data }) => data.byteLength > 0);
		const { blocks } = await decodeAudio({ frames: jumped, blocks: sounds.length - 1 });
		for (const [index, block] of blocks.entries()) {
			expect(Math.abs(block.ptsUs - (sounds[index]?.ptsUs ?? Number.NaN))).toBeLessThanOrEqual(1);
		}
	});

	test("takes no notice of frames without data, in AAC and in Opus", async () => {
		const withEmpty = (frames: readonly EncodedAudioFrame[]) =>
			frames.flatMap((frame, index) => {
				const { config: _, ...empty } = { ...frame, data: new Uint8Array(0) };
				return index % 3 === 1 ? [frame, empty] : [frame];
			});
		const opusFrames = await opus(1, 440);
		const aacDecoded = await decodeAudio({ frames: withEmpty(stereo), blocks: stereo.length - 2 });
		const opusDecoded = await decodeAudio({ frames: withEmpty(opusFrames), blocks: opusFrames.length - 1 });
		expect([aacDecoded.errors, opusDecoded.errors]).toEqual([0, 0]);
		expect(aacDecoded.blocks.length).toBeGreaterThanOrEqual(stereo.length - 2);
		expect(opusDecoded.blocks[10]).toMatchObject({ sampleRate: 48_000, channels: 2 });
		expect(opusDecoded.blocks[10]?.peak).toBeGreaterThan(0.05);
	});

	test("follows a stream from AAC to Opus and back", async () => {
		const opusFrames = await opus(0.5, 440);
		const { blocks, errors } = await decodeAudio(
			{ frames: stereo, blocks: stereo.length - 2 },
			{ frames: later(opusFrames, 2_000_000), blocks: opusFrames.length - 1 },
			{ frames: later(stereo, 4_000_000), blocks: stereo.length - 2 },
		);
		expect(errors).toBe(0);
		expect(blocks.filter(({ ptsUs }) => ptsUs >= 4_000_000).length).toBeGreaterThanOrEqual(stereo.length - 2);
	});

	test("gives out all that one codec's decoder holds before the other's, where the codec changes in mid-speech", async () => {
		const opusFrames = later(await opus(0.5, 440), 1_100_000);
		const stereoSound = stereo.filter(({ data }) => data.byteLength > 0);
		const rest = later(stereo.slice(0, 20), 2_000_000);
		const frames = [...stereo, ...opusFrames, ...rest];
		const wanted = stereoSound.length + opusFrames.length + rest.filter(({ data }) => data.byteLength > 0).length;
		const { blocks, errors } = await decodeAudio({ frames, blocks: wanted - 3 });
		expect(errors).toBe(0);
		const times = blocks.map(({ ptsUs }) => ptsUs);
		expect(times).toEqual(times.toSorted((a, b) => a - b));
		expect(times.filter((us) => us < 1_100_000 && us > 950_000).length).toBeGreaterThanOrEqual(3);
	});

	test("lives through bytes that are no sound, and through configurations that are none", async () => {
		const noise = Uint8Array.from({ length: 300 }, (_, index) => (index * 37) % 256);
		const broken = stereo.map((frame, index) => (index === 10 ? { ...frame, data: noise } : frame));
		const garbage = { ...(stereo[0] as EncodedAudioFrame), config: new Uint8Array([0xff]) };
		const { blocks, problems, errors } = await decodeAudio(
			{ frames: broken.slice(0, 11), blocks: 100 },
			{ frames: broken.slice(11), blocks: 25 },
			{ frames: [garbage], blocks: 1 },
			{ frames: later(stereo, 2_000_000), blocks: stereo.length - 2 },
		);
		expect(errors).toBe(2);
		for (const problem of problems) {
			expect(problem).toMatch(/^audio decoder: ./);
		}
		expect(blocks.filter(({ ptsUs }) => ptsUs >= 2_000_000).length).toBeGreaterThanOrEqual(stereo.length - 2);
	});

	test("says once of sound that stays undecodable, and does not try each frame of it with a new decoder", async () => {
		const noise = Uint8Array.from({ length: 300 }, (_, index) => (index * 37) % 256);
		const seconds = [0, 1, 2, 3].map((second) => later(stereo, second * 1_000_000));
		const undecodable = seconds.flat().map((frame) => (frame.data.byteLength > 0 ? { ...frame, data: noise } : frame));
		const { problems, errors, blocks } = await decodeAudio(
			{ frames: undecodable.slice(0, 2), blocks: 1 },
			...undecodable.slice(2).map((frame) => ({ frames: [frame], blocks: 0, quietMs: 3 })),
			{ frames: later(stereo, 30_000_000), blocks: stereo.length - 2 },
		);
		expect(problems).toEqual([expect.stringMatching(/^audio decoder: ./)]);
		expect(errors).toBeGreaterThanOrEqual(2);
		expect(errors).toBeLessThanOrEqual(8);
		expect(blocks.length).toBeGreaterThanOrEqual(stereo.length - 2);
	});
});
