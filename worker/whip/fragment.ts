import { type IceCredentials, iceOf, linesOf, mediaSections, sdpText, valueAfter } from "./sdp.ts";

/** Of a large network some dozens. */
const MAX_CANDIDATES = 64;
/** As signals carry them (`signalSchema`); real ones are some 150 characters. */
const MAX_CANDIDATE_LENGTH = 1_024;
const MAX_NAME_LENGTH = 64;

export interface FragmentCandidate {
	/** As in `RTCIceCandidateInit`: `candidate:…`. */
	readonly candidate: string;
	/** `undefined` where it comes ahead of any medium. */
	readonly mid: string | undefined;
}

export interface SdpFragment {
	readonly ice: IceCredentials | undefined;
	readonly candidates: readonly FragmentCandidate[];
	/** There are no more. */
	readonly isEnd: boolean;
}

/**
 * A `trickle-ice-sdpfrag` (RFC 8840 §9). Lines it does not know are passed over, and so are candidates that cannot be handed on (RFC 9725 §4.3.2).
 * Gives what is wrong in words where it is no fragment.
 */
export function readFragment(text: string): SdpFragment | string {
	const lines = linesOf(text);
	const foreign = lines.find((line) => !/^[a-z]=/.test(line));
	if (foreign !== undefined) {
		return "whip: expected a trickle-ice-sdpfrag of lines such as a=candidate:…, got another text";
	}
	const ice = iceOf(lines);
	if (ice === undefined && lines.some((line) => /^a=ice-(ufrag|pwd):/.test(line))) {
		return "whip: expected a=ice-ufrag and a=ice-pwd, got one of them, or none that ICE allows";
	}
	const candidates: FragmentCandidate[] = [];
	let mid: string | undefined;
	for (const line of lines) {
		if (line.startsWith("m=")) {
			mid = undefined;
		} else if (line.startsWith("a=mid:")) {
			mid = line.slice("a=mid:".length);
		} else if (line.startsWith("a=candidate:")) {
			candidates.push({ candidate: line.slice("a=".length), mid });
		}
	}
	const isEnd = lines.includes("a=end-of-candidates");
	if (ice === undefined && candidates.length === 0 && !isEnd) {
		return "whip: expected candidates or ICE credentials, got neither";
	}
	return { ice, candidates: candidates.filter(isPlausible).slice(0, MAX_CANDIDATES), isEnd };
}

/** What answers an ICE restart: credentials and candidates of the compositor's answer (RFC 9725 §4.3.3). */
export function restartFragment(answer: string): string {
	const lines = linesOf(answer);
	const ice = iceOf(lines);
	const [first] = mediaSections(lines);
	return sdpText([
		...lines.filter((line) => line === "a=ice-lite"),
		...(ice === undefined ? [] : [`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.password}`]),
		first?.lines[0] ?? "m=audio 9 UDP/TLS/RTP/SAVPF 0",
		`a=mid:${valueAfter(lines, "a=mid:") ?? "0"}`,
		...new Set(lines.filter((line) => line.startsWith("a=candidate:"))),
		"a=end-of-candidates",
	]);
}

function isPlausible({ candidate, mid = "" }: FragmentCandidate): boolean {
	return candidate.length <= MAX_CANDIDATE_LENGTH && mid.length <= MAX_NAME_LENGTH;
}
