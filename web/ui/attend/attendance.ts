import type { BroadcastSession, JoinBroadcast } from "../../lib/session-types.ts";
import { type Credential, keepRedeemed, type TabMemory } from "../entrance.ts";
import { errorWords } from "../error-words.ts";
import type { Entering } from "../green-room/entering.ts";
import { LiveSession } from "../live-session.ts";
import type { ShowApi } from "../show-api.ts";
import { Held, type Store } from "../store.ts";
import { type OverKind, whyOver } from "../why-over.ts";

/** Where somebody is on their way through a show. */
export type Phase =
	| { readonly kind: "green-room"; readonly error?: string }
	| { readonly kind: "entering" }
	| { readonly kind: "in"; readonly live: LiveSession; readonly api: ShowApi }
	| { readonly kind: "over"; readonly why: OverKind; readonly reason: string };

export interface AttendanceOptions {
	readonly broadcastId: string;
	readonly credential: Credential;
	/** Of this page: the session takes the broadcast from it. */
	readonly url: string;
	readonly memory: TabMemory;
	readonly join: JoinBroadcast;
	/** Calls by whoever holds that token or code. */
	apiFor(token: string): ShowApi;
}

/** One person's way from the green room into the show, out of it, and back. */
export class Attendance implements Store<Phase> {
	readonly #options: AttendanceOptions;
	readonly #phase = new Held<Phase>({ kind: "green-room" });
	#credential: Credential;

	constructor(options: AttendanceOptions) {
		this.#options = options;
		this.#credential = options.credential;
	}

	get state(): Phase {
		return this.#phase.state;
	}

	onChange(listener: () => void): () => void {
		return this.#phase.onChange(listener);
	}

	/** Does nothing but from the green room, so that a second click makes no second session. */
	async enter({ name, devices, camera, microphone }: Entering): Promise<void> {
		if (this.state.kind !== "green-room") {
			return;
		}
		this.#phase.set({ kind: "entering" });
		try {
			const token = await this.#token(name);
			const session = await this.#options.join({ url: this.#options.url, token, devices, camera, microphone });
			this.#beIn(session, this.#options.apiFor(token), name);
		} catch (error) {
			this.#phase.set({ kind: "green-room", error: errorWords(error) });
		}
	}

	async leave(): Promise<void> {
		const { state } = this;
		if (state.kind === "in") {
			this.#phase.set({ kind: "over", why: "left", reason: "left" });
			await state.live.session.leave();
		}
	}

	/** To the green room again, for another go. */
	back(): void {
		this.#phase.set({ kind: "green-room" });
	}

	/** An invite is redeemed when somebody goes in by it, and once. */
	async #token(name: string | undefined): Promise<string> {
		const { broadcastId, memory, apiFor } = this.#options;
		if (this.#credential.kind === "token") {
			return this.#credential.token;
		}
		const { code } = this.#credential;
		const token = await apiFor(code).redeemInvite(name);
		this.#credential = { kind: "token", token };
		keepRedeemed(broadcastId, code, token, memory);
		return token;
	}

	#beIn(session: BroadcastSession, api: ShowApi, name: string | undefined): void {
		const live = new LiveSession(session);
		const inside: Phase = { kind: "in", live, api };
		session.on("ended", ({ reason }) => {
			if (this.state === inside) {
				void this.#over(api, reason);
			}
		});
		this.#phase.set(inside);
		if (name !== undefined) {
			callSelf(live, name);
		}
	}

	async #over(api: ShowApi, reason: string): Promise<void> {
		const why = whyOver(false, await api.after());
		this.#phase.set({ kind: "over", why, reason });
	}
}

/** Under that name from now on, as soon as it is known to be another than they have. */
function callSelf(live: LiveSession, name: string): void {
	const rename = () => {
		const { person, people } = live.state.session;
		const self = people.find(({ id }) => id === person);
		if (self === undefined) {
			return;
		}
		stop();
		if (self.name !== name) {
			live.session
				.command({ type: "set-person", personId: person, name })
				.catch((error: unknown) => live.report(error));
		}
	};
	const stop = live.onChange(rename);
	rename();
}
