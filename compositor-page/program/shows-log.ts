import { type CompositeShows, SHOWS_AGAIN_AFTER_MS } from "../../worker/protocol/media-socket.ts";
import type { ShownHost } from "./shown-host.ts";
import { wireMsBetween } from "./wire-time.ts";

/**
 * The host's time in the program's, as a mean over this many new pictures. One picture alone says it to half an output frame: 25 pictures a second
 * shown in 30 swing by that much without anything having moved.
 */
const PICTURES = 8;
/** From one picture to the next no sampling moves by more: the host's time or its delay has jumped. */
const JUMP_MS = 60;

export interface ProgramPicture {
	/** The tag's timestamp. */
	readonly programMs: number;
	readonly keyFrame: boolean;
	readonly host: ShownHost | undefined;
}

/** Decides before which of the pictures sent to say what they show of the host. For one connection. */
export class ShowsLog {
	/** Program time less host time of the first picture; all others are kept relative to it. */
	#originMs: number | undefined;
	/** Of the latest new pictures of the host, since the last jump. */
	#offsetsMs: number[] = [];
	/** Nothing was said since it began, or jumped. */
	#isNews = true;
	/** The mean of what was known when something was last said; `undefined` while too few pictures are for a mean. */
	#saidMs: number | undefined;

	/** What to say right before this picture. */
	next({ programMs, keyFrame, host }: ProgramPicture): CompositeShows | undefined {
		if (host === undefined) {
			return undefined;
		}
		const { hostMs, isNew } = host;
		if (isNew || this.#originMs === undefined) {
			this.#note(wireMsBetween(hostMs, programMs));
		}
		if (!keyFrame && !this.#isNews && !(isNew && this.#hasMoved())) {
			return undefined;
		}
		this.#isNews = false;
		this.#saidMs = this.#meanMs();
		return { type: "shows", programMs, hostMs };
	}

	#note(offsetMs: number): void {
		this.#originMs ??= offsetMs;
		const relativeMs = wireMsBetween(this.#originMs, offsetMs);
		const newestMs = this.#offsetsMs.at(-1) ?? relativeMs;
		if (Math.abs(relativeMs - newestMs) > JUMP_MS) {
			this.#offsetsMs = [];
			this.#saidMs = undefined;
			this.#isNews = true;
		}
		this.#offsetsMs.push(relativeMs);
		if (this.#offsetsMs.length > PICTURES) {
			this.#offsetsMs.shift();
		}
		this.#saidMs ??= this.#meanMs();
	}

	#hasMoved(): boolean {
		const meanMs = this.#meanMs();
		return meanMs !== undefined && this.#saidMs !== undefined && Math.abs(meanMs - this.#saidMs) > SHOWS_AGAIN_AFTER_MS;
	}

	#meanMs(): number | undefined {
		return this.#offsetsMs.length < PICTURES
			? undefined
			: this.#offsetsMs.reduce((sum, offsetMs) => sum + offsetMs, 0) / PICTURES;
	}
}
