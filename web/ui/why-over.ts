import type { SessionState } from "../lib/session-types.ts";

/** Why somebody is not in a show any more. */
export type OverKind = "left" | "ended" | "cancelled" | "removed" | "taken-over" | "gone";

/** What the broadcast says when it is asked afterwards with the same token. */
export type AfterWord =
	| { readonly kind: "status"; readonly status: SessionState["status"] }
	| { readonly kind: "refused"; readonly status: number }
	| { readonly kind: "no-answer" };

const UNAUTHORIZED = 401;
const NOT_FOUND = 404;

/**
 * A session says in words why it is over; what can be done about it depends on what holds afterwards: a token that is worth nothing any more was
 * taken back, one that still counts in a show that goes on is in use elsewhere.
 */
export function whyOver(leftOnPurpose: boolean, after: AfterWord): OverKind {
	if (leftOnPurpose) {
		return "left";
	}
	switch (after.kind) {
		case "no-answer":
			return "gone";
		case "refused":
			return after.status === UNAUTHORIZED ? "removed" : after.status === NOT_FOUND ? "ended" : "gone";
		case "status":
			return after.status === "ended" || after.status === "cancelled" ? after.status : "taken-over";
	}
}

export interface OverWords {
	readonly title: string;
	readonly text: string;
	/** What the button to come back says; absent where nobody can. */
	readonly rejoin?: string;
}

export function overWords(kind: OverKind, person: "host" | "guest"): OverWords {
	switch (kind) {
		case "left":
			return {
				title: person === "host" ? "You have left the studio" : "You have left",
				text:
					person === "host"
						? "The show goes on without you if it is live. You can come back at any time."
						: "You can come back while the show is on.",
				rejoin: "Come back",
			};
		case "ended":
			return {
				title: "The show is over",
				text: person === "host" ? "It has ended everywhere it was sent to." : "Thank you for being there.",
			};
		case "cancelled":
			return { title: "The show was cancelled", text: "There is nothing more to do here." };
		case "removed":
			return {
				title: "You are not in the show any more",
				text: "The host has removed you, or your link was replaced. Ask for a new link if that was a mistake.",
			};
		case "taken-over":
			return {
				title: "You are in the show from another window",
				text: "The same link was opened in another window or on another device, and that one is in use now.",
				rejoin: "Use this window instead",
			};
		case "gone":
			return {
				title: "The connection was lost",
				text: "The server does not answer. Check your connection.",
				rejoin: "Try again",
			};
	}
}
