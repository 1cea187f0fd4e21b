import type { ScenePerson } from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";

export interface Readiness {
	readonly people: readonly Pick<ScenePerson, "id" | "expected">[];
	/** Whether a person's picture is on show, and their sound decoded where they send any. */
	isReady(id: PersonId): boolean;
	/** The program's sound is configured: what opens a stream says which tracks there are. */
	readonly soundKnown: boolean;
}

/**
 * Keeps a program to itself until it shows everyone who is expected, for what stands in for it shows more until then. Opens once: who comes later
 * is seen when they are there.
 */
export class ReadinessGate {
	#open = false;
	#waitingFor: readonly PersonId[] = [];

	get open(): boolean {
		return this.#open;
	}

	/** Who was missing at the last look; nobody once it is open. */
	get waitingFor(): readonly PersonId[] {
		return this.#waitingFor;
	}

	/** Looks at one output frame; true for the one that opens it. */
	look({ people, isReady, soundKnown }: Readiness): boolean {
		if (this.#open) {
			return false;
		}
		this.#waitingFor = people.filter(({ id, expected }) => expected && !isReady(id)).map(({ id }) => id);
		this.#open = this.#waitingFor.length === 0 && soundKnown;
		return this.#open;
	}
}
