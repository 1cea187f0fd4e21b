import type { RateAdvice } from "../../worker/protocol/signaling.ts";
import type { RealTimeLegState, SessionPerson, SessionState, StreamLegState, TalkState } from "../lib/session-types.ts";

/** What a state is called, and whether it is something to look at. */
export interface Words {
	readonly text: string;
	readonly tone: "good" | "quiet" | "warning" | "bad";
}

const STREAM: Readonly<Record<StreamLegState, Words>> = {
	off: { text: "Not used", tone: "quiet" },
	connecting: { text: "Connecting…", tone: "quiet" },
	sending: { text: "Sending", tone: "good" },
	asleep: { text: "Ready, not needed now", tone: "quiet" },
	broken: { text: "Interrupted, connecting again…", tone: "bad" },
};

const REAL_TIME: Readonly<Record<RealTimeLegState, Words>> = {
	off: { text: "Not needed now", tone: "quiet" },
	waiting: { text: "Waiting for the mixer…", tone: "quiet" },
	connecting: { text: "Connecting…", tone: "quiet" },
	connected: { text: "Sending", tone: "good" },
	broken: { text: "Interrupted, connecting again…", tone: "bad" },
	unavailable: { text: "Not possible here, the stream is used instead", tone: "warning" },
};

const PROGRAM: Readonly<Record<SessionState["program"], Words>> = {
	none: { text: "Nothing yet", tone: "quiet" },
	host: { text: "You alone, passed through as you are sent", tone: "good" },
	composite: { text: "Everyone together, mixed", tone: "good" },
	hold: { text: "The last picture, held: nothing is coming", tone: "bad" },
};

const TALK: Readonly<Record<TalkState, Words | undefined>> = {
	connecting: { text: "Connecting…", tone: "quiet" },
	connected: undefined,
	relayed: { text: "Connected by way of a relay", tone: "quiet" },
	stream: { text: "No direct line: about a second late", tone: "warning" },
	broken: { text: "Connection interrupted…", tone: "bad" },
};

export const streamWords = (state: StreamLegState): Words => STREAM[state];
export const realTimeWords = (state: RealTimeLegState): Words => REAL_TIME[state];
export const programWords = (source: SessionState["program"]): Words => PROGRAM[source];

/** What is to be said of the line to somebody; nothing where all is well. */
export function talkWords(talk: TalkState | undefined): Words | undefined {
	return talk === undefined ? undefined : TALK[talk];
}

/** Where a person stands, as the host sees it. */
export function personWords(person: SessionPerson, status: SessionState["status"]): Words {
	if (!person.live) {
		return { text: "Not here", tone: "quiet" };
	}
	if (!person.admitted) {
		return { text: "Waiting to be let in", tone: "warning" };
	}
	const talk = talkWords(person.talk);
	if (talk !== undefined && talk.tone !== "quiet") {
		return talk;
	}
	if (person.muted) {
		return { text: "Muted for viewers", tone: "warning" };
	}
	return status === "live" ? { text: "On air", tone: "good" } : { text: "Here", tone: "good" };
}

/** What the sender was asked for: `at most 360 lines, 20 frames a second, 0.8 Mb/s`. */
export function adviceWords({ maxHeight, maxFrameRate, maxBitrateBps, reason }: RateAdvice): string | undefined {
	const limits = [
		maxHeight === undefined ? undefined : `${maxHeight} lines`,
		maxFrameRate === undefined ? undefined : `${maxFrameRate} frames a second`,
		maxBitrateBps === undefined ? undefined : `${(maxBitrateBps / 1e6).toFixed(1)} Mb/s`,
	].filter((limit) => limit !== undefined);
	if (limits.length === 0) {
		return reason;
	}
	return `Lowered to at most ${limits.join(", ")}${reason === undefined ? "" : `: ${reason}`}`;
}

/** Initials for a tile without a picture. */
export function initialsOf(name: string): string {
	const words = name.trim().split(/\s+/);
	const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? "")][0] ?? "");
	return letters.join("").toUpperCase();
}
