import type { PersonId } from "../protocol/roles.ts";

/** Somebody who is in the call: their media is ready, and comes to the compositor by WebRTC where that works. */
export interface CallMember {
	readonly person: PersonId;
	/** New with every time they join. */
	readonly connection: string;
	/** By their own page, or by an encoder that speaks WHIP. */
	readonly leg: "real-time" | "whip";
	readonly realTime: boolean;
	/** They publish a stream leg as well, which the program can be made of without a compositor. */
	readonly streams: boolean;
}
