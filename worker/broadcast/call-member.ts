import type { PersonId } from "../protocol/roles.ts";

/** Somebody who is in the call: their media is ready, and comes to the compositor by WebRTC where that works. */
export interface CallMember {
	readonly person: PersonId;
	/** New with every time they join, but for those who come back to it after a break of their control socket. */
	readonly connection: string;
	/** By their own page, or by an encoder that speaks WHIP. */
	readonly leg: "real-time" | "whip";
	readonly realTime: boolean;
	/** They publish a stream leg as well, which the program can be made of without a compositor. */
	readonly streams: boolean;
	/** Of the credentials they came with: when those are worth nothing any more, they are out. */
	readonly ver: number;
	/** Since when their media is waited for: they joined, were admitted, or it stopped coming. */
	readonly awaitedSinceMs: number;
	/** It has come to this compositor, and was lost where it does not come now. */
	readonly hadMedia?: true;
	/** Since when their control socket has been broken, while they may still come back to the same connection. */
	readonly awaySinceMs?: number;
}

/** The compositor that has been in the call; it is in it as long as its lease is the newest. */
export interface CallCompositor {
	readonly fence: number;
	/** When its control socket was first there. */
	readonly sinceMs: number;
	/** Whose media comes to it by WebRTC. */
	readonly realTime: readonly PersonId[];
}
