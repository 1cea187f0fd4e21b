import type { SessionPerson, SessionState } from "../lib/session-types.ts";

export interface GuestWords {
	readonly tone: "quiet" | "warning" | "live";
	readonly title: string;
	readonly text: string;
}

/** What a guest has to know most: who sees and hears them now. */
export function guestWords(
	self: Pick<SessionPerson, "admitted" | "muted"> | undefined,
	status: SessionState["status"],
	hostName: string,
): GuestWords {
	if (self === undefined) {
		return { tone: "quiet", title: "Connecting…", text: "Nobody sees or hears you yet." };
	}
	if (!self.admitted) {
		return {
			tone: "warning",
			title: "Waiting to be let in",
			text: `${hostName} has been told that you are here. Nobody sees or hears you yet.`,
		};
	}
	if (status !== "live") {
		return {
			tone: "quiet",
			title: "You are in, and not on air",
			text: "Only the people here see and hear you until the show starts.",
		};
	}
	if (self.muted) {
		return {
			tone: "warning",
			title: "You are on air, muted",
			text: `Viewers see you and do not hear you: ${hostName} has muted you for them. The people here hear you.`,
		};
	}
	return { tone: "live", title: "You are on air", text: "Everyone sees and hears you." };
}
