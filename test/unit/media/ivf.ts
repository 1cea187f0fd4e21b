import { readFileSync, writeFileSync } from "node:fs";
import { ByteReader } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";

const HEADER_BYTES = 32;

export interface IvfFile {
	readonly header: Uint8Array;
	readonly frames: readonly Uint8Array[];
}

/** IVF: a header, then frames, each after its size (32 bits) and time (64 bits), little-endian. */
export function readIvf(file: string): IvfFile {
	const reader = new ByteReader(readFileSync(file));
	const header = reader.bytes(HEADER_BYTES);
	const frames: Uint8Array[] = [];
	while (reader.remaining > 0) {
		const size = reader.u32le();
		reader.skip(8);
		frames.push(Uint8Array.from(reader.bytes(size)));
	}
	return { header, frames };
}

/** Writes frames that are one unit of the header's time base apart. */
export function writeIvf(file: string, { header, frames }: IvfFile): void {
	const writer = new ByteWriter().bytes(header);
	for (const [index, frame] of frames.entries()) {
		writer.u32le(frame.byteLength).u32le(index).u32le(0).bytes(frame);
	}
	writeFileSync(file, writer.finish());
}
