import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { AacSupport } from "../../../encoders/aac/program-audio-encoder.ts";
import { parseAudioSpecificConfig } from "../../../media/aac/audio-specific-config.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { EncodedClicks, EncodingFigures } from "./aac-in-worker.ts";

const MODULE = new URL("./aac-in-worker.ts", import.meta.url);
const CLICKS = [24_000, 48_123, 71_999, 90_500];
const MILLISECOND_SAMPLES = 48;

type Frames = EncodedClicks["frames"];

describe("ProgramAudioEncoder in Chromium", () => {
	const browser = useBrowser();
	let encoded: Promise<EncodedClicks> | undefined;
	const clicks = () => {
		encoded ??= browser.run<EncodedClicks>(MODULE, "encodeClicks", [CLICKS, 3, 0]);
		return encoded;
	};

	it("finds an encoder that works inside a dedicated worker", async () => {
		const { support, probeMs, openMs } = await clicks();
		const native = await browser.run<string>(MODULE, "nativeAnswer");
		console.log(`AAC encoder: ${support.kind}, priming ${support.primingSamples} samples`);
		console.log(`probe ${probeMs.toFixed(0)} ms, open ${openMs.toFixed(0)} ms; native says: ${native}`);
		expect(support.kind).toBe(native === "works" ? "native" : "wasm");
		expect(support.primingSamples).toBeGreaterThanOrEqual(0);
		expect(support.primingSamples).toBeLessThan(4_096);
	});

	it("gives raw AAC-LC at 48 kHz in stereo, its configuration with the first frame alone, a frame every 1,024 samples", async () => {
		const { frames } = await clicks();
		expect(parseAudioSpecificConfig(frames[0]?.config ?? new Uint8Array())).toEqual({
			objectType: 2,
			sampleRate: 48_000,
			channels: 2,
		});
		expect(frames.filter((frame) => frame.config !== undefined)).toHaveLength(1);
		expect(frames[0]?.ptsUs).toBeGreaterThanOrEqual(0);
		expect(frames[0]?.ptsUs).toBeLessThan(22_000);
		frames.forEach((frame, index) => {
			const expected = (frames[0]?.ptsUs ?? 0) + (index * 1_024 * 1e6) / 48_000;
			expect(Math.abs(frame.ptsUs - expected)).toBeLessThanOrEqual(1);
			expect(frame.data[0] === 0xff && ((frame.data[1] ?? 0) & 0xf0) === 0xf0).toBe(false); // no ADTS header
		});
		expect(frames.length).toBeGreaterThanOrEqual(Math.floor((3 * 48_000) / 1_024));
	});

	it("puts each sound where it was in the program, decoded by WebCodecs", async () => {
		const { frames } = await clicks();
		const [startUs = 0, ...samples] = await browser.run<number[]>(MODULE, "decode", [frames]);
		report("WebCodecs", samples, startUs);
		expectClicks(samples, startUs);
	});

	it("puts each sound where it was in the program, decoded by ffmpeg from FLV and from ADTS", async () => {
		const { frames } = await clicks();
		const fromFlv = ffmpegDecode("flv", flvFile(frames));
		// FLV's first time is rounded to a millisecond; samples count from there.
		const startUs = Math.floor((frames[0]?.ptsUs ?? 0) / 1_000) * 1_000;
		report("ffmpeg, FLV", fromFlv, startUs);
		expectClicks(fromFlv, startUs, MILLISECOND_SAMPLES);
		const fromAdts = ffmpegDecode("aac", adtsFile(frames));
		report("ffmpeg, ADTS", fromAdts, frames[0]?.ptsUs ?? 0);
		expectClicks(fromAdts, frames[0]?.ptsUs ?? 0);
	});

	it("takes off what the sound was late already when it came", async () => {
		const late = CLICKS.map((at) => at + 72);
		const { frames } = await browser.run<EncodedClicks>(MODULE, "encodeClicks", [late, 3, 72]);
		expectClicks(ffmpegDecode("aac", adtsFile(frames)), frames[0]?.ptsUs ?? 0);
	});

	it("encodes faster than the sound plays, without holding up its worker", async () => {
		const support = (await clicks()).support satisfies AacSupport;
		const figures = await browser.run<EncodingFigures>(MODULE, "timeEncoding", [20, support]);
		const at = (share: number) => (figures.roundTripMs[Math.floor(figures.roundTripMs.length * share)] ?? 0).toFixed(2);
		console.log(
			`AAC for each second of sound: ${figures.pushMsPerSecond.toFixed(2)} ms in push (longest ${figures.longestPushMs.toFixed(2)} ms), ` +
				`${figures.elapsedMsPerSecond.toFixed(1)} ms from end to end; push to frame p50 ${at(0.5)} ms, p95 ${at(0.95)} ms; ` +
				`${figures.samplesHeldBack} samples held back; ${Math.round(figures.bitrateBps)} b/s`,
		);
		expect(figures.samplesHeldBack).toBeLessThanOrEqual(2 * 1_024);
		expect(figures.bitrateBps).toBeGreaterThan(100_000);
		expect(figures.bitrateBps).toBeLessThan(160_000);
	});

	it("refuses to start without an encoder, and says why for each", async () => {
		const answer = await browser.run<string>(MODULE, "probeWithoutEncoders");
		expect(answer).toContain("NoAacEncoderError: audio encoder: expected one that can encode AAC, got native: ");
		expect(answer).toContain("wasm: no workers here");
	});
});

