import { strokeBorder, tracePlace } from "../graphics/border.ts";
import { contextOf, type GraphicContext } from "../graphics/graphic.ts";
import { cropToFill } from "../layouts/crop-to-fill.ts";
import { backToFront, type ComposedPlace, type CompositionInput, type Compositor, coverOutput } from "./compositor.ts";
import { type PictureBuffer, pictureBuffer } from "./planar/picture-buffer.ts";
import { packedToI420 } from "./planar/to-i420.ts";
import { programFrame } from "./program-frame.ts";
import { Turns } from "./turns.ts";
import { geometryOf } from "./visible-crop.ts";

/**
 * Composes on a 2D canvas: the one for machines with a GPU, where scaling and blending cost nothing that matters.
 *
 * The painted picture is read back and converted here. Left to the encoder, it would go out as full range with sRGB transfer, which no service
 * expects, and a viewer would see the colours change where the program passes from one compositor to another.
 */
export class CanvasCompositor implements Compositor {
	readonly kind = "canvas";
	readonly #turns = new Turns();
	#context: GraphicContext | undefined;
	#pixels = new Uint8Array(0);
	#output: PictureBuffer | undefined;
	#closed = false;

	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		return this.#turns.take(() => this.#compose(input, timestampUs, durationUs));
	}

	close(): void {
		this.#closed = true;
		this.#context = undefined;
		this.#output = undefined;
		this.#pixels = new Uint8Array(0);
	}

	async #compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		if (this.#closed) {
			throw new Error("compositor: expected to be open, got a picture to compose after close");
		}
		const { width, height } = input;
		const context = this.#contextOf(width, height);
		if (!coverOutput(input)) {
			context.drawImage(input.background.canvas, 0, 0);
		}
		for (const place of backToFront(input.places)) {
			drawPlace(context, place);
		}
		const output = this.#outputOf(width, height);
		await this.#readBack(context.canvas, output);
		return programFrame(output, timestampUs, durationUs);
	}

	async #readBack(canvas: OffscreenCanvas, output: PictureBuffer): Promise<void> {
		const painted = new VideoFrame(canvas, { timestamp: 0, alpha: "discard" });
		try {
			const bytes = painted.allocationSize({ format: "RGBA" });
			if (this.#pixels.length < bytes) {
				this.#pixels = new Uint8Array(bytes);
			}
			const [plane] = await painted.copyTo(this.#pixels, { format: "RGBA" });
			if (plane === undefined) {
				throw new Error("compositor: expected the pixels of the canvas, got none");
			}
			packedToI420(this.#pixels, plane, "RGB", output);
		} finally {
			painted.close();
		}
	}

	#outputOf(width: number, height: number): PictureBuffer {
		const known = this.#output;
		if (known !== undefined && known.width === width && known.height === height) {
			return known;
		}
		this.#output = pictureBuffer(width, height);
		return this.#output;
	}

	#contextOf(width: number, height: number): GraphicContext {
		this.#context ??= contextOf(new OffscreenCanvas(width, height), { alpha: false, desynchronized: true });
		const { canvas } = this.#context;
		if (canvas.width !== width || canvas.height !== height) {
			canvas.width = width;
			canvas.height = height;
		}
		this.#context.imageSmoothingQuality = "medium";
		return this.#context;
	}
}

function drawPlace(context: GraphicContext, place: ComposedPlace): void {
	context.save();
	try {
		const { x, y, width, height } = place.rect;
		if (place.border === undefined) {
			context.beginPath();
			context.rect(x, y, width, height);
		} else {
			tracePlace(context, place.border, x, y, place.rect);
		}
		context.clip();
		drawPicture(context, place);
	} finally {
		// Also after a frame that cannot be drawn: its clip would cut off every later picture.
		context.restore();
	}
	if (place.border !== undefined) {
		// A line is drawn around its path, half of it outside the picture.
		tracePlace(context, place.border, place.rect.x, place.rect.y, place.rect);
		strokeBorder(context, place.border);
	}
	if (place.label !== undefined) {
		context.drawImage(place.label.graphic.canvas, place.label.x, place.label.y);
	}
}

function drawPicture(context: GraphicContext, { picture, rect }: ComposedPlace): void {
	if (picture.kind === "card") {
		context.drawImage(picture.card.canvas, rect.x, rect.y);
	} else {
		const { displayWidth, displayHeight } = geometryOf(picture.frame);
		const crop = cropToFill(displayWidth, displayHeight, rect);
		context.drawImage(
			picture.frame,
			...([crop.x, crop.y, crop.width, crop.height] as const),
			...([rect.x, rect.y, rect.width, rect.height] as const),
		);
	}
}
