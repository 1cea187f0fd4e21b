import type { Rect } from "../../../media/layout.ts";
import { contextOf, type Graphic } from "../../graphics/graphic.ts";
import { backToFront, type ComposedPlace, type CompositionInput, type Compositor, coverOutput } from "../compositor.ts";
import { Turns } from "../turns.ts";
import { blendGraphic, drawBorder } from "./blend.ts";
import { type FrameRead, FrameReader } from "./frame-reader.ts";
import { convertMatrix } from "./matrix-conversion.ts";
import { type PictureBuffer, pictureBuffer } from "./picture-buffer.ts";
import { PictureScaler } from "./picture-scaler.ts";
import { type PlanarGraphic, planarGraphic } from "./planar-graphic.ts";
import { programFrame } from "./program-frame.ts";

/**
 * Composes in memory, in I420, as decoders give pictures and the software encoder takes them: a picture that fits is only copied, and nothing
 * passes through RGB. One output buffer serves all frames, since `new VideoFrame(buffer)` copies it.
 */
export class PlanarCompositor implements Compositor {
	readonly kind = "planar";
	readonly #turns = new Turns();
	readonly #scaler = new PictureScaler();
	readonly #graphics = new WeakMap<Graphic, PlanarGraphic>();
	#readers: FrameReader[] = [];
	#output: PictureBuffer | undefined;
	#closed = false;

	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		return this.#turns.take(() => this.#compose(input, timestampUs, durationUs));
	}

	close(): void {
		this.#closed = true;
		this.#output = undefined;
		this.#readers = [];
	}

	async #compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		if (this.#closed) {
			throw new Error("compositor: expected to be open, got a picture to compose after close");
		}
		const { width, height } = input;
		const output = this.#outputOf(width, height);
		const whole = { x: 0, y: 0, width, height };
		if (!coverOutput(input)) {
			blendGraphic(output, this.#planar(input.background), 0, 0, whole);
		}
		const places = backToFront(input.places);
		const reads = await this.#readAll(places, output);
		for (const [index, place] of places.entries()) {
			this.#finish(place, reads[index], output, whole);
		}
		return programFrame(output, timestampUs, durationUs);
	}

	/** Starts the copies of all frames, then waits for them together: some kinds of frame are copied on another thread. */
	async #readAll(places: readonly ComposedPlace[], output: PictureBuffer): Promise<(FrameRead | undefined)[]> {
		const rearmost = places[0]?.z;
		const reads = places.map(async ({ picture, rect, z }, index) => {
			if (picture.kind === "card") {
				return undefined;
			}
			// Only the rearmost places may be written at once: what lies on top must wait until they are there.
			return this.#reader(index).read(picture.frame, rect, z === rearmost ? output : undefined);
		});
		// All have to be over, also when one fails: the next picture uses the same memory.
		const settled = await Promise.allSettled(reads);
		return settled.map((read) => {
			if (read.status === "rejected") {
				throw read.reason;
			}
			return read.value;
		});
	}

	#finish(place: ComposedPlace, read: FrameRead | undefined, output: PictureBuffer, whole: Rect): void {
		const { picture, rect, border, label } = place;
		if (picture.kind === "card") {
			blendGraphic(output, this.#planar(picture.card), rect.x, rect.y, rect);
		}
		if (read?.scratch !== undefined) {
			this.#scaler.scale(read.scratch, output, rect);
		}
		if (read?.conversion !== undefined) {
			convertMatrix(output, rect, read.conversion);
		}
		if (border !== undefined) {
			drawBorder(output, rect, border);
		}
		if (label !== undefined) {
			blendGraphic(output, this.#planar(label.graphic), label.x, label.y, whole);
		}
	}

	#reader(index: number): FrameReader {
		let reader = this.#readers[index];
		if (reader === undefined) {
			reader = new FrameReader();
			this.#readers[index] = reader;
		}
		return reader;
	}

	#outputOf(width: number, height: number): PictureBuffer {
		const known = this.#output;
		if (known !== undefined && known.width === width && known.height === height) {
			return known;
		}
		this.#output = pictureBuffer(width, height);
		return this.#output;
	}

	#planar(graphic: Graphic): PlanarGraphic {
		const known = this.#graphics.get(graphic);
		if (known !== undefined) {
			return known;
		}
		const { width, height } = graphic;
		const pixels = contextOf(graphic.canvas, {}).getImageData(0, 0, width, height);
		const planar = planarGraphic(pixels.data, width, height);
		this.#graphics.set(graphic, planar);
		return planar;
	}
}