/** Distances of the loudest sample near each click from its place in the program, in samples. */
function clickErrors(samples: readonly number[], startUs: number): number[] {
	const start = (startUs * 48_000) / 1e6;
	return CLICKS.map((at) => {
		const around = Math.round(at - start) - 6_000;
		let loudest = around;
		for (let index = around; index < around + 12_000; index += 1) {
			loudest = (samples[index] ?? 0) > (samples[loudest] ?? 0) ? index : loudest;
		}
		expect(samples[loudest]).toBeGreaterThan(0.3);
		return loudest + start - at;
	});
}

function report(decoder: string, samples: readonly number[], startUs: number): void {
	const errors = clickErrors(samples, startUs).map((error) => error.toFixed(1));
	console.log(`clicks decoded by ${decoder} are late by ${errors.join(", ")} samples`);
}

function expectClicks(samples: readonly number[], startUs: number, tolerance = 2): void {
	for (const error of clickErrors(samples, startUs)) {
		expect(Math.abs(error)).toBeLessThanOrEqual(tolerance);
	}
}

function flvFile(frames: Frames): Uint8Array {
	const writer = new FlvFrameWriter();
	const tags = frames.flatMap(({ ptsUs, data, config }) => {
		const frame = { track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs, data } as const;
		return writer.push(config === undefined ? frame : { ...frame, config });
	});
	return Buffer.concat([flvHeader(), ...tags.map((tag) => flvTagBytes(tag))]);
}

/** ADTS, ISO/IEC 14496-3 §1.A.2: AAC-LC, 48 kHz, stereo. */
function adtsFile(frames: Frames): Uint8Array {
	return Buffer.concat(
		frames.flatMap(({ data }) => {
			const length = data.length + 7;
			const header = [0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc];
			return [Uint8Array.from(header), data];
		}),
	);
}

/** The left side, as ffmpeg decodes it. */
function ffmpegDecode(format: "flv" | "aac", file: Uint8Array): number[] {
	const args = ["-v", "error", "-f", format, "-i", "pipe:0", "-f", "f32le", "-ac", "2", "-ar", "48000", "pipe:1"];
	const { stdout, stderr, status } = spawnSync("ffmpeg", args, { input: file, maxBuffer: 64 * 1024 * 1024 });
	expect(`${status} ${stderr.toString()}`).toBe("0 ");
	const interleaved = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength));
	return [...interleaved.filter((_, index) => index % 2 === 0)];
}
