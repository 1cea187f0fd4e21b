import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { parseVideoBody } from "../../../media/flv/video-body.ts";
import type { Rect } from "../../../media/layout.ts";
import { unwrapNearMs } from "../../../media/timestamp.ts";
import { mustRun, runTool } from "../peers/run-tool.ts";
import { i420Bytes, type Plane } from "../program/picture.ts";
import { rawPictures } from "../program/raw-pictures.ts";
import { type FrameCode, readFrameCode } from "./frame-code.ts";
import type { ReceivedSession, ReceivedTag } from "./received.ts";
import type { HeardPacket, SeenFrame, Timeline } from "./timeline.ts";
import { AUDIO_FRAME_SAMPLES, SOUND_RATE, toneStrength } from "./tone-strength.ts";

export interface DecodeReceivedOptions {
	/** Of the program. Every picture is brought to this size. */
	readonly width: number;
	readonly height: number;
	/** Where people may be shown; each is tried in every picture. */
	readonly places: readonly Rect[];
	readonly tonesHz: readonly number[];
}

/** Times that are given to ffmpeg, whatever the stream's own are: so that a picture can be told to be its tag's, and broken times break nothing. */
const STEP_MS = 10;
/** The decoder may keep the last of a session's sound to itself. */
const MAX_MISSING_PACKETS = 3;

