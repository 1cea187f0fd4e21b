import type { Outcome } from "./problem.ts";
import type { PersonId } from "./roles.ts";
import type { IceServer } from "./signaling.ts";

/** What the Worker asks a Broadcast of encoders that speak WHIP (RFC 9725). */

export interface WhipAnswer {
	readonly sessionId: string;
	/** The compositor's answer, with all its candidates. */
	readonly sdp: string;
	/** Of the session's ICE credentials: another after each restart. Without quotes. */
	readonly etag: string;
	readonly iceServers: readonly IceServer[];
}

/** What `If-Match` said (RFC 9110 §13.1.1). */
export type WhipMatch = "any" | readonly string[] | undefined;

/** What answers an ICE restart. */
export interface WhipRestart {
	/** A trickle-ice-sdpfrag with the compositor's new credentials and candidates. */
	readonly fragment: string;
	readonly etag: string;
}

export interface WhipPatch {
	readonly sessionId: string;
	/** A trickle-ice-sdpfrag (RFC 8840 §9). */
	readonly fragment: string;
	readonly match: WhipMatch;
}

export interface WhipRpc {
	/**
	 * Begins a session in place of whatever that person was in the call by. Answers when a compositor has; where none has after 10 s it is refused, and nobody is
	 * in the call.
	 *
	 * @param credentialsVersion of what they came with: it may have been made worthless on its way here
	 */
	whipOffer(person: PersonId, credentialsVersion: number, sdp: string): Promise<Outcome<WhipAnswer>>;
	/** `null` where candidates were only taken. */
	whipPatch(patch: WhipPatch): Promise<Outcome<WhipRestart | null>>;
	/** Ends a session. */
	whipEnd(sessionId: string): Promise<Outcome<null>>;
}
