import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import type { PeerId, Signal } from "../protocol/signaling.ts";
import type { WhipAnswer, WhipMatch, WhipPatch } from "../protocol/whip.ts";
import { offerFault, readFragment, restartedOffer, restartFragment } from "../whip/sdp.ts";
import type { CallMember } from "./call-member.ts";
import type { CallEvent, SignalSource, VirtualCall, VirtualMembers } from "./virtual-members.ts";

/** A warm compositor answers within half a second; a cold one takes some seconds, and encoders give up after ten or fifteen. */
export const ANSWER_WITHIN_MS = 10_000;
/** Who has sent nothing for this long has gone without a goodbye. */
export const MEDIA_LOST_AFTER_MS = 30_000;
export const LOOK_EVERY_MS = 5_000;

/** What of a session outlives the object's memory. */
export interface StoredWhipSession {
	readonly id: string;
	readonly person: PersonId;
	readonly etag: string;
	/** To make the offer of an ICE restart of. */
	readonly offer: string;
	/** The compositor that answered: its connection. */
	readonly compositor: string;
	/** When media was last known to come, or the session began. */
	readonly mediaAtMs: number;
}

export interface WhipSessionsPorts {
	readonly call: () => VirtualCall;
	readonly store: {
		save(session: StoredWhipSession): Promise<void>;
		remove(id: string): Promise<void>;
	};
	newId(): string;
	newEtag(): string;
	nowMs(): number;
	/** Calls back once; answers what cancels it. */
	after(ms: number, action: () => void): () => void;
	report(message: string, error: unknown): void;
}

interface Pending {
	readonly offer: string;
	/** The compositor it was sent to. */
	sentTo: string | undefined;
	resolve(outcome: Outcome<{ readonly sdp: string; readonly compositor: string }>): void;
}

/**
 * Encoders that speak WHIP (RFC 9725), one session each: they cannot take a message, so that an offer waits here for a compositor and its answer, and a session whose
 * compositor has gone is over: an encoder that finds its line broken posts again.
 */
export class WhipSessions implements VirtualMembers {
	readonly #ports: WhipSessionsPorts;
	readonly #sessions = new Map<string, StoredWhipSession>();
	readonly #pending = new Map<string, Pending>();
	#stopLooking: (() => void) | undefined;

	constructor(ports: WhipSessionsPorts, stored: Iterable<StoredWhipSession> = []) {
		this.#ports = ports;
		for (const session of stored) {
			this.#sessions.set(session.id, session);
		}
		this.#keepLooking();
	}

