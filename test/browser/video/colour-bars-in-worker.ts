import type { ComposedPlace } from "../../../compositor-page/compositor/compositor.ts";
import { PlanarCompositor } from "../../../compositor-page/compositor/planar/planar-compositor.ts";
import { GraphicsCache } from "../../../compositor-page/graphics/graphics-cache.ts";
import { layOut, type OutputSize } from "../../../compositor-page/layouts/lay-out.ts";
import { ProgramVideoEncoder } from "../../../encoders/avc/program-video-encoder.ts";
import { avcCodecString, parseAvcConfig } from "../../../media/avc/avc-config.ts";
import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { FlvTagReader } from "../../../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import type { LayoutName } from "../../../media/layout.ts";

export interface BarsProgram {
	/** An FLV file with the program. */
	readonly flv: Uint8Array;
	/** Its last picture before it was encoded: I420 without gaps. */
	readonly composed: Uint8Array;
	/** What each person's decoder said of its colours. */
	readonly sources: readonly VideoColorSpaceInit[];
}

const FRAME_US = 33_333;
/** So much that what is flat stays flat. */
const BITRATE_BPS = 12_000_000;

/** Decodes each person's clip, composites and encodes the pictures as a program. */
export async function programOf(
	layout: LayoutName,
	output: OutputSize,
	clips: readonly Uint8Array[],
): Promise<BarsProgram> {
	const people = await Promise.all(clips.map(decodeAll));
	const compositor = new PlanarCompositor();
	const background = new GraphicsCache().background(output);
	const encoded: EncodedFrame[] = [];
	const failures: string[] = [];
	const composed = new Uint8Array((output.width * output.height * 3) / 2);
	const encoder = new ProgramVideoEncoder({
		...output,
		...{ frameRate: 30, bitrateBps: BITRATE_BPS, keyFrameEvery: 60 },
		nowUs: () => performance.now() * 1_000,
		onFrame: (frame) => encoded.push(frame),
		onProblem: (reason) => failures.push(reason),
		onFailed: (reason) => failures.push(reason),
	});
	const ids = clips.map((_, index) => String(index));
	const { places } = layOut(layout, output, ids);
	const count = Math.min(...people.map(({ length }) => length));
	for (let index = 0; index < count; index++) {
		const input = {
			...output,
			background,
			places: places.flatMap(({ id, rect, z }): ComposedPlace[] => {
				const frame = people[Number(id)]?.[index];
				return frame === undefined ? [] : [{ rect, z, picture: { kind: "frame", frame } }];
			}),
		};
		const picture = await compositor.compose(input, index * FRAME_US, FRAME_US);
		await picture.copyTo(composed);
		encoder.encode(picture, index);
		while (encoded.length <= index && failures.length === 0) {
			await new Promise((resolve) => setTimeout(resolve, 1));
		}
	}
	const sources = people.map(([first]) => first?.colorSpace.toJSON() ?? {});
	for (const frame of people.flat()) {
		frame.close();
	}
	encoder.close();
	compositor.close();
	if (failures.length > 0) {
		throw new Error(`colour bars: expected no failure, got ${failures.join("; ")}`);
	}
	const writer = new FlvFrameWriter();
	const parts = [flvHeader(), ...encoded.flatMap((frame) => writer.push(frame)).map(flvTagBytes)];
	return { flv: new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()), composed, sources };
}

async function decodeAll(clip: Uint8Array): Promise<VideoFrame[]> {
	const reader = new FlvFrameReader();
	const frames = new FlvTagReader().push(clip).flatMap((tag) => reader.push(tag));
	const config = frames.find((frame) => frame.track === "video" && frame.config !== undefined)?.config;
	const pictures: VideoFrame[] = [];
	const failures: DOMException[] = [];
	const decoder = new VideoDecoder({
		output: (picture) => pictures.push(picture),
		error: (error) => failures.push(error),
	});
	if (config === undefined) {
		throw new Error("colour bars: expected a clip with a configuration, got none");
	}
	decoder.configure({ codec: avcCodecString(parseAvcConfig(config)), description: config });
	for (const { data, keyFrame, ptsUs } of frames) {
		if (data.length > 0) {
			decoder.decode(new EncodedVideoChunk({ type: keyFrame ? "key" : "delta", timestamp: ptsUs, data }));
		}
	}
	await decoder.flush();
	decoder.close();
	if (failures.length > 0) {
		throw failures[0];
	}
	return pictures;
}
