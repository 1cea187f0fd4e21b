import type { Rect } from "../../../media/layout.ts";
import type { Graphic } from "../../graphics/graphic.ts";
import { PictureMemory } from "../../kernels/picture-memory.ts";
import type { Border } from "../../layouts/lay-out.ts";
import { backToFront, type ComposedPlace, type CompositionInput, coverOutput, type Picture } from "../compositor.ts";
import { geometryOf } from "../visible-crop.ts";
import { blendGraphic } from "./blend.ts";
import { ColourConverter } from "./colour-converter.ts";
import { FrameReader, type PreparedRead } from "./frame-reader.ts";
import { MemoryPicture } from "./memory-picture.ts";
import { PictureScaler } from "./picture-scaler.ts";
import { placesToRedo } from "./places-to-redo.ts";
import { StoredFrames } from "./stored-frames.ts";
import { StoredGraphics } from "./stored-graphics.ts";

/** Where one place's picture is made. */
interface Workplace {
	readonly reader: FrameReader;
	/** The picture of a place with a frame around it, made by itself to be seen through its mask. */
	readonly layer: MemoryPicture;
	/** What the layer shows; `undefined` where it may be anything. */
	layerShows: VideoFrame | Graphic | undefined;
}

/** What is to be done for a place in this picture. */
interface Task {
	readonly place: ComposedPlace;
	readonly workplace: Workplace;
	readonly read: PreparedRead | undefined;
	/** Where the picture goes, and into which part of it. */
	readonly into: MemoryPicture;
	readonly rect: Rect;
	/** The layer shows that very picture already. */
	readonly isDone: boolean;
}

/** One picture that is drawn over and over, with all memory that takes. What did not change since the last time stays as it was. */
export class PlanarDrawing {
	readonly #memory = new PictureMemory();
	readonly #scaler = new PictureScaler(this.#memory);
	readonly #colours = new ColourConverter(this.#memory);
	readonly #graphics = new StoredGraphics(this.#memory);
	readonly #frames = new StoredFrames(this.#memory);
	readonly #workplaces: Workplace[] = [];
	/** What the output shows, from back to front; `undefined` where it may be anything. */
	#shown: readonly ComposedPlace[] | undefined;
	readonly output = new MemoryPicture(this.#memory);

	/** Brings the output up to date; false when it shows the same as before. One call at a time. Rejects when a frame is closed or cannot be read. */
	async update(input: CompositionInput): Promise<boolean> {
		const places = backToFront(input.places);
		for (const { picture } of places) {
			if (picture.kind === "frame") {
				// Also those that need not be read again: who gives a closed frame has to know.
				geometryOf(picture.frame);
			}
		}
		const covered = places.length > 0 && coverOutput(input);
		const resized = this.output.resize(input.width, input.height);
		const redo = placesToRedo(resized || !covered ? undefined : this.#shown, places);
		if (covered && !redo.includes(true)) {
			return false;
		}
		// Until it is whole again it shows parts of two pictures: after a failure everything is drawn anew.
		this.#shown = undefined;
		await this.#draw(input, covered, places, redo);
		this.#shown = places;
		return true;
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
			blendGraphic(this.#memory.kernels, this.output, this.#graphics.of(input.background), 0, 0, whole);
		}
		const rearmost = places[0]?.z;
		const mustWait = ({ place, read, into }: Task) =>
			read?.way === "direct" && into === this.output && place.z !== rearmost;
		// What lies on top waits until those below are there; the others are started together: some kinds of frame are copied on another thread.
		await this.#readAll(tasks.filter((task) => !mustWait(task)));
		for (const task of tasks) {
			if (mustWait(task)) {
				await this.#readAll([task]);
			}
			this.#finish(task);
		}
	}

	#prepare(place: ComposedPlace, index: number): Task {
		const workplace = this.#workplace(index);
		const { picture, border } = place;
		if (border === undefined) {
			const read = picture.kind === "frame" ? workplace.reader.prepare(picture.frame, place.rect) : undefined;
			return { place, workplace, read, into: this.output, rect: place.rect, isDone: false };
		}
		const { layer } = workplace;
		const rect = { x: 0, y: 0, width: place.rect.width, height: place.rect.height };
		const resized = layer.resize(rect.width, rect.height);
		const isDone = !resized && workplace.layerShows === shownIn(picture);
		workplace.layerShows = isDone ? workplace.layerShows : undefined;
		const read = picture.kind === "frame" && !isDone ? workplace.reader.prepare(picture.frame, rect) : undefined;
		return { place, workplace, read, into: layer, rect, isDone };
	}

	async #readAll(tasks: readonly Task[]): Promise<void> {
		const reads = tasks.map(({ workplace, read, into }) =>
			read === undefined ? undefined : workplace.reader.read(read, into),
		);
		// All have to be over, also when one fails: the next picture uses the same memory.
		const settled = await Promise.allSettled(reads);
		const failed = settled.find((read) => read.status === "rejected");
		if (failed !== undefined) {
			throw failed.reason;
		}
	}

	#finish(task: Task): void {
		const { place, workplace } = task;
		const { picture, border, label } = place;
		if (!task.isDone) {
			this.#drawPicture(task);
		}
		if (border !== undefined) {
			workplace.layerShows = shownIn(picture);
			this.#showFramed(workplace.layer, place.rect, border);
		}
		if (label !== undefined) {
			const output = this.output;
			const whole = { x: 0, y: 0, width: output.width, height: output.height };
			blendGraphic(this.#memory.kernels, output, this.#graphics.of(label.graphic), label.x, label.y, whole);
		}
	}

	#drawPicture({ place: { picture }, workplace, read, into, rect }: Task): void {
		if (picture.kind === "card") {
			blendGraphic(this.#memory.kernels, into, this.#graphics.of(picture.card), rect.x, rect.y, rect);
		}
		if (read !== undefined && read.way !== "direct") {
			this.#scaler.scale(workplace.reader.scratch, into, rect);
		}
		if (read?.conversion !== undefined) {
			this.#colours.convert(into, rect, read.conversion);
		}
	}

	/** Puts a layer into its place, seen through its frame's mask, and the frame's line over its edge. */
	#showFramed(layer: MemoryPicture, rect: Rect, border: Border): void {
		const { kernels } = this.#memory;
		const output = this.output;
		const { line, masks } = this.#frames.of(border, rect);
		for (const plane of [0, 1, 2] as const) {
			const shift = plane === 0 ? 0 : 1;
			const width = rect.width >> shift;
			kernels.maskPlane(
				layer.address(plane),
				layer.planes[plane].stride,
				masks[plane],
				width,
				output.address(plane, rect.x >> shift, rect.y >> shift),
				output.planes[plane].stride,
				width,
				rect.height >> shift,
			);
		}
		blendGraphic(kernels, output, line, rect.x, rect.y, rect);
	}

	#workplace(index: number): Workplace {
		let workplace = this.#workplaces[index];
		if (workplace === undefined) {
			const layer = new MemoryPicture(this.#memory);
			workplace = { reader: new FrameReader(this.#memory), layer, layerShows: undefined };
			this.#workplaces[index] = workplace;
		}
		return workplace;
	}
}

/** The object that a picture is the same by. */
function shownIn(picture: Picture): VideoFrame | Graphic {
	return picture.kind === "frame" ? picture.frame : picture.card;
}
