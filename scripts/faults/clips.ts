import { join } from "node:path";
import { makeCountedClip } from "../../test/support/faults/counted-clip.ts";

/** The program's size and rate: small, so that what is measured is the system's way of recovering and not the machine's limits. */
export const PROGRAM = { width: 640, height: 360, frameRate: 30 } as const;

const HOST_TONES = [600, 900] as const;
const GUEST_TONES = [1_500, 2_100] as const;

/** One clip for each time that somebody begins to publish: the judge tells by the id which it sees. */
const CLIPS = {
	host: { id: 1, width: PROGRAM.width, height: PROGRAM.height, tonesHz: HOST_TONES },
	"host-again": { id: 2, width: PROGRAM.width, height: PROGRAM.height, tonesHz: HOST_TONES },
	"host-larger": { id: 3, width: 960, height: 540, tonesHz: HOST_TONES },
	guest: { id: 101, width: PROGRAM.width, height: PROGRAM.height, tonesHz: GUEST_TONES },
} as const;

export type ClipName = keyof typeof CLIPS;

/** What the judge follows. */
export const HOST_IDS: readonly number[] = [CLIPS.host.id, CLIPS["host-again"].id, CLIPS["host-larger"].id];
export const TONES_HZ: readonly number[] = [...HOST_TONES];

/** Clips, each made when it is first asked for. */
export class Clips {
	readonly #folder: string;
	readonly #seconds: number;
	readonly #made = new Map<ClipName, Promise<string>>();

	/** @param seconds how long every clip is: no less than any case takes */
	constructor(folder: string, seconds: number) {
		this.#folder = folder;
		this.#seconds = seconds;
	}

	/** The clip's file. */
	get(name: ClipName): Promise<string> {
		const made = this.#made.get(name) ?? this.#make(name);
		this.#made.set(name, made);
		return made;
	}

	async #make(name: ClipName): Promise<string> {
		const path = join(this.#folder, `${name}.flv`);
		await makeCountedClip(path, { ...CLIPS[name], frameRate: PROGRAM.frameRate, seconds: this.#seconds });
		return path;
	}
}
