import type { Rect } from "../../../media/layout.ts";
import { contextOf, type GraphicContext } from "../../graphics/graphic.ts";
import type { PictureMemory } from "../../kernels/picture-memory.ts";
import { cropToFill } from "../../layouts/crop-to-fill.ts";
import { geometryOf, visibleCrop } from "../visible-crop.ts";
import { conversionToBt709, type MatrixConversion } from "./matrix-conversion.ts";
import { MemoryPicture } from "./memory-picture.ts";
import { nv12ToI420, packedToI420, planarToI420 } from "./to-i420.ts";

/** How much less chroma than luma a format has, as powers of two. */
const CHROMA_SHIFTS = {
	I420A: { widthShift: 1, heightShift: 1 },
	I422: { widthShift: 1, heightShift: 0 },
	I444: { widthShift: 0, heightShift: 0 },
} as const;

/** Formats whose memory is understood here (WebCodecs §9.8). */
const READABLE: ReadonlySet<string> = new Set([
	"I420",
	"NV12",
	"RGBA",
	"RGBX",
	"BGRA",
	"BGRX",
	...Object.keys(CHROMA_SHIFTS),
]);

/** How a frame will be read, with all the memory that takes. */
export interface PreparedRead {
	readonly frame: VideoFrame;
	/** `direct` goes straight into its place; the others into the scratch picture, to be scaled from there; `held` is there already. */
	readonly way: "direct" | "copied" | "converted" | "drawn" | "held";
	readonly crop: Rect;
	/** Size of its place. */
	readonly target: Rect;
	/** What must happen to its colours once it is in place; absent when they are right. */
	readonly conversion?: MatrixConversion;
}

/**
 * Reads frames of one place into memory. Keeps its room between frames and grows it when a source grows. One read at a time: the scratch picture of
 * a read is valid until the next is prepared.
 *
 * A read has two parts, as memory that grows takes itself from under copies that are under way: all that are to run together are prepared first.
 */
export class FrameReader {
	readonly #memory: PictureMemory;
	readonly scratch: MemoryPicture;
	#raw: number | undefined;
	#rawBytes = 0;
	#canvas: GraphicContext | undefined;
	/** What the scratch picture shows: which part of which frame. */
	#held: { readonly frame: VideoFrame; readonly crop: Rect } | undefined;

	constructor(memory: PictureMemory) {
		this.#memory = memory;
		this.scratch = new MemoryPicture(memory);
	}

	/** Decides how the part of `frame` that fills `target` is read. Throws when the frame is closed. */
	prepare(frame: VideoFrame, target: Rect): PreparedRead {
		const geometry = geometryOf(frame);
		if (isTurned(frame) || frame.format === null || !READABLE.has(frame.format)) {
			// `copyTo` gives a turned picture as it was coded; and formats without a name here, such as 10 bits or one that lives on a GPU, the
			// browser draws.
			this.scratch.resize(target.width, target.height);
			this.#held = undefined;
			return { frame, way: "drawn", crop: target, target };
		}
		const crop = visibleCrop(geometry, target);
		const conversion = isPacked(frame.format) ? undefined : conversionToBt709(frame.colorSpace);
		const common = { frame, crop, target, ...(conversion === undefined ? {} : { conversion }) };
		if (frame.format === "I420" && crop.width === target.width && crop.height === target.height) {
			return { ...common, way: "direct" };
		}
		if (this.#held?.frame === frame && isSame(this.#held.crop, crop)) {
			return { ...common, way: "held" };
		}
		this.#held = undefined;
		if (frame.format === "I420") {
			this.scratch.resize(crop.width, crop.height);
			return { ...common, way: "copied" };
		}
		this.scratch.resize(crop.width, crop.height);
		this.#makeRoom(frame.allocationSize({ rect: crop }));
		return { ...common, way: "converted" };
	}

	/** Reads into `output` at `target`'s corner where the way is `direct`, else into the scratch picture. */
	async read({ frame, way, crop, target }: PreparedRead, output: MemoryPicture): Promise<void> {
		switch (way) {
			case "direct":
				await frame.copyTo(output.bytes, { rect: crop, layout: layoutAt(output, target) });
				break;
			case "copied":
				await frame.copyTo(this.scratch.bytes, { rect: crop, layout: [...this.scratch.planes] });
				this.#held = { frame, crop };
				break;
			case "converted":
				await this.#convert(frame, crop);
				this.#held = { frame, crop };
				break;
			case "drawn":
				this.#draw(frame, target);
				break;
			case "held":
				break;
		}
	}

	/** Copies the crop in the frame's own format, then makes I420 of it. */
	async #convert(frame: VideoFrame, crop: Rect): Promise<void> {
		const { format } = frame;
		const raw = this.#raw ?? 0;
		const planes = await frame.copyTo(this.#memory.bytes.subarray(raw, raw + this.#rawBytes), { rect: crop });
		const bytes = this.#memory.bytes.subarray(raw, raw + this.#rawBytes);
		switch (format) {
			case "NV12":
				return nv12ToI420(this.#memory.kernels, raw, planes, this.scratch);
			case "I420A":
			case "I422":
			case "I444":
				return planarToI420(bytes, planes, CHROMA_SHIFTS[format], this.scratch);
			default: {
				const [plane] = planes;
				if (plane === undefined) {
					throw new Error(`compositor: expected planes of a ${format} frame, got none`);
				}
				packedToI420(bytes, plane, format?.startsWith("RGB") === true ? "RGB" : "BGR", this.scratch);
			}
		}
	}

	#makeRoom(bytes: number): void {
		if (bytes <= this.#rawBytes) {
			return;
		}
		if (this.#raw !== undefined) {
			this.#memory.giveBack(this.#raw);
		}
		this.#raw = this.#memory.take(bytes);
		this.#rawBytes = bytes;
	}

	#draw(frame: VideoFrame, { width, height }: Rect): void {
		this.#canvas ??= contextOf(new OffscreenCanvas(width, height), { willReadFrequently: true, alpha: false });
		const { canvas } = this.#canvas;
		if (canvas.width !== width || canvas.height !== height) {
			canvas.width = width;
			canvas.height = height;
		}
		const crop = cropToFill(frame.displayWidth, frame.displayHeight, { width, height });
		this.#canvas.drawImage(frame, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
		const pixels = this.#canvas.getImageData(0, 0, width, height);
		packedToI420(pixels.data, { offset: 0, stride: width * 4 }, "RGB", this.scratch);
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

function isSame(a: Rect, b: Rect): boolean {
	return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

/** Pixels of red, green and blue have no matrix. */
function isPacked(format: string): boolean {
	return format.startsWith("RGB") || format.startsWith("BGR");
}

/** Where `target` lies in the three planes of `output`. */
function layoutAt(output: MemoryPicture, target: Rect): PlaneLayout[] {
	return output.planes.map(({ offset, stride }, plane) => {
		const shift = plane === 0 ? 0 : 1;
		return { offset: offset + (target.y >> shift) * stride + (target.x >> shift), stride };
	});
}
