import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAudioSpecificConfig, writeAudioSpecificConfig } from "../../../media/aac/audio-specific-config.ts";
import { aacFrameDurationUs } from "../../../media/aac/frame-duration.ts";
import { AAC_FRAME_SAMPLES, silentAacFrame } from "../../../media/aac/silence.ts";
import { avccToAnnexB } from "../../../media/avc/annex-b.ts";
import { parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { parseSps, type Sps } from "../../../media/avc/sps.ts";
import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { FlvTagReader } from "../../../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { usToMs } from "../../../media/units.ts";
import { concat, hex } from "./hex.ts";
import { readIvf, writeIvf } from "./ivf.ts";

/** Real footage, where the machine has some. */
const FOOTAGE = "/work/shared/media/bbb.flv";

let directory = "";
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "tandem-media-"));
});
afterAll(() => {
	rmSync(directory, { recursive: true });
});

function ffmpeg(...args: readonly string[]): string {
	const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", ...args], { encoding: "utf8" });
	expect(run.status, run.stderr).toBe(0);
	return run.stderr;
}

function ffprobe(file: string, ...args: readonly string[]): string {
	const run = spawnSync("ffprobe", ["-v", "warning", ...args, file], { encoding: "utf8" });
	expect(run.stderr).toBe("");
	expect(run.status).toBe(0);
	return run.stdout;
}

interface ProbedPacket {
	readonly codec_type: "video" | "audio";
	readonly pts: number;
	readonly dts: number;
	readonly size: string;
	readonly flags: string;
}

function probePackets(file: string): ProbedPacket[] {
	const entries = "packet=codec_type,pts,dts,size,flags";
	return JSON.parse(ffprobe(file, "-show_packets", "-show_entries", entries, "-of", "json")).packets;
}

function readFrames(file: string): EncodedFrame[] {
	const reader = new FlvFrameReader();
	return new FlvTagReader().push(Uint8Array.from(readFileSync(file))).flatMap((tag) => reader.push(tag));
}

function writeFile(name: string, frames: readonly EncodedFrame[]): string {
	const writer = new FlvFrameWriter();
	const file = join(directory, name);
	writeFileSync(file, concat(flvHeader(), ...frames.flatMap((frame) => writer.push(frame)).map(flvTagBytes)));
	return file;
}

/** What ffprobe says of a packet, said of a frame. */
function asPacket(frame: EncodedFrame): ProbedPacket {
	return {
		codec_type: frame.track,
		pts: usToMs(frame.ptsUs),
		dts: usToMs(frame.dtsUs),
		size: `${frame.data.byteLength}`,
		flags: frame.keyFrame ? "K_" : "__",
	};
}

/** Frames with data; their order between the tracks is the file's. */
function coded(frames: readonly EncodedFrame[]): EncodedFrame[] {
	return frames.filter(({ data }) => data.byteLength > 0);
}

function expectSamePackets(frames: readonly EncodedFrame[], file: string): void {
	const packets = probePackets(file);
	for (const track of ["video", "audio"] as const) {
		const ours = coded(frames).filter((frame) => frame.track === track);
		expect(ours.length).toBeGreaterThan(0);
		expect(ours.map(asPacket)).toEqual(packets.filter(({ codec_type }) => codec_type === track));
	}
}

function configOf(frames: readonly EncodedFrame[], track: EncodedFrame["track"]): Uint8Array {
	const config = frames.find((frame) => frame.track === track && frame.config !== undefined)?.config;
	return config ?? expect.fail(`expected a ${track} configuration, got none`);
}

function spsOf(frames: readonly EncodedFrame[]): Sps {
	const [sps] = parseAvcConfig(configOf(frames, "video")).sps;
	return sps === undefined ? expect.fail("expected a sequence parameter set, got none") : parseSps(sps);
}

/** A hash of every decoded picture and block of samples, with its time. */
function decodedHashes(file: string): string {
	const hashes = execFileSync("ffmpeg", ["-v", "error", "-xerror", "-i", file, "-f", "framemd5", "-"], {
		encoding: "utf8",
	});
	expect(hashes).toMatch(/^\d/m);
	return hashes;
}

/** flvmeta: no onMetaData event, and so no picture size. RTMP's publisher sends both; a file of frames alone has neither. */
const NO_METADATA = ["warning W70060", "warning W60079"];

/** What `flvmeta -C` finds, as "severity code". */
function flvmetaFindings(file: string): string[] {
	const run = spawnSync("flvmeta", ["-C", file], { encoding: "utf8" });
	expect(run.error).toBeUndefined();
	expect(run.stdout).toMatch(/\d+ error\(s\), \d+ warning\(s\)/);
	return Array.from(run.stdout.matchAll(/: ((?:fatal|error|warning|info) [A-Z]\d+)/g), (match) => match[1] ?? "");
}

