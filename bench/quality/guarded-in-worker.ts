import type { ComposedPlace } from "../../compositor-page/compositor/compositor.ts";
import { PlanarCompositor } from "../../compositor-page/compositor/planar/planar-compositor.ts";
import { GraphicsCache } from "../../compositor-page/graphics/graphics-cache.ts";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { ProgramVideoEncoder } from "../../encoders/avc/program-video-encoder.ts";
import type { LayoutName } from "../../media/layout.ts";
import { US_PER_SECOND } from "../../media/units.ts";
import type { ProgramShape } from "../throughput/program-shape.ts";
import { SourceClip } from "../throughput/source-clip.ts";

export interface GuardedPlan {
	readonly shape: ProgramShape;
	readonly frames: number;
	readonly frameRate: number;
	readonly keyFrameEvery: number;
	/** The layout is another after so many frames, to and fro. */
	readonly cutEvery?: number;
}

export interface GuardedRun {
	readonly frames: readonly { readonly index: number; readonly bytes: number; readonly keyFrame: boolean }[];
	readonly leftOut: number;
	/** Bits a second that the encoder was asked for at the end. */
	readonly askedBps: number;
}

/** A picture of the queue's place is free as soon as the encoder has begun with one. */
const MOST_WAITING = 2;
const LAYOUTS: readonly LayoutName[] = ["landscape", "pip"];

/** Composites and encodes the clips as a live program is, with its guard, in made-up time: frame n is of n / frameRate, however long it takes. */
export async function guarded(plan: GuardedPlan, clips: readonly Uint8Array[]): Promise<GuardedRun> {
	const { shape, frames, frameRate, keyFrameEvery, cutEvery } = plan;
	const sources = clips.map((clip) => new SourceClip(clip));
	const compositor = new PlanarCompositor();
	const background = new GraphicsCache().background(shape.output);
	const out: { index: number; bytes: number; keyFrame: boolean }[] = [];
	let failure: string | undefined;
	const timeUs = (index: number) => Math.round((index * US_PER_SECOND) / frameRate);
	const encoder = new ProgramVideoEncoder({
		...shape.output,
		...{ frameRate, bitrateBps: shape.bitrateBps, keyFrameEvery },
		nowUs: () => performance.now() * 1_000,
		onFrame: ({ ptsUs, data, keyFrame }) =>
			out.push({ index: Math.round((ptsUs * frameRate) / US_PER_SECOND), bytes: data.byteLength, keyFrame }),
		onProblem: () => undefined,
		onFailed: (reason) => {
			failure = reason;
		},
	});
	const ids = clips.map((_, index) => String(index));
	for (let index = 0; index < frames; index++) {
		const pictures = await Promise.all(sources.map((source) => source.next()));
		const layout = cutEvery === undefined ? shape.layout : (LAYOUTS[Math.floor(index / cutEvery) % 2] ?? shape.layout);
		const { places } = layOut(layout, shape.output, ids);
		const input = {
			...shape.output,
			background,
			places: places.flatMap(({ id, rect, z }): ComposedPlace[] => {
				const frame = pictures[Number(id)];
				return frame === undefined ? [] : [{ rect, z, picture: { kind: "frame", frame } }];
			}),
		};
		const composed = await compositor.compose(input, timeUs(index), timeUs(1));
		for (const picture of pictures) {
			picture.close();
		}
		while (encoder.figures.queueSize >= MOST_WAITING && failure === undefined) {
			await new Promise((resolve) => setTimeout(resolve, 0));
		}
		encoder.encode(composed, index);
	}
	while (encoder.figures.queueSize > 0 && failure === undefined) {
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	const { droppedFrames, targetBitrateBps } = encoder.figures;
	while (out.length + droppedFrames < frames && failure === undefined) {
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	encoder.close();
	compositor.close();
	for (const source of sources) {
		source.close();
	}
	if (failure !== undefined) {
		throw new Error(`quality: expected the encoder to go on, got ${failure}`);
	}
	return { frames: out, leftOut: droppedFrames, askedBps: targetBitrateBps };
}
