import type { ScenePerson } from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import { MediaSubscription } from "../sources/media-subscription.ts";
import { Person } from "./person.ts";

export interface CastOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly token: string;
	readonly outputFrameRate: number;
	readonly soundBehindMs: number;
	nowUs(): number;
	onDecodeMs(ms: number): void;
	onProblem(reason: string): void;
}

interface Member {
	readonly person: Person;
	readonly subscription: MediaSubscription;
}

/** Everyone in the scene, each with a subscription to their stream. */
export class Cast {
	readonly #options: CastOptions;
	readonly #members = new Map<PersonId, Member>();

	constructor(options: CastOptions) {
		this.#options = options;
	}

	get people(): Person[] {
		return [...this.#members.values()].map((member) => member.person);
	}

	/** Takes in who is new and lets go of who left; the others are not touched. */
	apply(people: readonly ScenePerson[]): void {
		for (const [id, member] of this.#members) {
			if (!people.some((person) => person.id === id)) {
				this.#members.delete(id);
				dismiss(member);
			}
		}
		for (const { id, expected } of people) {
			const member = this.#members.get(id) ?? this.#admit(id);
			this.#members.set(id, member);
			member.subscription.setExpected(expected);
		}
	}

	close(): void {
		for (const member of this.#members.values()) {
			dismiss(member);
		}
		this.#members.clear();
	}

	#admit(id: PersonId): Member {
		const { apiUrl, broadcastId, token, nowUs, onDecodeMs } = this.#options;
		const onProblem = (reason: string) => this.#options.onProblem(`${id}: ${reason}`);
		const { outputFrameRate, soundBehindMs } = this.#options;
		const person = new Person({ id, outputFrameRate, soundBehindMs, nowUs, onProblem, onDecodeMs });
		const subscription = new MediaSubscription({
			apiUrl,
			broadcastId,
			stream: id,
			token,
			nowUs,
			onFrame: (frame, arrivalUs) => person.push(frame, arrivalUs),
			onConnected: (connected) => person.setConnected(connected),
			onRefused: onProblem,
			onProblem,
		});
		return { person, subscription };
	}
}

function dismiss({ person, subscription }: Member): void {
	subscription.close();
	person.close();
}