describe("ffmpeg's FLV, H.264 with B-frames and AAC", () => {
	let made = "";
	beforeAll(() => {
		made = join(directory, "made.flv");
		const inputs = [
			"-f",
			"lavfi",
			"-i",
			"testsrc2=s=854x480:r=30",
			"-f",
			"lavfi",
			"-i",
			"sine=frequency=440:sample_rate=44100",
		];
		const video = [
			"-c:v",
			"libx264",
			"-preset",
			"ultrafast",
			"-pix_fmt",
			"yuv420p",
			"-profile:v",
			"main",
			"-bf",
			"2",
			"-g",
			"30",
		];
		ffmpeg(...inputs, ...video, "-c:a", "aac", "-t", "2", made);
	});

	test("is read as ffprobe reads it: count, times, sizes, key frames", () => {
		expectSamePackets(readFrames(made), made);
	});

	test("tells its size, frame rate, reordering and sound", () => {
		const frames = readFrames(made);
		expect(spsOf(frames)).toMatchObject({ width: 854, height: 480, frameRate: 30, maxReorderFrames: 2 });
		expect(parseAudioSpecificConfig(configOf(frames, "audio"))).toEqual({
			objectType: 2,
			sampleRate: 44100,
			channels: 1,
		});
	});

	test("comes out of our frame writer as it was, by ffprobe's reading and to the decoded picture and sample", () => {
		const ours = writeFile("rewritten.flv", readFrames(made));
		expect(probePackets(ours)).toEqual(probePackets(made));
		expect(decodedHashes(ours)).toBe(decodedHashes(made));
	});

	test("comes out of our frame writer without an error by flvmeta, nor a warning but for missing metadata", () => {
		expect(flvmetaFindings(writeFile("checked.flv", readFrames(made)))).toEqual(NO_METADATA);
	});

	test("comes out of our tag writer byte for byte, script and end of sequence included", () => {
		const original = readFileSync(made);
		const tags = new FlvTagReader().push(original);
		expect(Buffer.concat([flvHeader(), ...tags.map(flvTagBytes)]).equals(original)).toBe(true);
	});

	test("holds Annex B that ffmpeg decodes without a container", () => {
		const frames = readFrames(made);
		const pictures = coded(frames).filter(({ track }) => track === "video");
		const { sps, pps } = parseAvcConfig(configOf(frames, "video"));
		const parameterSets = [...sps, ...pps].flatMap((nal) => [hex("00000001"), nal]);
		const file = join(directory, "stream.h264");
		writeFileSync(file, concat(...parameterSets, ...pictures.map(({ data }) => avccToAnnexB(data))));
		const count = ffprobe(file, "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0");
		expect(Number.parseInt(count, 10)).toBe(pictures.length);
	});
});

/** Every configuration that silence is known for, at rates with an index of their own; HE-AAC and its mono core with parametric stereo. */
const SILENT: readonly {
	readonly name: string;
	readonly config: Uint8Array;
	readonly samples: number;
	readonly channels: number;
}[] = [
	...[1, 2, 3, 4, 5, 6, 8].flatMap((channels) =>
		[48000, 44100, 32000, 22050, 8000].map((sampleRate) => ({
			name: `${channels} channels at ${sampleRate} Hz`,
			config: writeAudioSpecificConfig({ objectType: 2, sampleRate, channels }),
			samples: AAC_FRAME_SAMPLES,
			channels,
		})),
	),
	{ name: "960-sample frames", config: hex("1194"), samples: 960, channels: 2 },
	{ name: "HE-AAC", config: hex("2b118800"), samples: 2 * AAC_FRAME_SAMPLES, channels: 2 },
	{ name: "HE-AAC signalled after its core", config: hex("1310 56e598"), samples: 2 * AAC_FRAME_SAMPLES, channels: 2 },
	{ name: "HE-AAC v2", config: hex("eb098800"), samples: 2 * AAC_FRAME_SAMPLES, channels: 2 },
];

/** Samples of all channels as ffmpeg decodes them. */
function decodedSamples(file: string): Int16Array {
	const samples = execFileSync("ffmpeg", ["-v", "error", "-xerror", "-i", file, "-f", "s16le", "-"]);
	return new Int16Array(Uint8Array.from(samples).buffer);
}

