import { FlvTagReader, readSingleTag } from "../../../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { inTurn, type MicroCase } from "../micro-case.ts";
import { piecesAcross, programTags } from "../samples.ts";

const tags = programTags(0, 4);
const messages = tags.map(flvTagBytes);
const pieces = piecesAcross(messages);
const unit = "tag";
const bytes = messages.reduce((sum, { byteLength }) => sum + byteLength, 0) / messages.length;

export const FLV_CASES: readonly MicroCase[] = [
	{ name: "FLV write", unit, bytes, run: inTurn(tags, () => flvTagBytes) },
	{ name: "FLV read, a message each", unit, bytes, run: inTurn(messages, () => readSingleTag) },
	{
		name: "FLV read, a stream in pieces",
		unit,
		bytes,
		run: inTurn(pieces, () => {
			const reader = new FlvTagReader();
			reader.push(flvHeader());
			return (piece) => reader.push(piece);
		}),
	},
];
