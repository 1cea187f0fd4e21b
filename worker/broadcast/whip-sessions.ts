import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import { MAX_SDP_LENGTH, type Signal } from "../protocol/signaling.ts";
import type { WhipAnswer, WhipPatch, WhipRestart, WhipRpc } from "../protocol/whip.ts";
import { readFragment, restartFragment } from "../whip/fragment.ts";
import { matchRefusal } from "../whip/if-match.ts";
import { answerFault, offerFault, restartedOffer } from "../whip/offer.ts";
import { iceOf, linesOf } from "../whip/sdp.ts";
import type { CallMember } from "./call-member.ts";
import { SignalBudget } from "./signal-budget.ts";
import type { CallEvent, SignalSource, VirtualCall, VirtualMembers } from "./virtual-members.ts";

/** A warm compositor answers within half a second and a cold one within some; encoders give up after ten or fifteen. */
export const ANSWER_WITHIN_MS = 10_000;
const GONE = "the compositor has gone";

/** What of a session outlives the object's memory. */
export interface StoredWhipSession {
	/** Of its address. Known to its encoder alone: whoever knows it may end the session. */
	readonly id: string;
	/** In the call, where the others see it. */
	readonly connection: string;
	readonly person: PersonId;
	/** Of its ICE credentials. */
	readonly etag: string;
	/** As it was answered last: the offer of an ICE restart is made of it. */
	readonly offer: string;
	/** The connection of the compositor that answered. */
	readonly compositor: string;
}

export interface WhipSessionsPorts {
	/** Asked each time, for there is no call yet when this is made. */
	call(): VirtualCall;
	/** Who is in the call for encoders, by the stored record. */
	members(): readonly CallMember[];
	/** Whether they may be on air, and so are seen by a compositor. */
	isAdmitted(person: PersonId): boolean;
	readonly store: {
		save(session: StoredWhipSession): Promise<void>;
		remove(id: string): Promise<void>;
	};
	/** Not to be guessed. */
	newId(): string;
	newEtag(): string;
	nowMs(): number;
	/** Calls back once; gives what cancels it. */
	after(ms: number, action: () => void): () => void;
	report(message: string, error: unknown): void;
}

interface Answer {
	readonly sdp: string;
	readonly compositor: string;
}

/** An offer that waits for its answer. */
interface Pending {
	readonly offer: string;
	/** The compositor's connection. */
	sentTo: string | undefined;
	settle(outcome: Outcome<Answer>): void;
}

/**
 * Encoders that speak WHIP (RFC 9725), one session each. They cannot be told anything: an offer waits here for a compositor and its answer, and a
 * session whose compositor has gone is over. Its encoder finds its line dead by then and its session gone, and posts a new offer.
 */
export class WhipSessions implements VirtualMembers, WhipRpc {
	readonly #ports: WhipSessionsPorts;
	/** By their ids. */
	readonly #sessions: Map<string, StoredWhipSession>;
	/** May be lost at any time. */
	readonly #budgets = new Map<string, SignalBudget>();
	/** By the connection in the call. */
	readonly #pending = new Map<string, Pending>();

	constructor(ports: WhipSessionsPorts, stored: Iterable<StoredWhipSession> = []) {
		this.#ports = ports;
		this.#sessions = new Map([...stored].map((session) => [session.id, session]));
	}

