import { spawnSync } from "node:child_process";
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import type { EncodedAudioFrame, EncodedFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { FlvTagReader } from "../../../media/flv/tag-reader.ts";

/** Media made by ffmpeg on the spot, as the frames that a Router's subscriber gets. */

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export interface MadeVideo {
	readonly frames: number;
	readonly width?: number;
	readonly height?: number;
	readonly rate?: number;
	/** Frames from one key frame to the next. */
	readonly group?: number;
	readonly bFrames?: number;
}

/** Brightness of picture `index` of a made video: it tells which one a decoded picture is. */
export function lumaOf(index: number): number {
	return 24 + (index % 50) * 4;
}

/** ffmpeg's input for such pictures. */
export function pictures({ frames, width = 320, height = 180, rate = 30 }: MadeVideo): string[] {
	const grey = `nullsrc=size=${width}x${height}:rate=${rate},format=yuv420p,geq=lum='24+mod(N,50)*4':cb=128:cr=128`;
	return ["-f", "lavfi", "-i", grey, "-frames:v", `${frames}`];
}

/** Runs ffmpeg and gives what it writes to its standard output. */
export function ffmpeg(...args: readonly string[]): Uint8Array {
	const run = spawnSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-nostdin", ...args, "pipe:1"], {
		maxBuffer: MAX_OUTPUT_BYTES,
	});
	if (run.status !== 0) {
		throw new Error(`ffmpeg: expected success, got ${run.status}: ${run.stderr}`);
	}
	return new Uint8Array(run.stdout);
}

export function flvTags(bytes: Uint8Array): FlvTag[] {
	return new FlvTagReader().push(bytes);
}

export function framesOf(tags: readonly FlvTag[]): EncodedFrame[] {
	const reader = new FlvFrameReader();
	return tags.flatMap((tag) => reader.push(tag));
}

/** H.264: Baseline, or Main with B-frames; the configuration comes first, in a frame of its own. Picture n has brightness `lumaOf(n)`. */
export function h264(video: MadeVideo): EncodedVideoFrame[] {
	const bFrames = video.bFrames ?? 0;
	const group = `${video.group ?? 30}`;
	const flv = ffmpeg(
		...pictures(video),
		...["-c:v", "libx264", "-preset", "veryfast", "-qp", "16", "-pix_fmt", "yuv420p"],
		...["-profile:v", bFrames > 0 ? "main" : "baseline", "-bf", `${bFrames}`],
		...["-g", group, "-keyint_min", group, "-sc_threshold", "0", "-flvflags", "no_duration_filesize", "-f", "flv"],
	);
	return framesOf(flvTags(flv)).filter((frame) => frame.track === "video");
}

/** A tone in AAC; the configuration comes first, in a frame of its own. */
export function aac(sound: {
	readonly seconds: number;
	readonly hz: number;
	readonly sampleRate: number;
	readonly channels: 1 | 2;
}): EncodedAudioFrame[] {
	const { seconds, hz, sampleRate, channels } = sound;
	const flv = ffmpeg(
		...["-f", "lavfi", "-i", `sine=frequency=${hz}:sample_rate=${sampleRate}:duration=${seconds}`],
		...["-ac", `${channels}`, "-c:a", "aac", "-b:a", "96k", "-flvflags", "no_duration_filesize", "-f", "flv"],
	);
	return framesOf(flvTags(flv)).filter((frame) => frame.track === "audio");
}

/** VP8 or VP9 as a stream that describes itself. */
export async function vpx(codec: "vp8" | "vp9", video: MadeVideo): Promise<EncodedVideoFrame[]> {
	const encoder = codec === "vp8" ? "libvpx" : "libvpx-vp9";
	const webm = ffmpeg(
		...pictures(video),
		...["-c:v", encoder, "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-lag-in-frames", "0"],
		...["-auto-alt-ref", "0", "-g", `${video.group ?? 30}`, "-f", "webm"],
	);
	const input = new Input({ source: new BufferSource(webm), formats: ALL_FORMATS });
	const track = await input.getPrimaryVideoTrack();
	if (track === null) {
		throw new Error("webm: expected a video track, got none");
	}
	const frames: EncodedVideoFrame[] = [];
	for await (const packet of new EncodedPacketSink(track).packets()) {
		const ptsUs = packet.microsecondTimestamp;
		frames.push({ track: "video", codec, keyFrame: packet.type === "key", ptsUs, dtsUs: ptsUs, data: packet.data });
	}
	return frames;
}

export async function opus(seconds: number, hz: number): Promise<EncodedAudioFrame[]> {
	const webm = ffmpeg(
		...["-f", "lavfi", "-i", `sine=frequency=${hz}:sample_rate=48000:duration=${seconds}`],
		...["-ac", "2", "-c:a", "libopus", "-frame_duration", "20", "-f", "webm"],
	);
	const input = new Input({ source: new BufferSource(webm), formats: ALL_FORMATS });
	const track = await input.getPrimaryAudioTrack();
	if (track === null) {
		throw new Error("webm: expected an audio track, got none");
	}
	const frames: EncodedAudioFrame[] = [];
	for await (const packet of new EncodedPacketSink(track).packets()) {
		const ptsUs = packet.microsecondTimestamp;
		frames.push({ track: "audio", codec: "opus", keyFrame: true, ptsUs, dtsUs: ptsUs, data: packet.data });
	}
	return frames;
}

/** The same frames `byUs` later. */
export function later<F extends EncodedFrame>(frames: readonly F[], byUs: number): F[] {
	return frames.map((frame) => ({ ...frame, ptsUs: frame.ptsUs + byUs, dtsUs: frame.dtsUs + byUs }));
}
