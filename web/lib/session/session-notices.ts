import type { Notice, RealTimeLegState, SessionPerson, SessionState } from "../session-types.ts";

/** What of the media's ways a person should know. */
export interface WaysTroubled {
	readonly realTime: RealTimeLegState;
	/** The stream stands in for real time. */
	readonly fallback: boolean;
	readonly canStream: boolean;
	/** Somebody else is there to be with, or somebody to mix. */
	readonly isWithOthers: boolean;
	readonly people: readonly SessionPerson[];
	readonly advice: SessionState["advice"];
}

type WayCode = "real-time-unavailable" | "real-time-broken" | "rate-lowered";

/** Those of the media's ways that hold now; the others are over. */
export function wayNotices(ways: WaysTroubled): readonly (Notice & { readonly code: WayCode })[] {
	const unavailable = unavailableWords(ways);
	return [
		...(unavailable === undefined
			? []
			: [{ code: "real-time-unavailable", level: ways.canStream ? "warning" : "error", text: unavailable } as const]),
		...(ways.realTime === "broken"
			? [
					{
						code: "real-time-broken",
						level: "warning",
						text: "Your connection to the show is interrupted. Trying again…",
					} as const,
				]
			: []),
		...(ways.advice === undefined
			? []
			: [
					{
						code: "rate-lowered",
						level: "info",
						text: `Your picture is sent smaller for the moment${ways.advice.reason === undefined ? "" : `: ${ways.advice.reason}`}.`,
					} as const,
				]),
	];
}

export const WAY_CODES: readonly WayCode[] = ["real-time-unavailable", "real-time-broken", "rate-lowered"];

function unavailableWords({ fallback, canStream, isWithOthers, people }: WaysTroubled): string | undefined {
	const byStream = people.filter(({ talk }) => talk === "stream").map(({ name }) => name);
	if (fallback && isWithOthers) {
		return canStream
			? "A direct connection does not come about from this network or browser. Your picture and sound go by way of the server instead, about a second later."
			: "This browser can send your picture and sound in no way that works here. Use a current Chrome, Edge, Firefox or Safari, or another network.";
	}
	return byStream.length === 0
		? undefined
		: `There is no direct line to ${byStream.join(" and ")}: you hear each other by way of the server, about a second late.`;
}