	/**
	 * The object was lost: sessions that ended meanwhile are forgotten, those whose compositor has gone are ended, and whoever waited for an answer then waits no
	 * more.
	 */
	async recovered(): Promise<void> {
		const members = this.#ports.members();
		const call = this.#ports.call();
		for (const session of [...this.#sessions.values()]) {
			const { person, connection, compositor } = session;
			if (!members.some((member) => member.connection === connection)) {
				this.#forget(session);
			} else if (compositorOf(call.callOf(person, connection)) !== compositor) {
				await this.#close(session, GONE);
			}
		}
		for (const { person, connection } of this.#ports.members()) {
			if (this.#sessionOf(connection) === undefined) {
				await call.removeVirtual(person, connection, this.#ports.nowMs());
			}
		}
	}

	async whipOffer(person: PersonId, credentialsVersion: number, sdp: string): Promise<Outcome<WhipAnswer>> {
		const fault = offerFault(sdp);
		if (fault !== undefined) {
			return refused("invalid-request", fault);
		}
		const call = this.#ports.call();
		const connection = this.#ports.newId();
		const answered = this.#ask(connection, person, sdp);
		const joined = await call.addVirtual({ person, connection, credentialsVersion }, this.#ports.nowMs());
		if (!joined.ok) {
			this.#pending.get(connection)?.settle(joined);
			return joined;
		}
		this.#send(person, connection, joined.value);
		// Such servers cost: they are not for those who wait to be let on air.
		const early = this.#ports.isAdmitted(person) ? call.iceServersFor(connection, this.#ports.nowMs()) : undefined;
		const answer = await answered;
		if (!answer.ok) {
			await early;
			await call.removeVirtual(person, connection, this.#ports.nowMs());
			return answer;
		}
		const { servers } = await (early ?? call.iceServersFor(connection, this.#ports.nowMs()));
		const { sdp: answerSdp, compositor } = answer.value;
		if (compositorOf(call.callOf(person, connection)) !== compositor) {
			await call.removeVirtual(person, connection, this.#ports.nowMs());
			return refused("no-compositor", "whip: expected the compositor that answered to stay, got it gone");
		}
		const [id, etag] = [this.#ports.newId(), this.#ports.newEtag()];
		await this.#keep({ id, connection, person, etag, offer: sdp, compositor });
		return done({ sessionId: id, sdp: answerSdp, etag, iceServers: servers });
	}

	async whipPatch({ sessionId, fragment, match }: WhipPatch): Promise<Outcome<WhipRestart | null>> {
		const session = this.#sessions.get(sessionId);
		if (session === undefined) {
			return noSession();
		}
		const refusal = matchRefusal(match, session.etag);
		if (refusal !== undefined) {
			return refusal;
		}
		const read = readFragment(fragment);
		if (typeof read === "string") {
			return refused("invalid-request", read);
		}
		const budget = this.#budgets.get(sessionId) ?? new SignalBudget(this.#ports.nowMs());
		this.#budgets.set(sessionId, budget);
		const { ice, candidates, isEnd } = read;
		if (budget.take(fragment.length, this.#ports.nowMs(), candidates.length + 1) !== "ok") {
			return refused("rate-limited", "whip: expected fewer candidates in a short time, got more");
		}
		if (ice === undefined && match === "any") {
			return refused("invalid-request", "whip: expected ICE credentials to restart with, got none");
		}
		// Whose answer to a restart was lost restarts with the same credentials, and wants the same answer.
		if (ice !== undefined && (match === "any" || ice.ufrag !== iceOf(linesOf(session.offer))?.ufrag)) {
			const offer = restartedOffer(session.offer, ice, candidates);
			return offer.length <= MAX_SDP_LENGTH
				? this.#restart(session, offer)
				: refused(
						"too-large",
						`whip: expected an offer of at most ${MAX_SDP_LENGTH} characters with the new candidates`,
					);
		}
		const ufrag = ice === undefined ? {} : { usernameFragment: ice.ufrag };
		const words = candidates.map(({ candidate, mid }) => ({
			candidate,
			...(mid === undefined ? { sdpMLineIndex: 0 } : { sdpMid: mid }),
		}));
		for (const word of isEnd ? [...words, { candidate: "", sdpMLineIndex: 0 }] : words) {
			const signal = { kind: "candidate", ...word, ...ufrag } as const;
			this.#ports.call().signalFromVirtual(session.person, session.connection, "compositor", signal);
		}
		return done(null);
	}

	async whipEnd(sessionId: string): Promise<Outcome<null>> {
		const session = this.#sessions.get(sessionId);
		if (session === undefined) {
			return noSession();
		}
		await this.#close(session, "the encoder ended its session");
		return done(null);
	}

	signalled({ connection }: CallMember, from: SignalSource, signal: Signal): void {
		const pending = this.#pending.get(connection);
		if (from.id !== "compositor") {
			return;
		}
		if (signal.kind === "description" && signal.type === "answer" && pending?.sentTo === from.connection) {
			const fault = answerFault(signal.sdp);
			const answer = { sdp: signal.sdp, compositor: from.connection };
			pending.settle(fault === undefined ? done(answer) : refused("invalid-request", fault));
		} else if (signal.kind === "bye") {
			pending?.settle(refused("invalid-request", `whip: ${signal.reason}`));
			this.#closeInBackground(connection, signal.reason);
		}
		// An encoder cannot be asked to restart, nor to send less.
	}

	callChanged({ connection, person }: CallMember, call: CallEvent): void {
		const session = this.#sessionOf(connection);
		if (session === undefined) {
			this.#send(person, connection, call);
		} else if (compositorOf(call) !== session.compositor) {
			// The encoder knows the certificate of that one, and cannot be asked for an offer to another.
			this.#closeInBackground(connection, GONE);
		}
	}

	over({ connection }: CallMember, reason: string): void {
		this.#pending.get(connection)?.settle(refused("taken-over", `whip: expected to stay in the call, got: ${reason}`));
		const session = this.#sessionOf(connection);
		if (session !== undefined) {
			this.#forget(session);
		}
	}

	#sessionOf(connection: string): StoredWhipSession | undefined {
		return [...this.#sessions.values()].find((session) => session.connection === connection);
	}

	#ask(connection: string, person: PersonId, offer: string): Promise<Outcome<Answer>> {
		return new Promise((resolve) => {
			const pending: Pending = {
				offer,
				sentTo: undefined,
				settle: (outcome) => {
					cancel();
					this.#pending.delete(connection);
					resolve(outcome);
				},
			};
			const cancel = this.#ports.after(ANSWER_WITHIN_MS, () => pending.settle(this.#unanswered(person)));
			this.#pending.set(connection, pending);
		});
	}

	#unanswered(person: PersonId): Outcome<never> {
		const within = `within ${ANSWER_WITHIN_MS / 1_000} s`;
		return this.#ports.isAdmitted(person)
			? refused("no-compositor", `whip: expected a compositor's answer ${within}, got none`)
			: refused("no-compositor", `whip: expected the ${person} to be let on air ${within}, got them still waiting`);
	}

	/** Once a compositor is there; again to one that takes its place. */
	#send(person: PersonId, connection: string, call: CallEvent): void {
		const pending = this.#pending.get(connection);
		const compositor = compositorOf(call);
		if (pending === undefined || compositor === undefined || pending.sentTo === compositor) {
			return;
		}
		pending.sentTo = compositor;
		const offer = { kind: "description", type: "offer", sdp: pending.offer, complete: true } as const;
		this.#ports.call().signalFromVirtual(person, connection, "compositor", offer);
	}

	async #restart(session: StoredWhipSession, offer: string): Promise<Outcome<WhipRestart>> {
		const { id, connection, person } = session;
		const call = this.#ports.call().callOf(person, connection);
		if (call === undefined) {
			return noSession();
		}
		if (this.#pending.has(connection)) {
			return refused("wrong-state", "whip: expected one ICE restart at a time, got another before it was answered");
		}
		const answered = this.#ask(connection, person, offer);
		this.#send(person, connection, call);
		const answer = await answered;
		if (!answer.ok) {
			return answer;
		}
		if (!this.#sessions.has(id)) {
			return noSession();
		}
		const etag = this.#ports.newEtag();
		await this.#keep({ ...session, etag, offer });
		return done({ fragment: restartFragment(answer.value.sdp), etag });
	}

	async #keep(session: StoredWhipSession): Promise<void> {
		this.#sessions.set(session.id, session);
		await this.#ports.store.save(session);
	}

	async #close(session: StoredWhipSession, reason: string): Promise<void> {
		const { person, connection } = session;
		const call = this.#ports.call();
		call.signalFromVirtual(person, connection, "compositor", { kind: "bye", reason });
		this.#forget(session);
		await call.removeVirtual(person, connection, this.#ports.nowMs());
	}

	#closeInBackground(connection: string, reason: string): void {
		const session = this.#sessionOf(connection);
		if (session !== undefined) {
			this.#close(session, reason).catch((error: unknown) => this.#ports.report("a WHIP session did not end", error));
		}
	}

	#forget({ id, connection }: StoredWhipSession): void {
		this.#budgets.delete(id);
		this.#pending.get(connection)?.settle(noSession());
		if (this.#sessions.delete(id)) {
			this.#ports.store
				.remove(id)
				.catch((error: unknown) => this.#ports.report("a WHIP session was not forgotten", error));
		}
	}
}

function compositorOf(call: CallEvent | undefined): string | undefined {
	return call?.peers.find(({ id }) => id === "compositor")?.connection;
}

function noSession(): Outcome<never> {
	return refused("not-found", "whip: expected a session that goes on, got one that is over or never was");
}
