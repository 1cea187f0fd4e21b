import type { SourceId } from "./choose-source.ts";

/** A program further ahead of its place than this is made of what some queue held when its source was joined. */
const AHEAD_MS = 200;
/** How fast the place follows its source's clock: 1,000 ppm. */
const DRIFT_PER_MS = 0.001;
/** A composite that seems to be further behind the host than this was measured while one of them stood still. */
const MOST_BEHIND_MS = 900;

/** Clock's time less a source's own, where it comes the quickest way it does, of each source. */
export type Ways = Readonly<Record<SourceId, { readonly wayMs: number }>>;

/**
 * How far the program is behind the clock. A source that is joined after a loss is put where this says, not where the loss, a burst or the
 * composite's longer way would: else each of them would leave the program a little later, or earlier, than it was.
 *
 * Offsets are program time less the source's own.
 */
export class ProgramPlace {
	readonly #ways: Ways;
	/** By the host's own way. `undefined` before the first source. */
	#lagMs: number | undefined;
	/** How much longer the host's pictures take through the composite. */
	#compositeBehindMs = 0;

	constructor(ways: Ways) {
		this.#ways = ways;
	}

	/** The program begins with a source at an offset. */
	begin(id: SourceId, offsetMs: number): void {
		this.#lagMs = this.#lagAt(id, offsetMs);
	}

	/** Where to join a source; `lagMs` is how far the program is behind the clock, where there has been no source to tell. */
	offsetOf(id: SourceId, lagMs: number): number {
		this.#lagMs ??= lagMs;
		return Math.round(this.#ways[id].wayMs - this.#lagMs - this.#behindMs(id));
	}

	/** One source follows the other without a break: what that moves the program by is the way through the composite. */
	handedOver(to: SourceId, offsets: Readonly<Record<SourceId, number>>): void {
		const { composite, host } = this.#ways;
		const movedMs = composite.wayMs - offsets.composite - (host.wayMs - offsets.host);
		if (movedMs >= 0 && movedMs <= MOST_BEHIND_MS) {
			this.#compositeBehindMs = movedMs;
			this.#lagMs = this.#lagAt(to, offsets[to]);
		}
	}

	/** Follows the drift of a source's clock over `passedMs`. Another offset where the program has run ahead of its place. */
	keep(id: SourceId, offsetMs: number, passedMs: number): number {
		const lagMs = this.#lagAt(id, offsetMs);
		const placeMs = this.#lagMs ?? lagMs;
		if (lagMs < placeMs - AHEAD_MS) {
			return this.offsetOf(id, placeMs);
		}
		const mostMs = passedMs * DRIFT_PER_MS;
		this.#lagMs = placeMs + Math.min(mostMs, Math.max(-mostMs, lagMs - placeMs));
		return offsetMs;
	}

	#lagAt(id: SourceId, offsetMs: number): number {
		return this.#ways[id].wayMs - offsetMs - this.#behindMs(id);
	}

	#behindMs(id: SourceId): number {
		return id === "composite" ? this.#compositeBehindMs : 0;
	}
}
