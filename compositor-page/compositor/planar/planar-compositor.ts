import { PictureMemory } from "../../kernels/picture-memory.ts";
import { backToFront, type ComposedPlace, type CompositionInput, type Compositor, coverOutput } from "../compositor.ts";
import { programFrame } from "../program-frame.ts";
import { Turns } from "../turns.ts";
import { blendGraphic, drawBorder } from "./blend.ts";
import { ColourConverter } from "./colour-converter.ts";
import { FrameReader, type PreparedRead } from "./frame-reader.ts";
import { MemoryPicture } from "./memory-picture.ts";
import { PictureScaler } from "./picture-scaler.ts";
import { placesToRedo } from "./places-to-redo.ts";
import { StoredGraphics } from "./stored-graphics.ts";

/** What is to be done for a place in this picture. */
interface Task {
	readonly place: ComposedPlace;
	readonly reader: FrameReader;
	readonly read: PreparedRead | undefined;
}

/**
 * Composes in memory, in I420, as decoders give pictures and the software encoder takes them: a picture that fits is only copied, and nothing
 * passes through RGB. One output picture serves all frames, since `new VideoFrame(buffer)` copies it; what did not change since the last stays there.
 */
export class PlanarCompositor implements Compositor {
	readonly kind = "planar";
	readonly #turns = new Turns();
	readonly #memory = new PictureMemory();
	readonly #scaler = new PictureScaler(this.#memory);
	readonly #colours = new ColourConverter(this.#memory);
	readonly #graphics = new StoredGraphics(this.#memory);
	readonly #output = new MemoryPicture(this.#memory);
	readonly #readers: FrameReader[] = [];
	/** What the output shows, from back to front; `undefined` where it may be anything. */
	#shown: readonly ComposedPlace[] | undefined;
	/** The output as a frame, kept while it stands still. */
	#still: VideoFrame | undefined;
	#closed = false;

	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		return this.#turns.take(() => this.#compose(input, timestampUs, durationUs));
	}

	close(): void {
		this.#closed = true;
		this.#forgetStill();
	}

	async #compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame> {
		if (this.#closed) {
			throw new Error("compositor: expected to be open, got a picture to compose after close");
		}
		const places = backToFront(input.places);
		const covered = places.length > 0 && coverOutput(input);
		const resized = this.#output.resize(input.width, input.height);
		const redo = placesToRedo(resized || !covered ? undefined : this.#shown, places);
		if (covered && !redo.includes(true)) {
			return this.#stillFrame(timestampUs, durationUs);
		}
		this.#forgetStill();
		// Until it is whole again it shows parts of two pictures: after a failure everything is drawn anew.
		this.#shown = undefined;
		await this.#draw(input, covered, places, redo);
		this.#shown = places;
		return programFrame(this.#output, timestampUs, durationUs);
	}

	async #draw(
		input: CompositionInput,
		covered: boolean,
		places: readonly ComposedPlace[],
		redo: readonly boolean[],
	): Promise<void> {
		const tasks = places.flatMap((place, index) => (redo[index] === true ? [this.#prepare(place, index)] : []));
		if (!covered) {
			const whole = { x: 0, y: 0, width: input.width, height: input.height };
			blendGraphic(this.#memory.kernels, this.#output, this.#graphics.of(input.background), 0, 0, whole);
		}
		const rearmost = places[0]?.z;
		// What lies on top waits until those below are there; the others are started together: some kinds of frame are copied on another thread.
		await this.#readAll(tasks.filter(({ place, read }) => read?.way !== "direct" || place.z === rearmost));
		for (const task of tasks) {
			if (task.read?.way === "direct" && task.place.z !== rearmost) {
				await task.reader.read(task.read, this.#output);
			}
			this.#finish(task);
		}
	}

	#prepare(place: ComposedPlace, index: number): Task {
		const reader = this.#reader(index);
		const { picture, rect } = place;
		return { place, reader, read: picture.kind === "frame" ? reader.prepare(picture.frame, rect) : undefined };
	}

	async #readAll(tasks: readonly Task[]): Promise<void> {
		const reads = tasks.map(({ reader, read }) => (read === undefined ? undefined : reader.read(read, this.#output)));
		// All have to be over, also when one fails: the next picture uses the same memory.
		const settled = await Promise.allSettled(reads);
		const failed = settled.find((read) => read.status === "rejected");
		if (failed !== undefined) {
			throw failed.reason;
		}
	}

	#finish({ place, reader, read }: Task): void {
		const { picture, rect, border, label } = place;
		const { kernels } = this.#memory;
		const output = this.#output;
		if (picture.kind === "card") {
			blendGraphic(kernels, output, this.#graphics.of(picture.card), rect.x, rect.y, rect);
		}
		if (read !== undefined && read.way !== "direct") {
			this.#scaler.scale(reader.scratch, output, rect);
		}
		if (read?.conversion !== undefined) {
			this.#colours.convert(output, rect, read.conversion);
		}
		if (border !== undefined) {
			drawBorder(kernels, output, rect, border);
		}
		if (label !== undefined) {
			const whole = { x: 0, y: 0, width: output.width, height: output.height };
			blendGraphic(kernels, output, this.#graphics.of(label.graphic), label.x, label.y, whole);
		}
	}

	/** The picture as it was, at another time: shares its memory with all others of it. */
	#stillFrame(timestampUs: number, durationUs: number): VideoFrame {
		this.#still ??= programFrame(this.#output, timestampUs, durationUs);
		return new VideoFrame(this.#still, { timestamp: timestampUs, duration: durationUs });
	}

	#forgetStill(): void {
		this.#still?.close();
		this.#still = undefined;
	}

	#reader(index: number): FrameReader {
		let reader = this.#readers[index];
		if (reader === undefined) {
			reader = new FrameReader(this.#memory);
			this.#readers[index] = reader;
		}
		return reader;
	}
}