test.each(SILENT)("silence of $name is decoded to zeros, as long as its frames are said to be", (row) => {
	const { config, samples, channels } = row;
	const frameUs = aacFrameDurationUs(config) ?? expect.fail("expected a duration, got none");
	const frames = Array.from({ length: 20 }, (_, index): EncodedFrame => {
		const ptsUs = index * frameUs;
		const data = silentAacFrame(config) ?? expect.fail("expected a frame, got none");
		const audio = { track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs } as const;
		return { ...audio, data, ...(index === 0 ? { config } : {}) };
	});
	const file = writeFile("silence.flv", frames);
	const decoded = decodedSamples(file);
	expect(decoded.length).toBe(20 * samples * channels);
	expect(decoded.every((sample) => sample === 0)).toBe(true);
	const stream = ffprobe(file, "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0").trim();
	expect(stream).toBe(`${Math.round((samples * 1e6) / frameUs)},${channels}`);
});

test.each([1, 2, 6])("silence after sound of %d channels fades within a frame and then is zeros", (channels) => {
	const made = join(directory, "noise.flv");
	const noise = ["-f", "lavfi", "-i", "anoisesrc=r=44100:d=0.5:a=0.5", "-ac", `${channels}`];
	ffmpeg(...noise, "-c:a", "aac", "-b:a", "128k", made);
	const sound = readFrames(made);
	const config = configOf(sound, "audio");
	const frameUs = aacFrameDurationUs(config) ?? expect.fail("expected a duration, got none");
	const lastUs = Math.max(...sound.map(({ ptsUs }) => ptsUs));
	const silence = Array.from({ length: 10 }, (_, index): EncodedFrame => {
		const ptsUs = lastUs + (index + 1) * frameUs;
		const data = silentAacFrame(config) ?? expect.fail("expected a frame, got none");
		return { track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs, data };
	});
	const decoded = decodedSamples(writeFile("noise-then-silence.flv", [...sound, ...silence]));
	const frameLength = AAC_FRAME_SAMPLES * channels;
	expect(decoded.length).toBe((coded(sound).length + 10) * frameLength);
	const lastOfSound = decoded.subarray(-11 * frameLength, -10 * frameLength);
	expect(lastOfSound.some((sample) => Math.abs(sample) > 100)).toBe(true);
	expect(decoded.subarray(-9 * frameLength).every((sample) => sample === 0)).toBe(true);
});

/** ffmpeg 5.1 reads no Enhanced RTMP, so real streams go through our writer and reader and back into the container they came in. */
test.each([
	{ codec: "vp8", encoder: ["libvpx", "-deadline", "realtime", "-cpu-used", "8"] },
	{ codec: "vp9", encoder: ["libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"] },
	{ codec: "av1", encoder: ["libaom-av1", "-usage", "realtime", "-cpu-used", "8"] },
] as const)(
	"ffmpeg's $codec decodes to the same pictures after our Enhanced writer and reader",
	({ codec, encoder }) => {
		const made = join(directory, `${codec}.ivf`);
		const pattern = [
			"-f",
			"lavfi",
			"-i",
			"testsrc2=s=320x180:r=25",
			"-frames:v",
			"12",
			"-g",
			"6",
			"-pix_fmt",
			"yuv420p",
		];
		ffmpeg(...pattern, "-c:v", ...encoder, made);
		const { header, frames } = readIvf(made);
		const sent = frames.map((data, index): EncodedFrame => {
			const ptsUs = index * 40_000;
			return { track: "video", codec, keyFrame: index % 6 === 0, ptsUs, dtsUs: ptsUs, data };
		});
		const received = readFrames(writeFile(`${codec}.flv`, sent));
		expect(received).toEqual(sent);
		const back = join(directory, `${codec}-back.ivf`);
		writeIvf(back, { header, frames: received.map(({ data }) => data) });
		expect(decodedHashes(back)).toBe(decodedHashes(made));
	},
);

describe.runIf(existsSync(FOOTAGE))("real footage", () => {
	test("is read as ffprobe reads it, and has the size ffprobe gives", () => {
		const frames = readFrames(FOOTAGE);
		expectSamePackets(frames, FOOTAGE);
		const { width, height } = spsOf(frames);
		const probed = ffprobe(FOOTAGE, "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0");
		expect(`${width},${height}`).toBe(probed.trim());
	});

	test("comes out of our frame writer as it was, and without an error by flvmeta", () => {
		const ours = writeFile("footage.flv", readFrames(FOOTAGE));
		expect(probePackets(ours)).toEqual(probePackets(FOOTAGE));
		expect(flvmetaFindings(ours)).toEqual(NO_METADATA);
	});
});
