import { fitPicture, type Size } from "./picture-fit.ts";

const BLACK_LUMA = 16;
const NO_COLOUR = 128;

/** Makes every picture exactly the broadcast's size. Frames it returns are the caller's to close; those it is given stay theirs. */
export class PictureShaper {
	readonly #target: Size;
	/** The encoder scales what is whole and has the right shape (W3C WebCodecs, `VideoEncoderConfig.width`), until it was seen to fail. */
	#encoderScales = true;
	#canvas: OffscreenCanvas | undefined;

	constructor(target: Size) {
		this.#target = target;
	}

	/** From now on every picture is scaled here. */
	scaleAlways(): void {
		this.#encoderScales = false;
	}

	shape(frame: VideoFrame, timestampUs: number, mayCut: boolean): VideoFrame {
		const timestamp = Math.round(timestampUs);
		const { width, height } = this.#target;
		const { displayWidth, displayHeight, visibleRect } = frame;
		const upright = { rotation: 0, flip: false, ...turnOf(frame) };
		const fit = fitPicture({ width: displayWidth, height: displayHeight }, this.#target, mayCut);
		const squarePixels = visibleRect?.width === displayWidth && visibleRect.height === displayHeight;
		const fills = fit.to.width === width && fit.to.height === height;
		const isAsWanted = displayWidth === width && displayHeight === height;
		const asIs = upright.rotation === 0 && !upright.flip && squarePixels && fills;
		if (asIs && (isAsWanted || this.#encoderScales)) {
			const { x, y } = visibleRect;
			const { from } = fit;
			const seen = { x: x + from.x, y: y + from.y, width: from.width, height: from.height };
			return new VideoFrame(frame, {
				timestamp,
				visibleRect: seen,
				displayWidth: from.width,
				displayHeight: from.height,
			});
		}
		return this.#draw(frame, timestamp, mayCut);
	}

	black(timestampUs: number): VideoFrame {
		const { width, height } = this.#target;
		const luma = width * height;
		const data = new Uint8Array(luma + 2 * Math.ceil(width / 2) * Math.ceil(height / 2));
		data.fill(BLACK_LUMA, 0, luma).fill(NO_COLOUR, luma);
		return new VideoFrame(data, {
			...{ format: "I420", codedWidth: width, codedHeight: height, timestamp: Math.round(timestampUs) },
			colorSpace: { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false },
		});
	}

	#draw(frame: VideoFrame, timestamp: number, mayCut: boolean): VideoFrame {
		const { width, height } = this.#target;
		this.#canvas ??= new OffscreenCanvas(width, height);
		const context = this.#canvas.getContext("2d", { alpha: false, desynchronized: true });
		if (context === null) {
			throw new Error("stream leg: expected a canvas to draw on, got none");
		}
		// A canvas sees the picture as it is to be seen: turned, and with square pixels.
		const { displayWidth, displayHeight } = frame;
		const { from, to } = fitPicture({ width: displayWidth, height: displayHeight }, this.#target, mayCut);
		if (to.width !== width || to.height !== height) {
			context.fillRect(0, 0, width, height);
		}
		context.drawImage(frame, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
		return new VideoFrame(this.#canvas, { timestamp, alpha: "discard" });
	}
}

/** How a phone was held: TypeScript does not know these fields yet, and not every browser has them. */
function turnOf(frame: VideoFrame): { readonly rotation?: number; readonly flip?: boolean } {
	const { rotation, flip } = frame as { readonly rotation?: number; readonly flip?: boolean };
	return { ...(rotation === undefined ? {} : { rotation }), ...(flip === undefined ? {} : { flip }) };
}
