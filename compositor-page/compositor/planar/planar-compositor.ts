import type { CompositionInput, Compositor } from "../compositor.ts";
import { programFrame } from "../program-frame.ts";
import { Turns } from "../turns.ts";
import { PlanarDrawing } from "./planar-drawing.ts";

/**
 * Composes in memory, in I420, as decoders give pictures and the software encoder takes them: a picture that fits is only copied, and nothing
 * passes through RGB. One output picture serves all frames, since `new VideoFrame(buffer)` copies it; what did not change since the last stays there.
 */
export class PlanarCompositor implements Compositor {
	readonly kind = "planar";
	readonly #turns = new Turns();
	/** Absent once closed, and with it all its memory. */
	#drawing: PlanarDrawing | undefined = new PlanarDrawing();
	/** The output as a frame, kept while it stands still. */
	#still: VideoFrame | undefined;

	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		return this.#turns.take(() => this.#compose(input, timestampUs, durationUs));
	}

	close(): void {
		this.#drawing = undefined;
		this.#forgetStill();
	}

	async #compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		const drawing = this.#drawing;
		if (drawing === undefined) {
			throw new Error("compositor: expected to be open, got a picture to compose after close");
		}
		const changed = await drawing.update(input);
		if (changed || this.#drawing === undefined) {
			// Closed meanwhile: the picture that was asked for before is still owed, but nothing is kept.
			this.#forgetStill();
			return programFrame(drawing.output, timestampUs, durationUs);
		}
		// The picture as it was, at another time: shares its memory with all others of it.
		this.#still ??= programFrame(drawing.output, timestampUs, durationUs);
		return new VideoFrame(this.#still, { timestamp: timestampUs, duration: durationUs });
	}

	#forgetStill(): void {
		this.#still?.close();
		this.#still = undefined;
	}
}
