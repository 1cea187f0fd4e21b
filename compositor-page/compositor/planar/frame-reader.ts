import type { Rect } from "../../../media/layout.ts";
import { contextOf, type GraphicContext } from "../../graphics/graphic.ts";
import { cropToFill } from "../../layouts/crop-to-fill.ts";
import { geometryOf, visibleCrop } from "../visible-crop.ts";
import { conversionToBt709, type MatrixConversion } from "./matrix-conversion.ts";
import { type PictureBuffer, pictureBuffer } from "./picture-buffer.ts";
import { nv12ToI420, packedToI420, planarToI420 } from "./to-i420.ts";

/** How much less chroma than luma a format has, as powers of two. */
const CHROMA_SHIFTS = {
	I420A: { widthShift: 1, heightShift: 1 },
	I422: { widthShift: 1, heightShift: 0 },
	I444: { widthShift: 0, heightShift: 0 },
} as const;

/** What one read of a frame left behind. */
export interface FrameRead {
	/** The cropped picture, still to be scaled into its place; absent when it was copied there at once. */
	readonly scratch?: PictureBuffer;
	/** What must still happen to its colours once it is in place; absent when they are right. */
	readonly conversion?: MatrixConversion;
}

/**
 * Reads frames of one place into memory. Keeps its buffers between frames and grows them when a source grows. One read at a time: the scratch
 * picture of a read is valid until the next.
 */
export class FrameReader {
	#scratch: PictureBuffer | undefined;
	#raw = new Uint8Array(0);
	#canvas: GraphicContext | undefined;

	/** Reads the part of `frame` that fills `target`: straight into `output`, where one is given and nothing is to be scaled. */
	async read(frame: VideoFrame, target: Rect, output: PictureBuffer | undefined): Promise<FrameRead> {
		const geometry = geometryOf(frame);
		if (isTurned(frame)) {
			// `copyTo` gives the picture as it was coded.
			return { scratch: this.#draw(frame, target) };
		}
		const crop = visibleCrop(geometry, target);
		const conversion = conversionToBt709(frame.colorSpace);
		const colours = conversion === undefined ? {} : { conversion };
		if (frame.format === "I420") {
			if (output !== undefined && crop.width === target.width && crop.height === target.height) {
				await frame.copyTo(output.bytes, { rect: crop, layout: layoutAt(output, target) });
				return colours;
			}
			const scratch = this.#scratchOf(crop);
			await frame.copyTo(scratch.bytes, { rect: crop, layout: [...scratch.planes] });
			return { scratch, ...colours };
		}
		switch (frame.format) {
			case "NV12": {
				const planes = await this.#readRaw(frame, crop);
				const scratch = this.#scratchOf(crop);
				nv12ToI420(this.#raw, planes, scratch);
				return { scratch, ...colours };
			}
			case "I420A":
			case "I422":
			case "I444": {
				const planes = await this.#readRaw(frame, crop);
				const scratch = this.#scratchOf(crop);
				planarToI420(this.#raw, planes, CHROMA_SHIFTS[frame.format], scratch);
				return { scratch, ...colours };
			}
			case "RGBA":
			case "RGBX":
			case "BGRA":
			case "BGRX": {
				const [plane] = await this.#readRaw(frame, crop);
				const scratch = this.#scratchOf(crop);
				packedToI420(this.#raw, plane, frame.format.startsWith("RGB") ? "RGB" : "BGR", scratch);
				return { scratch };
			}
			default:
				// A format without a name here, such as 10 bits or one that lives on a GPU: the browser draws it.
				return { scratch: this.#draw(frame, target) };
		}
	}

	/** Copies the crop in the frame's own format into `#raw`. */
	async #readRaw(frame: VideoFrame, crop: Rect): Promise<readonly [PlaneLayout, ...PlaneLayout[]]> {
		const bytes = frame.allocationSize({ rect: crop });
		if (this.#raw.length < bytes) {
			this.#raw = new Uint8Array(bytes);
		}
		const [first, ...others] = await frame.copyTo(this.#raw, { rect: crop });
		if (first === undefined) {
			throw new Error(`compositor: expected planes of a ${frame.format} frame, got none`);
		}
		return [first, ...others];
	}

	#draw(frame: VideoFrame, target: Rect): PictureBuffer {
		const { width, height } = target;
		this.#canvas ??= contextOf(new OffscreenCanvas(width, height), { willReadFrequently: true, alpha: false });
		const { canvas } = this.#canvas;
		if (canvas.width !== width || canvas.height !== height) {
			canvas.width = width;
			canvas.height = height;
		}
		const crop = cropToFill(frame.displayWidth, frame.displayHeight, target);
		this.#canvas.drawImage(frame, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
		const pixels = this.#canvas.getImageData(0, 0, width, height);
		const scratch = this.#scratchOf(target);
		packedToI420(pixels.data, { offset: 0, stride: width * 4 }, "RGB", scratch);
		return scratch;
	}

	#scratchOf(size: { readonly width: number; readonly height: number }): PictureBuffer {
		const known = this.#scratch;
		if (known !== undefined && known.width === size.width && known.height === size.height) {
			return known;
		}
		this.#scratch = pictureBuffer(size.width, size.height, known);
		return this.#scratch;
	}
}

/** Members of a frame that TypeScript's types do not know yet (WebCodecs §9.4.2); browsers without them turn no frames. */
interface Orientation {
	/** Degrees clockwise. */
	readonly rotation?: number;
	readonly flip?: boolean;
}

function isTurned(frame: VideoFrame & Orientation): boolean {
	const { rotation = 0, flip = false } = frame;
	return rotation !== 0 || flip;
}

/** Where `target` lies in the three planes of `output`. */
function layoutAt(output: PictureBuffer, target: Rect): PlaneLayout[] {
	return output.planes.map(({ offset, stride }, plane) => {
		const shift = plane === 0 ? 0 : 1;
		return { offset: offset + (target.y >> shift) * stride + (target.x >> shift), stride };
	});
}
