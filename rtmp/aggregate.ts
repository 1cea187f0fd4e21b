import { ByteReader } from "../media/bytes/byte-reader.ts";
import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";

/**
 * The messages inside an aggregate (RTMP 1.0 §7.1.6), which are framed as FLV tags: type, 24-bit size, 24-bit time, 8 more bits of time,
 * 24-bit stream id, body, 32-bit back pointer. Their times count from the first one's, which happened at the aggregate's own time.
 */
export function readAggregate(timestampMs: number, payload: Uint8Array): FlvTag[] {
	const reader = new ByteReader(payload);
	const tags: FlvTag[] = [];
	let firstMs: number | undefined;
	while (reader.remaining > 0) {
		const type = reader.u8();
		const length = reader.u24();
		const lowTime = reader.u24();
		const ownMs = reader.u8() * 0x1000000 + lowTime;
		reader.skip(3);
		const body = reader.bytes(length);
		reader.skip(4);
		firstMs ??= ownMs;
		if (type === TAG_TYPE.audio || type === TAG_TYPE.video || type === TAG_TYPE.script) {
			tags.push({ type, timestampMs: (timestampMs + ownMs - firstMs) >>> 0, body });
		}
	}
	return tags;
}
