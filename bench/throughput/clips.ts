import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filmScene } from "../peers/scenes.ts";
import { FRAME_RATE, FRAMES, type ProgramShape } from "./program-shape.ts";

/** Films that several programs are made of, each person filmed once in each size. */
export class Clips {
	readonly #folder: string;
	readonly #frames: number;
	readonly #films = new Map<string, Promise<string>>();

	constructor(folder: string, frames: number = FRAMES) {
		this.#folder = folder;
		this.#frames = frames;
	}

	/** Paths of the films of those in the program. One after the other: filming takes all the machine has. */
	async paths({ people, source }: ProgramShape): Promise<string[]> {
		const paths: string[] = [];
		for (let index = 0; index < people; index++) {
			const path = join(this.#folder, `person-${index}-${source.width}x${source.height}.flv`);
			const film =
				this.#films.get(path) ??
				filmScene(path, index, { ...source, frameRate: FRAME_RATE, frames: this.#frames }).then(() => path);
			this.#films.set(path, film);
			paths.push(await film);
		}
		return paths;
	}

	async bytes(shape: ProgramShape): Promise<Uint8Array[]> {
		const paths = await this.paths(shape);
		return await Promise.all(paths.map(async (path) => new Uint8Array(await readFile(path))));
	}
}
