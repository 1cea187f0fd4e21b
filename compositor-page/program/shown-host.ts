import { wrapMs } from "../../media/timestamp.ts";
import { usToMs } from "../../media/units.ts";
import type { PictureStep } from "../../playout/person/person.ts";
import type { PictureState } from "../../worker/protocol/compositor-stats.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";

/** The host's picture in one output frame. */
export interface ShownHost {
	/** Its presentation time as the Router's stream has it: unsigned 32-bit milliseconds. */
	readonly hostMs: number;
	/** The output frame is the first to show it. */
	readonly isNew: boolean;
}

/** What is needed of a `Person`. */
export interface Seen {
	readonly id: PersonId;
	readonly picture: object | undefined;
	state(nowUs: number): PictureState;
	/** The picture's time as their stream at the Router has it; `undefined` where nobody knows. */
	readonly shownStreamUs: number | undefined;
}

/** `undefined` while the host has no picture on show: not there, not seen yet, or a card in their place. */
export function shownHost(
	people: readonly Seen[],
	steps: readonly PictureStep[],
	dueUs: number,
): ShownHost | undefined {
	const at = people.findIndex(({ id }) => id === "host");
	const host = people[at];
	const state = host?.state(dueUs);
	if (host?.picture === undefined || state === "waiting" || state === "card") {
		return undefined;
	}
	const { shownStreamUs } = host;
	return shownStreamUs === undefined
		? undefined
		: { hostMs: wrapMs(Math.round(usToMs(shownStreamUs))), isNew: steps[at] === "new" };
}
