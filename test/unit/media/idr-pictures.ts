import { readdirSync, readFileSync } from "node:fs";
import { type AvcConfig, parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { FlvTagReader } from "../../../media/flv/tag-reader.ts";
import { parseVideoBody } from "../../../media/flv/video-body.ts";

const DIRECTORY = new URL("idr-pictures/", import.meta.url);

export interface IdrPicture {
	/** The encoder and what was asked of it. */
	readonly name: string;
	/** The avcC record. */
	readonly record: Uint8Array;
	readonly config: AvcConfig;
	/** The access unit as the FLV tag holds it. */
	readonly sample: Uint8Array;
}

/**
 * One IDR picture each of encoders that are not ours, in FLV as ffmpeg wrote it but for Chromium's: x264 of ffmpeg 5.1
 * (`testsrc2=s=96x80`, `-crf 36`, interlaced by `-flags +ilme+ildct`), OpenH264 2.3 by GStreamer's openh264enc, and the OpenH264 in
 * Chromium by WebCodecs. SEI is taken out, since x264's names all its settings.
 */
export const IDR_PICTURES: readonly IdrPicture[] = readdirSync(DIRECTORY)
	.filter((file) => file.endsWith(".flv"))
	.map((file) => ({ name: file.slice(0, -".flv".length), ...firstPicture(readFileSync(new URL(file, DIRECTORY))) }));

/** The first configuration and picture of an FLV file. */
export function firstPicture(file: Uint8Array): Omit<IdrPicture, "name"> {
	let record: Uint8Array | undefined;
	for (const tag of new FlvTagReader().push(Uint8Array.from(file))) {
		const body = tag.type === 9 ? parseVideoBody(tag.body) : undefined;
		if (body?.kind === "video-config") {
			record ??= body.data;
		}
		if (body?.kind === "video-key" && record !== undefined) {
			return { record, config: parseAvcConfig(record), sample: body.data };
		}
	}
	throw new Error("expected a configuration and a picture, got the end of the file");
}