	async offer(person: PersonId, sdp: string): Promise<Outcome<WhipAnswer>> {
		const fault = offerFault(sdp);
		if (fault !== undefined) {
			return refused("invalid-request", fault);
		}
		const id = this.#ports.newId();
		const call = this.#ports.call();
		const answered = this.#ask(id, sdp);
		const added = await call.addVirtual(person, id, this.#ports.nowMs());
		if (!added.ok) {
			this.#pending.delete(id);
			return added;
		}
		this.#sendTo(person, id, added.value);
		const outcome = await answered;
		if (!outcome.ok) {
			await call.removeVirtual(person, id, this.#ports.nowMs());
			return outcome;
		}
		const { compositor } = outcome.value;
		const etag = this.#ports.newEtag();
		await this.#keep({ id, person, etag, offer: sdp, compositor, mediaAtMs: this.#ports.nowMs() });
		const { servers } = await call.iceServersFor(id, this.#ports.nowMs());
		return done({ sessionId: id, sdp: outcome.value.sdp, etag, iceServers: servers });
	}

	async patch({
		sessionId,
		fragment,
		match,
	}: WhipPatch): Promise<Outcome<{ readonly fragment: string; readonly etag: string } | null>> {
		const session = this.#sessions.get(sessionId);
		if (session === undefined) {
			return noSession();
		}
		const refusal = matchRefusal(match, session.etag);
		if (refusal !== undefined) {
			return refusal;
		}
		const { ice, candidates, isEnd } = readFragment(fragment);
		if (match === "any") {
			return ice === undefined
				? refused("invalid-request", "whip: expected new ICE credentials to restart with, got none")
				: this.#restart(session, restartedOffer(session.offer, ice, candidates));
		}
		if (candidates.length === 0 && !isEnd && ice === undefined) {
			return refused("invalid-request", "whip: expected a trickle-ice-sdpfrag with candidates, got another text");
		}
		for (const { candidate, mid } of candidates) {
			this.#ports.call().signalFromVirtual(session.person, sessionId, "compositor", {
				kind: "candidate",
				candidate,
				...(mid === undefined ? { sdpMLineIndex: 0 } : { sdpMid: mid }),
			});
		}
		return done(null);
	}

	async end(sessionId: string): Promise<Outcome<null>> {
		const session = this.#sessions.get(sessionId);
		if (session === undefined) {
			return noSession();
		}
		await this.#close(session, "the encoder ended its session");
		return done(null);
	}

	signalled(member: CallMember, from: SignalSource, signal: Signal): void {
		if (from.id !== "compositor") {
			return;
		}
		const pending = this.#pending.get(member.connection);
		if (signal.kind === "description" && signal.type === "answer") {
			pending?.resolve(done({ sdp: signal.sdp, compositor: from.connection }));
		} else if (signal.kind === "bye") {
			pending?.resolve(refused("invalid-request", signal.reason));
			this.#closeInBackground(member.connection, signal.reason);
		}
	}

	callChanged(member: CallMember, call: CallEvent): void {
		const { connection, person } = member;
		if (this.#pending.has(connection)) {
			this.#sendTo(person, connection, call);
			return;
		}
		const session = this.#sessions.get(connection);
		const compositor = call.peers.find(({ id }) => id === "compositor")?.connection;
		if (session !== undefined && compositor !== undefined && compositor !== session.compositor) {
			// It never saw this encoder, which cannot be asked for an offer.
			this.#closeInBackground(connection, "the compositor was replaced");
		}
	}

	over(member: CallMember, reason: string): void {
		this.#pending.get(member.connection)?.resolve(refused("taken-over", `whip: ${reason}`));
		this.#forget(member.connection);
	}

	#ask(id: string, offer: string): Promise<Outcome<{ readonly sdp: string; readonly compositor: string }>> {
		return new Promise((settle) => {
			const cancel = this.#ports.after(ANSWER_WITHIN_MS, () => {
				const detail = `whip: expected a compositor's answer within ${ANSWER_WITHIN_MS / 1_000} s, got none`;
				this.#pending.get(id)?.resolve(refused("no-compositor", detail));
			});
			this.#pending.set(id, {
				offer,
				sentTo: undefined,
				resolve: (outcome) => {
					cancel();
					this.#pending.delete(id);
					settle(outcome);
				},
			});
		});
	}

	#sendTo(person: PersonId, id: string, { peers }: Pick<CallEvent, "peers">): void {
		const pending = this.#pending.get(id);
		const compositor = peers.find((peer) => peer.id === ("compositor" satisfies PeerId))?.connection;
		if (pending === undefined || compositor === undefined || pending.sentTo === compositor) {
			return;
		}
		pending.sentTo = compositor;
		this.#ports.call().signalFromVirtual(person, id, "compositor", {
			kind: "description",
			type: "offer",
			sdp: pending.offer,
			complete: true,
		});
	}

	async #restart(
		session: StoredWhipSession,
		offer: string,
	): Promise<Outcome<{ readonly fragment: string; readonly etag: string }>> {
		const { id, person } = session;
		const call = this.#ports.call().callOf(person, id);
		if (call === undefined) {
			return noSession();
		}
		const answered = this.#ask(id, offer);
		this.#sendTo(person, id, call);
		const outcome = await answered;
		if (!outcome.ok) {
			return outcome;
		}
		const etag = this.#ports.newEtag();
		await this.#keep({ ...session, etag, offer });
		return done({ fragment: restartFragment(outcome.value.sdp), etag });
	}

	async #keep(session: StoredWhipSession): Promise<void> {
		this.#sessions.set(session.id, session);
		this.#keepLooking();
		await this.#ports.store.save(session);
	}

	async #close({ id, person }: Pick<StoredWhipSession, "id" | "person">, reason: string): Promise<void> {
		const call = this.#ports.call();
		call.signalFromVirtual(person, id, "compositor", { kind: "bye", reason });
		this.#forget(id);
		await call.removeVirtual(person, id, this.#ports.nowMs());
	}

	#closeInBackground(id: string, reason: string): void {
		const session = this.#sessions.get(id);
		if (session !== undefined) {
			this.#close(session, reason).catch((error: unknown) => this.#ports.report("a WHIP session did not end", error));
		}
	}

	#forget(id: string): void {
		if (this.#sessions.delete(id)) {
			this.#ports.store
				.remove(id)
				.catch((error: unknown) => this.#ports.report("a WHIP session was not forgotten", error));
		}
	}

	/** Finds encoders that went without a word, while there are any. */
	#keepLooking(): void {
		if (this.#sessions.size > 0) {
			this.#stopLooking ??= this.#ports.after(LOOK_EVERY_MS, () => {
				this.#stopLooking = undefined;
				this.#look();
				this.#keepLooking();
			});
		}
	}

	#look(): void {
		const nowMs = this.#ports.nowMs();
		const there = this.#ports.call().realTimePeople();
		for (const session of this.#sessions.values()) {
			if (there.includes(session.person)) {
				this.#sessions.set(session.id, { ...session, mediaAtMs: nowMs });
			} else if (nowMs - session.mediaAtMs > MEDIA_LOST_AFTER_MS) {
				this.#closeInBackground(session.id, `expected media within ${MEDIA_LOST_AFTER_MS / 1_000} s, got none`);
			}
		}
	}
}

function noSession(): Outcome<never> {
	return refused("not-found", "whip: expected a session that goes on, got one that is over or never was");
}

/** RFC 9725 §4.3.2: candidates belong to the credentials there are, a restart (`*`) to any. */
function matchRefusal(match: WhipMatch, etag: string): Outcome<never> | undefined {
	if (match === undefined) {
		return refused(
			"precondition-required",
			'whip: expected If-Match with the session\'s entity tag, or "*" to restart',
		);
	}
	return match === "any" || match.includes(etag)
		? undefined
		: refused("precondition-failed", "whip: expected the entity tag of the session's ICE credentials, got another");
}