/** Decodes all that a destination was sent. Throws where a decoder will not, or where pictures come out of order, which this cannot tell apart. */
export async function decodeReceived(
	sessions: readonly ReceivedSession[],
	options: DecodeReceivedOptions,
): Promise<Timeline> {
	const folder = mkdtempSync(join(tmpdir(), "tandem-judge-"));
	try {
		const frames: SeenFrame[] = [];
		const sound: HeardPacket[] = [];
		const splices: Timeline["splices"][number][] = [];
		const complaints: string[] = [];
		let nearMs: number | undefined;
		for (const [index, session] of sessions.entries()) {
			const tags = session.tags.filter((tag) => tag.type !== TAG_TYPE.script);
			const timed: TimedTag[] = tags.map((tag) => {
				nearMs = nearMs === undefined ? tag.timestampMs : unwrapNearMs(tag.timestampMs, nearMs);
				return { tag, timeMs: nearMs, kind: tagKind(tag) };
			});
			const video = timed.filter(({ tag }) => tag.type === TAG_TYPE.video);
			const audio = timed.filter(({ tag }) => tag.type === TAG_TYPE.audio);
			frames.push(...(await seeFrames(join(folder, "video.flv"), video, index, options)));
			sound.push(...(await hearPackets(join(folder, "audio.flv"), audio, index, options.tonesHz)));
			splices.push(...splicesOf(video));
			complaints.push(...(await probe(join(folder, "session.flv"), session)));
		}
		return {
			sessions: sessions.map(({ startedAtMs, endedAtMs }) => ({ startedAtMs, endedAtMs })),
			frames,
			sound,
			splices,
			complaints,
		};
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

interface TimedTag {
	readonly tag: ReceivedTag;
	readonly timeMs: number;
	readonly kind: string;
}

function isFrame({ kind }: TimedTag): boolean {
	return kind === "video-key" || kind === "video-inter";
}

function splicesOf(video: readonly TimedTag[]): { arrivedAtMs: number; timeMs: number }[] {
	const [, ...later] = video.filter(({ kind }) => kind === "video-config");
	return later.map(({ tag, timeMs }) => ({ arrivedAtMs: tag.arrivedAtMs, timeMs }));
}

/** The tags as a file whose frames are {@link STEP_MS} apart. */
function writeEvenly(path: string, tags: readonly TimedTag[], frames: readonly TimedTag[]): void {
	const counted = new Set(frames);
	let index = -1;
	const bytes = tags.map((timed) => {
		index += counted.has(timed) ? 1 : 0;
		return flvTagBytes({ ...timed.tag, timestampMs: Math.max(0, index) * STEP_MS });
	});
	writeFileSync(path, Buffer.concat([flvHeader(), ...bytes]));
}

async function seeFrames(
	path: string,
	video: readonly TimedTag[],
	session: number,
	options: DecodeReceivedOptions,
): Promise<SeenFrame[]> {
	const frames = video.filter(isFrame);
	const reordered = frames.find(({ tag }) => compositionTimeMs(tag) !== 0);
	if (reordered !== undefined) {
		throw new Error(`judge: expected pictures in order, got one out of order at ${reordered.timeMs} ms`);
	}
	if (frames.length === 0) {
		return [];
	}
	writeEvenly(path, video, frames);
	const codes = await readCodes(path, frames.length, options);
	return frames.map(({ tag, timeMs, kind }, index) => ({
		arrivedAtMs: tag.arrivedAtMs,
		timeMs,
		session,
		key: kind === "video-key",
		codes: codes[index] ?? [],
	}));
}

function compositionTimeMs(tag: ReceivedTag): number {
	const body = parseVideoBody(tag.body);
	return "compositionTimeMs" in body ? body.compositionTimeMs : 0;
}

/** The codes in each of `count` pictures, none for a picture that does not decode. */
async function readCodes(path: string, count: number, options: DecodeReceivedOptions): Promise<FrameCode[][]> {
	const { width, height, places } = options;
	const child = spawn(
		"ffmpeg",
		[
			...["-v", "info", "-nostdin", "-nostats", "-copyts", "-i", path, "-map", "0:v:0"],
			...["-vf", `scale=${width}:${height},format=yuv420p,showinfo=checksum=0`],
			...["-fps_mode", "passthrough", "-f", "rawvideo", "-"],
		],
		{ stdio: ["ignore", "pipe", "pipe"] },
	);
	const ended = once(child, "close");
	// Which of the tags each picture is of.
	const indices: number[] = [];
	createInterface({ input: child.stderr }).on("line", (line) => {
		const [, pts] = /Parsed_showinfo.*\bpts:\s*(-?\d+)/.exec(line) ?? [];
		if (pts !== undefined) {
			indices.push(Math.round(Number(pts) / STEP_MS));
		}
	});
	const read: FrameCode[][] = [];
	for await (const picture of rawPictures(child.stdout, i420Bytes(width, height))) {
		read.push(codesIn({ width, height, samples: picture.subarray(0, width * height) }, places));
	}
	const [exitCode] = await ended;
	if (exitCode !== 0 || indices.length !== read.length) {
		throw new Error(
			`judge: expected ffmpeg to decode ${count} pictures, got exit code ${exitCode}, ${read.length} pictures, ${indices.length} times`,
		);
	}
	const codes: FrameCode[][] = Array.from({ length: count }, () => []);
	read.forEach((each, at) => {
		codes[indices[at] ?? -1] = each;
	});
	return codes;
}

function codesIn(plane: Plane, places: readonly Rect[]): FrameCode[] {
	const codes: FrameCode[] = [];
	for (const place of places) {
		const code = readFrameCode(plane, place);
		if (code !== undefined && !codes.some(({ id }) => id === code.id)) {
			codes.push(code);
		}
	}
	return codes;
}

async function hearPackets(
	path: string,
	audio: readonly TimedTag[],
	session: number,
	tonesHz: readonly number[],
): Promise<HeardPacket[]> {
	const packets = audio.filter(({ kind }) => kind === "audio");
	if (packets.length === 0) {
		return [];
	}
	writeEvenly(path, audio, packets);
	const bytes = await mustRun("ffmpeg", [
		...["-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", String(SOUND_RATE)],
		...["-f", "f32le", "-"],
	]);
	const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
	const missing = packets.length - samples.length / AUDIO_FRAME_SAMPLES;
	if (Math.abs(missing) > MAX_MISSING_PACKETS) {
		throw new Error(`judge: expected ${packets.length} packets of sound to decode, ${missing} did not`);
	}
	return packets.map(({ tag, timeMs }, index) => {
		const part = samples.subarray(index * AUDIO_FRAME_SAMPLES, (index + 1) * AUDIO_FRAME_SAMPLES);
		return {
			arrivedAtMs: tag.arrivedAtMs,
			timeMs,
			session,
			rms: Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, part.length)),
			tones: tonesHz.map((toneHz) => toneStrength(part, toneHz)),
		};
	});
}

/** What ffprobe says of a session as it came, times and all. */
async function probe(path: string, { tags }: ReceivedSession): Promise<string[]> {
	writeFileSync(path, Buffer.concat([flvHeader(), ...tags.map((tag) => flvTagBytes(tag))]));
	const { code, stderr } = await runTool("ffprobe", ["-v", "warning", "-count_packets", "-show_streams", path]);
	const said = stderr.split("\n").filter((line) => line.trim() !== "");
	return code === 0 ? said : [`ffprobe ended with exit code ${code}`, ...said];
}
