import type { PersonId } from "../../worker/protocol/roles.ts";
import type { BroadcastSession, SessionState } from "../lib/session-types.ts";
import { errorWords } from "./error-words.ts";
import { Held, type Store } from "./store.ts";

const MAX_REFUSALS = 3;

export interface Refusal {
	readonly key: number;
	readonly text: string;
}

export interface LiveView {
	readonly session: SessionState;
	readonly preview: MediaStream;
	/** What is to be seen and heard of the others. */
	readonly remotes: ReadonlyMap<PersonId, MediaStream>;
	/** What the person asked for and did not get, until they have read it. */
	readonly refusals: readonly Refusal[];
}

/** A session's events as one state for the pages to show. */
export class LiveSession implements Store<LiveView> {
	readonly session: BroadcastSession;
	readonly #held: Held<LiveView>;
	#refusalCount = 0;

	/** To be made as soon as there is the session: what it says before is not heard. */
	constructor(session: BroadcastSession) {
		this.session = session;
		this.#held = new Held<LiveView>({
			session: session.state,
			preview: session.preview,
			remotes: new Map(),
			refusals: [],
		});
		session.on("state", (state) => this.#change({ session: state }));
		session.on("preview", (preview) => this.#change({ preview }));
		session.on("remote", ({ person, stream }) => {
			const remotes = new Map(this.state.remotes);
			if (stream === undefined) {
				remotes.delete(person);
			} else {
				remotes.set(person, stream);
			}
			this.#change({ remotes });
		});
	}

	get state(): LiveView {
		return this.#held.state;
	}

	/** Something they asked for was not done. The same twice is one, and of many the latest are enough. */
	report(error: unknown): void {
		const text = errorWords(error);
		const others = this.state.refusals.filter((refusal) => refusal.text !== text);
		this.#refusalCount += 1;
		this.#change({ refusals: [...others, { key: this.#refusalCount, text }].slice(-MAX_REFUSALS) });
	}

	dismiss(key: number): void {
		this.#change({ refusals: this.state.refusals.filter((refusal) => refusal.key !== key) });
	}

	onChange(listener: () => void): () => void {
		return this.#held.onChange(listener);
	}

	#change(change: Partial<LiveView>): void {
		this.#held.set({ ...this.state, ...change });
	}
}
