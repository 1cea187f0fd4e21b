import { spawn } from "node:child_process";
import { z } from "zod";
import { mustRun } from "../peers/run-tool.ts";
import { readPackets } from "./packets.ts";
import { i420Bytes, type Picture, pictureFromI420 } from "./picture.ts";
import { rawPictures } from "./raw-pictures.ts";

export interface TimedPicture {
	readonly index: number;
	/** Presentation time in the file. */
	readonly ptsMs: number;
	/** Valid until the next one is asked for. */
	readonly picture: Picture;
}

export interface DecodeOptions {
	/** Filters of ffmpeg that keep the number of pictures, such as `crop=…` and `scale=…`. */
	readonly filters?: string;
	/** The size the filters leave. Default: the file's. */
	readonly size?: { readonly width: number; readonly height: number };
	/** Give up after this many. */
	readonly limit?: number;
}

const sizeSchema = z.object({ streams: z.tuple([z.object({ width: z.number(), height: z.number() })]) });

export async function pictureSize(file: string): Promise<{ width: number; height: number }> {
	const answer = await mustRun("ffprobe", [
		...["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-print_format", "json", file],
	]);
	return sizeSchema.parse(JSON.parse(answer.toString())).streams[0];
}

/** Every picture of a file in the order of presentation, decoded by ffmpeg: none repeated, none left out. */
export async function* decodePictures(file: string, options: DecodeOptions = {}): AsyncGenerator<TimedPicture> {
	const { width, height } = options.size ?? (await pictureSize(file));
	const times = (await readPackets(file)).video.map(({ ptsMs }) => ptsMs).sort((a, b) => a - b);
	const child = spawn(
		"ffmpeg",
		[
			...["-v", "error", "-nostdin", "-i", file, "-map", "0:v:0"],
			...(options.filters === undefined ? [] : ["-vf", options.filters]),
			...(options.limit === undefined ? [] : ["-frames:v", String(options.limit)]),
			...["-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"],
		],
		{ stdio: ["ignore", "pipe", "inherit"] },
	);
	let index = 0;
	try {
		for await (const picture of rawPictures(child.stdout, i420Bytes(width, height))) {
			const ptsMs = times[index] ?? Number.NaN;
			yield { index, ptsMs, picture: pictureFromI420(picture, width, height) };
			index += 1;
		}
	} finally {
		child.kill("SIGKILL");
	}
}

/** One picture of a file, kept. Throws when the file has fewer. */
export async function pictureAt(file: string, index: number, options: DecodeOptions = {}): Promise<Picture> {
	for await (const timed of decodePictures(file, { ...options, limit: index + 1 })) {
		if (timed.index === index) {
			return structuredClone(timed.picture);
		}
	}
	throw new Error(`expected ${file} to hold picture ${index}, got fewer`);
}
