import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import { flvTagBytes } from "../../../media/flv/tag-writer.ts";

/** avcC records as libx264 writes them (Main profile). */
const AVCC_720P = "014d401fffe10017674d401fda014016ec0440000003004000000f03c60ca801000568ef0f2c80";
const AVCC_360P = "014d401effe10019674d401eda0280bfe5c044000003000400000300f03c58ba8001000568ef0f2c80";
/** AudioSpecificConfig: AAC-LC, 48 kHz, stereo. */
const ASC_48K_STEREO = "1190";
/** The same at 44.1 kHz. */
const ASC_44K_STEREO = "1210";

export function hex(text: string): Uint8Array {
	return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function videoConfig(timestampMs: number, size: "720p" | "360p" = "720p"): FlvTag {
	return video(timestampMs, `1700000000${size === "720p" ? AVCC_720P : AVCC_360P}`);
}

export function audioConfig(timestampMs: number, rate: "48k" | "44k" = "48k"): FlvTag {
	return audio(timestampMs, `af00${rate === "48k" ? ASC_48K_STEREO : ASC_44K_STEREO}`);
}

/** A key frame whose one NAL unit holds `mark`, so that a test can tell frames apart. */
export function keyFrame(timestampMs: number, mark = 0, padding = 0): FlvTag {
	return marked(timestampMs, "17", mark, padding);
}

export function interFrame(timestampMs: number, mark = 0, padding = 0): FlvTag {
	return marked(timestampMs, "27", mark, padding);
}

export function sound(timestampMs: number, mark = 0): FlvTag {
	return audio(timestampMs, `af01${byte(mark)}`);
}

export function hevcKeyFrame(timestampMs: number): FlvTag {
	return video(timestampMs, "1c0100000000000001260000");
}

export function script(timestampMs: number): FlvTag {
	return { type: TAG_TYPE.script, timestampMs, body: hex("02000a6f6e4d65746144617461") };
}

/** One WS-FLV message of its own memory, as a socket gives it. */
export function message(tag: FlvTag): ArrayBuffer {
	return new Uint8Array(flvTagBytes(tag)).buffer;
}

/** `seconds` of a 25 fps program with a key frame each second and sound every 20 ms, time from `fromMs`, configurations first. */
export function program(fromMs: number, seconds: number): FlvTag[] {
	const tags: FlvTag[] = [videoConfig(fromMs), audioConfig(fromMs)];
	for (let atMs = 0; atMs < seconds * 1_000; atMs += 20) {
		if (atMs % 40 === 0) {
			tags.push(atMs % 1_000 === 0 ? keyFrame(fromMs + atMs) : interFrame(fromMs + atMs));
		}
		tags.push(sound(fromMs + atMs));
	}
	return tags;
}

function marked(timestampMs: number, head: string, mark: number, padding: number): FlvTag {
	const nal = hex(`65${byte(mark)}`);
	const body = new Uint8Array(9 + nal.byteLength + padding);
	body.set(hex(`${head}01000000`)); // AVC frame, composition time 0
	new DataView(body.buffer).setUint32(5, nal.byteLength + padding);
	body.set(nal, 9);
	return { type: TAG_TYPE.video, timestampMs, body };
}

function video(timestampMs: number, body: string): FlvTag {
	return { type: TAG_TYPE.video, timestampMs, body: hex(body) };
}

function audio(timestampMs: number, body: string): FlvTag {
	return { type: TAG_TYPE.audio, timestampMs, body: hex(body) };
}

function byte(value: number): string {
	return value.toString(16).padStart(2, "0");
}
