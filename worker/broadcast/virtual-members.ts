import type { ControlEvent } from "../protocol/control-messages.ts";
import type { Outcome } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import type { IceServer, PeerId, Signal } from "../protocol/signaling.ts";
import type { CallMember } from "./call-member.ts";

export type CallEvent = Extract<ControlEvent, { type: "call" }>;

/** Where a signal comes from. */
export interface SignalSource {
	readonly id: PeerId;
	readonly connection: string;
}

/** ICE servers for one connection. */
export interface IceServers {
	readonly servers: readonly IceServer[];
	/** When their credentials run out; absent where they do not. */
	readonly untilMs?: number;
}

/**
 * Whoever speaks for people who are in the call without a control socket of theirs: encoders that speak WHIP. Told like a socket is, and asked nothing: what
 * takes time is to be done later. The members themselves are in the stored record (`record.call`, `leg: "whip"`), and so outlive this object's
 * memory; after a restart words for them come here as before, without anyone having been added anew.
 */
export interface VirtualMembers {
	/** A peer's word to them; mostly the compositor's. */
	signalled(member: CallMember, from: SignalSource, signal: Signal): void;
	/** Who else is in the call: told once they are in it, and when a peer comes, goes or is another (a compositor that was replaced has a new connection). */
	callChanged(member: CallMember, call: CallEvent): void;
	/**
	 * They are out of the call, and it was not they who said so: a newer page or encoder took over, they were removed, their credentials renewed, or the
	 * broadcast is over. The reason is in words.
	 */
	over(member: CallMember, reason: string): void;
}

/** Where there is nobody who could be told. */
export const NO_VIRTUAL_MEMBERS: VirtualMembers = { signalled: () => {}, callChanged: () => {}, over: () => {} };

export interface VirtualJoining {
	readonly person: PersonId;
	/** New with every session, 1 to 64 letters, digits, `_` or `-`. */
	readonly connection: string;
	/** Of what they came with. */
	readonly credentialsVersion: number;
}

/**
 * The half of the call that such members use (`CallRoom` is one). People see a virtual member as one without WebRTC (`realTime: false`: there is no talking with an
 * encoder), the compositor sees one with it. While there is an admitted one a compositor is wanted, in the lobby as well.
 */
export interface VirtualCall {
	/**
	 * Lets the person into the call. Whatever they were in it by before is taken over. Refused (`taken-over`, `broadcast-ended`, `not-found`) where they have no place,
	 * and (`unauthorized`) where what they came with has been made worthless since.
	 *
	 * @returns who else is in the call then; a guest who is not admitted sees nobody
	 */
	addVirtual(joining: VirtualJoining, nowMs: number): Promise<Outcome<CallEvent>>;
	/** The session ended by itself; `VirtualMembers.over` is not called. Nothing happens where that connection is not in the call any more. */
	removeVirtual(person: PersonId, connection: string, nowMs: number): Promise<void>;
	/** Tells a peer something. False when either of the two is not in the call now, or may not see the other: it was dropped then. */
	signalFromVirtual(person: PersonId, connection: string, to: PeerId, signal: Signal): boolean;
	/** As the member is told by `callChanged`; `undefined` when that connection is not in the call. */
	callOf(person: PersonId, connection: string): CallEvent | undefined;
	/** Whose media comes to the compositor by WebRTC, as it said last. */
	realTimePeople(): readonly PersonId[];
	/** For a `Link` header: what is configured, and TURN credentials of this connection's own. Takes 3 s at most, never rejects. */
	iceServersFor(connection: string, nowMs: number): Promise<IceServers>;
}
