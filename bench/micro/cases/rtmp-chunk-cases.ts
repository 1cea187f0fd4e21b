import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { type ChunkMessage, ChunkReader } from "../../../rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../../rtmp/chunk-writer.ts";
import { DEFAULT_CHUNK_SIZE, OUR_CHUNK_SIZE } from "../../../rtmp/limits.ts";
import { MESSAGE_TYPE } from "../../../rtmp/message-type.ts";
import { inTurn, type MicroCase } from "../micro-case.ts";
import { piecesAcross, programTags } from "../samples.ts";

/** Any two below 32 will do. */
const CHUNK_STREAM = { [TAG_TYPE.audio]: 4, [TAG_TYPE.video]: 6 } as const;
const SIZES = [OUR_CHUNK_SIZE, DEFAULT_CHUNK_SIZE];

const messages = programTags(0, 4).map(
	({ type, timestampMs, body }): ChunkMessage => ({
		chunkStreamId: type === TAG_TYPE.audio ? CHUNK_STREAM[type] : CHUNK_STREAM[TAG_TYPE.video],
		streamId: 1,
		typeId: type,
		timestampMs,
		payload: body,
	}),
);
const unit = "message";
const bytes = messages.reduce((sum, { payload }) => sum + payload.byteLength, 0) / messages.length;

export const RTMP_CHUNK_CASES: readonly MicroCase[] = SIZES.flatMap((chunkSize): readonly MicroCase[] => [
	{
		name: `RTMP write, chunks of ${chunkSize} bytes`,
		unit,
		bytes,
		run: inTurn(messages, () => {
			const { writer } = newWriter(chunkSize);
			return (message) => writer.write(message);
		}),
	},
	{ name: `RTMP read, chunks of ${chunkSize} bytes`, unit, bytes, run: reading(chunkSize) },
]);

function reading(chunkSize: number): MicroCase["run"] {
	const { writer, announcement } = newWriter(chunkSize);
	const pieces = piecesAcross(messages.map((message) => writer.write(message)));
	return inTurn(pieces, () => {
		const reader = new ChunkReader();
		reader.push(announcement);
		return (piece) => reader.push(piece);
	});
}

function newWriter(chunkSize: number): { readonly writer: ChunkWriter; readonly announcement: Uint8Array } {
	const writer = new ChunkWriter();
	const announcement = writer.write({
		chunkStreamId: 2,
		streamId: 0,
		typeId: MESSAGE_TYPE.setChunkSize,
		timestampMs: 0,
		payload: new ByteWriter(4).u32(chunkSize).finish(),
	});
	return { writer, announcement };
}
