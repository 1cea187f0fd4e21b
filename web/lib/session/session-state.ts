import type { ControlEvent } from "../../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { Notice, SessionPerson, SessionState, TalkState } from "../session-types.ts";

export type StatusEvent = Extract<ControlEvent, { type: "status" }>;
export type PersonMedia = NonNullable<SessionPerson["media"]>;

/** What is known of other people beside what the broadcast says of them. */
export interface Acquaintance {
	readonly talk?: TalkState;
	readonly media?: PersonMedia;
}

const STATUSES: readonly SessionState["status"][] = ["scheduled", "lobby", "live", "ended", "cancelled"];

export function initialState(person: PersonId, media: SessionState["media"]): SessionState {
	return {
		person,
		connection: "connecting",
		status: "unknown",
		program: "none",
		layout: "",
		labels: true,
		people: [],
		media,
		legs: { stream: "off", realTime: "off" },
		notices: [],
	};
}

/** @returns what the broadcast's word changes */
export function withStatus(state: SessionState, event: StatusEvent): SessionState {
	const people = (event.people ?? []).map((person): SessionPerson => {
		const before = state.people.find(({ id }) => id === person.id);
		return { ...person, ...acquaintanceOf(before) };
	});
	return {
		...state,
		status: STATUSES.find((status) => status === event.status) ?? "unknown",
		program: event.program ?? state.program,
		layout: event.layout,
		labels: event.labels ?? true,
		people,
	};
}

export function withAcquaintances(
	state: SessionState,
	acquaintances: ReadonlyMap<PersonId, Acquaintance>,
): SessionState {
	const people = state.people.map(({ id, name, live, admitted, muted }) => ({
		id,
		name,
		live,
		admitted,
		muted,
		...acquaintances.get(id),
	}));
	return { ...state, people };
}

export function withNotice(state: SessionState, notice: Notice): SessionState {
	return { ...state, notices: [...state.notices.filter(({ code }) => code !== notice.code), notice] };
}

export function withoutNotice(state: SessionState, resolved: Notice["code"]): SessionState {
	return { ...state, notices: state.notices.filter(({ code }) => code !== resolved) };
}

function acquaintanceOf(person: SessionPerson | undefined): Acquaintance {
	return {
		...(person?.talk === undefined ? {} : { talk: person.talk }),
		...(person?.media === undefined ? {} : { media: person.media }),
	};
}

/** The one place where a session's state changes; hands it on when something of it has. */
export class SessionStore {
	readonly #onChange: (state: SessionState) => void;
	#state: SessionState;
	#text: string;

	constructor(state: SessionState, onChange: (state: SessionState) => void) {
		this.#state = state;
		this.#text = JSON.stringify(state);
		this.#onChange = onChange;
	}

	get state(): SessionState {
		return this.#state;
	}

	/** Does nothing where the change changes nothing: who shows it would draw it for nothing. */
	change(change: (state: SessionState) => SessionState): void {
		const next = change(this.#state);
		const text = JSON.stringify(next);
		if (text !== this.#text) {
			this.#state = next;
			this.#text = text;
			this.#onChange(next);
		}
	}
}
