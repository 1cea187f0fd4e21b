import { CanvasCompositor } from "../../compositor-page/compositor/canvas-compositor.ts";
import type { ComposedPlace, Compositor, CompositorKind } from "../../compositor-page/compositor/compositor.ts";
import { PlanarCompositor } from "../../compositor-page/compositor/planar/planar-compositor.ts";
import { GraphicsCache } from "../../compositor-page/graphics/graphics-cache.ts";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { mainProfileCodec } from "../../encoders/avc/main-profile-codec.ts";
import { videoEncoderConfig } from "../../encoders/avc/video-encoder-config.ts";
import { bytesOf } from "../../encoders/bytes-of.ts";
import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { FlvFrameWriter } from "../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import type { ProgramShape } from "./program-shape.ts";
import { SourceClip } from "./source-clip.ts";

/** Composed pictures that wait for the encoder: enough to keep it at work. */
const ENCODING_AHEAD = 8;

export interface CompositeRun {
	/** From the first frame given to a decoder to the last out of the encoder. */
	readonly seconds: number;
	/** Milliseconds of each `compose`, in order. */
	readonly composeMs: readonly number[];
	/** The program, where it was asked for. */
	readonly flv?: Uint8Array;
	readonly bytes: number;
}

export interface CompositePlan {
	readonly kind: CompositorKind;
	readonly shape: ProgramShape;
	readonly frames: number;
	readonly frameRate: number;
	readonly keyFrameEvery: number;
	readonly keep: boolean;
}

/** Decodes the clips (FLV files), composites and encodes their frames as fast as it goes, with the parts that a live program is made by. */
export async function composite(plan: CompositePlan, clips: readonly Uint8Array[]): Promise<CompositeRun> {
	const { kind, shape, frames, frameRate, keyFrameEvery, keep } = plan;
	const sources = clips.map((clip) => new SourceClip(clip));
	const compositor: Compositor = kind === "planar" ? new PlanarCompositor() : new CanvasCompositor();
	const graphics = new GraphicsCache();
	const program = new Encoded(shape, frameRate, keep);
	const background = graphics.background(shape.output);
	const ids = sources.map((_, index) => String(index));
	const { places } = layOut(shape.layout, shape.output, ids);
	const composeMs: number[] = [];
	const startedMs = performance.now();
	for (let index = 0; index < frames; index++) {
		const pictures = await Promise.all(sources.map((source) => source.next()));
		const input = {
			...shape.output,
			background,
			places: places.map(({ id, rect, z, border }): ComposedPlace => {
				const frame = pictures[Number(id)];
				if (frame === undefined) {
					throw new Error(`throughput: expected a picture of person ${id}, got none`);
				}
				return { rect, z, ...(border === undefined ? {} : { border }), picture: { kind: "frame", frame } };
			}),
		};
		const beforeMs = performance.now();
		const composed = await compositor.compose(
			input,
			Math.round((index * 1e6) / frameRate),
			Math.round(1e6 / frameRate),
		);
		composeMs.push(performance.now() - beforeMs);
		for (const picture of pictures) {
			picture.close();
		}
		await program.encode(composed, index % keyFrameEvery === 0);
	}
	await program.finish();
	const seconds = (performance.now() - startedMs) / 1_000;
	for (const source of sources) {
		source.close();
	}
	compositor.close();
	graphics.close();
	return { seconds, composeMs, bytes: program.bytes, ...(keep ? { flv: program.flv() } : {}) };
}

/** The program's encoder, and what came out of it. */
class Encoded {
	readonly #encoder: VideoEncoder;
	readonly #writer = new FlvFrameWriter();
	readonly #parts: Uint8Array[] = [flvHeader()];
	#failure: Error | undefined;
	bytes = 0;

	constructor(shape: ProgramShape, frameRate: number, keep: boolean) {
		const { width, height } = shape.output;
		this.#encoder = new VideoEncoder({
			output: (chunk, metadata) => {
				this.bytes += chunk.byteLength;
				if (keep) {
					this.#keep(chunk, metadata);
				}
			},
			error: (error) => {
				this.#failure = error;
			},
		});
		const codec = mainProfileCodec(width, height, frameRate);
		this.#encoder.configure(videoEncoderConfig({ codec, width, height, frameRate, bitrateBps: shape.bitrateBps }));
	}

	async encode(frame: VideoFrame, keyFrame: boolean): Promise<void> {
		while (this.#encoder.encodeQueueSize >= ENCODING_AHEAD && this.#failure === undefined) {
			await new Promise((resolve) => this.#encoder.addEventListener("dequeue", resolve, { once: true }));
		}
		if (this.#failure !== undefined) {
			frame.close();
			throw this.#failure;
		}
		this.#encoder.encode(frame, { keyFrame });
		frame.close();
	}

	async finish(): Promise<void> {
		await this.#encoder.flush();
		this.#encoder.close();
	}

	flv(): Uint8Array {
		const bytes = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
		let at = 0;
		for (const part of this.#parts) {
			bytes.set(part, at);
			at += part.length;
		}
		return bytes;
	}

	#keep(chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const description = metadata?.decoderConfig?.description;
		const config = description === undefined ? {} : { config: bytesOf(description).slice() };
		const ptsUs = chunk.timestamp;
		const frame: EncodedVideoFrame = {
			...{ track: "video", codec: "avc", keyFrame: chunk.type === "key", ptsUs, dtsUs: ptsUs, data },
			...config,
		};
		for (const tag of this.#writer.push(frame)) {
			this.#parts.push(flvTagBytes(tag));
		}
	}
}
