import { ByteReader } from "../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../media/bytes/byte-writer.ts";
import { audioFrameBody } from "../../media/flv/audio-body.ts";
import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { videoFrameBody } from "../../media/flv/video-body.ts";
import { noise } from "../noise.ts";

/** When a tag was sent, by the machine's monotonic clock, which all its processes and threads share. */
export interface BurntClock {
	/** Counts the publisher's tags. */
	readonly number: number;
	readonly sentAtMs: number;
}

/** Tells tags with a clock from those that the Router makes by itself. */
const MARK = 0x7a_c1_0c_4d;
/** u32 mark, u32 number, f64 time. */
const CLOCK_BYTES = 4 + 4 + 8;
/** Ahead of a picture's clock, in the sample: the NAL unit's length and its header. */
const NAL_HEAD_BYTES = 4 + 1;
const NAL_HEADER = { key: 0x65, inter: 0x41 } as const;
/** Of the FLV tag body: frame type, codec, packet type, composition time; format and packet type (Adobe FLV 10.1 §E.4.2–E.4.3). */
const HEAD_BYTES = { video: 5, audio: 2 } as const;
const CLOCK_AT = { [TAG_TYPE.video]: HEAD_BYTES.video + NAL_HEAD_BYTES, [TAG_TYPE.audio]: HEAD_BYTES.audio } as const;

export type ClockedKind = "key" | "inter" | "sound";

/** The monotonic clock in milliseconds, alike in every process and thread of this machine. */
export function monotonicMs(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}

/** A tag body of `bytes` bytes with a place for a clock; the rest is noise. */
export function clockedBody(kind: ClockedKind, bytes: number): Uint8Array {
	if (kind === "sound") {
		return audioFrameBody("aac", noise(bytes - HEAD_BYTES.audio));
	}
	const data = noise(bytes - HEAD_BYTES.video);
	const nal = new ByteWriter(NAL_HEAD_BYTES).u32(data.byteLength - 4).u8(NAL_HEADER[kind]);
	data.set(nal.finish());
	return videoFrameBody("avc", kind === "key", 0, data);
}

/** Writes the clock into a body made by {@link clockedBody}. */
export function burnClock({ type, body }: Pick<FlvTag, "type" | "body">, { number, sentAtMs }: BurntClock): void {
	body.set(new ByteWriter(CLOCK_BYTES).u32(MARK).u32(number).f64(sentAtMs).finish(), clockAt(type));
}

/** `undefined` for a tag that has none. */
export function readClock({ type, body }: Pick<FlvTag, "type" | "body">): BurntClock | undefined {
	const at = type === TAG_TYPE.script ? undefined : clockAt(type);
	if (at === undefined || body.byteLength < at + CLOCK_BYTES) {
		return undefined;
	}
	const reader = new ByteReader(body.subarray(at, at + CLOCK_BYTES));
	return reader.u32() === MARK ? { number: reader.u32(), sentAtMs: reader.f64() } : undefined;
}

function clockAt(type: FlvTag["type"]): number {
	if (type === TAG_TYPE.script) {
		throw new TypeError("clocked body: expected sound or a picture, got script data");
	}
	return CLOCK_AT[type];
}
