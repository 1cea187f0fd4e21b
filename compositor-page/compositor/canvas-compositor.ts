import { contextOf, type GraphicContext } from "../graphics/graphic.ts";
import { cropToFill } from "../layouts/crop-to-fill.ts";
import { backToFront, type ComposedPlace, type CompositionInput, type Compositor, coverOutput } from "./compositor.ts";
import { Turns } from "./turns.ts";

/** Composes on a 2D canvas: the one for machines with a GPU, where scaling and blending cost nothing that matters. */
export class CanvasCompositor implements Compositor {
	readonly kind = "canvas";
	readonly #turns = new Turns();
	#context: GraphicContext | undefined;
	#closed = false;

	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		return this.#turns.take(async () => this.#compose(input, timestampUs, durationUs));
	}

	close(): void {
		this.#closed = true;
		this.#context = undefined;
	}

	#compose(input: CompositionInput, timestampUs: number, durationUs: number): VideoFrame {
		if (this.#closed) {
			throw new Error("compositor: expected to be open, got a picture to compose after close");
		}
		const context = this.#contextOf(input.width, input.height);
		if (!coverOutput(input)) {
			context.drawImage(input.background.canvas, 0, 0);
		}
		for (const place of backToFront(input.places)) {
			drawPlace(context, place);
		}
		return new VideoFrame(context.canvas, { timestamp: timestampUs, duration: durationUs, alpha: "discard" });
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
	const { picture, rect, border, label } = place;
	context.save();
	context.beginPath();
	context.rect(rect.x, rect.y, rect.width, rect.height);
	context.clip();
	if (picture.kind === "card") {
		context.drawImage(picture.card.canvas, rect.x, rect.y);
	} else {
		const { frame } = picture;
		const crop = cropToFill(frame.displayWidth, frame.displayHeight, rect);
		context.drawImage(frame, crop.x, crop.y, crop.width, crop.height, rect.x, rect.y, rect.width, rect.height);
	}
	if (border !== undefined) {
		// A line is drawn around its path: half the width further in, it ends at the edge of the place.
		const inset = border.widthPx / 2;
		context.strokeStyle = `rgb(${border.red} ${border.green} ${border.blue})`;
		context.lineWidth = border.widthPx;
		context.strokeRect(rect.x + inset, rect.y + inset, rect.width - border.widthPx, rect.height - border.widthPx);
	}
	context.restore();
	if (label !== undefined) {
		context.drawImage(label.graphic.canvas, label.x, label.y);
	}
}
