import { readFile } from "node:fs/promises";
import { ByteReader } from "../../../media/bytes/byte-reader.ts";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";

/** The audio and video tags of an FLV file, in order; read apart from the project's own reader, which is not what is proved here. */
export async function readMediaTags(path: string): Promise<FlvTag[]> {
	const reader = new ByteReader(await readFile(path));
	reader.skip(9 + 4);
	const tags: FlvTag[] = [];
	while (reader.remaining > 0) {
		const type = reader.u8();
		const length = reader.u24();
		const low = reader.u24();
		const timestampMs = reader.u8() * 0x1000000 + low;
		reader.skip(3);
		const body = reader.bytes(length);
		reader.skip(4);
		if (type === TAG_TYPE.audio || type === TAG_TYPE.video) {
			tags.push({ type, timestampMs, body });
		}
	}
	return tags;
}
