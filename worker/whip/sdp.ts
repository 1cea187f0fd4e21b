/** What is wrong with an offer of a WHIP client (RFC 9725 §4.2), in words; `undefined` when nothing is. What it means is the compositor's to say. */
export function offerFault(sdp: string): string | undefined {
	const lines = linesOf(sdp);
	if (lines[0] !== "v=0") {
		return "whip: expected an SDP offer that begins with v=0, got another text";
	}
	const media = lines.filter((line) => line.startsWith("m="));
	if (!media.some((line) => line.startsWith("m=video"))) {
		return "whip: expected a video track in the offer, got none";
	}
	if (lines.some((line) => line === "a=recvonly")) {
		return "whip: expected tracks that send, got one that only receives";
	}
	if (iceOf(sdp) === undefined) {
		return "whip: expected ICE credentials (a=ice-ufrag, a=ice-pwd) in the offer, got none";
	}
	return undefined;
}

export interface IceCredentials {
	readonly ufrag: string;
	readonly password: string;
}

/** The first credentials of a description or a fragment: with bundled media there are no others. */
export function iceOf(sdp: string): IceCredentials | undefined {
	const lines = linesOf(sdp);
	const ufrag = valueAfter(lines, "a=ice-ufrag:");
	const password = valueAfter(lines, "a=ice-pwd:");
	return ufrag === undefined || password === undefined ? undefined : { ufrag, password };
}

/** The offer as it would be with other ICE credentials and none but these candidates, each with its media's `mid`. */
export function restartedOffer(
	offer: string,
	{ ufrag, password }: IceCredentials,
	candidates: readonly FragmentCandidate[],
): string {
	const kept = linesOf(offer)
		.filter((line) => !line.startsWith("a=candidate:") && line !== "a=end-of-candidates")
		.map((line) => (line.startsWith("a=ice-ufrag:") ? `a=ice-ufrag:${ufrag}` : line))
		.map((line) => (line.startsWith("a=ice-pwd:") ? `a=ice-pwd:${password}` : line));
	const restarted = kept.map((line) => {
		const mid = line.startsWith("a=mid:") ? line.slice("a=mid:".length) : undefined;
		const theirs = mid === undefined ? [] : candidates.filter((each) => (each.mid ?? mid) === mid);
		return [line, ...theirs.map(({ candidate }) => `a=${candidate}`)].join("\r\n");
	});
	return `${restarted.join("\r\n")}\r\n`;
}

export interface FragmentCandidate {
	/** As in `RTCIceCandidateInit`: `candidate:…`. */
	readonly candidate: string;
	readonly mid: string | undefined;
}

export interface SdpFragment {
	readonly ice: IceCredentials | undefined;
	readonly candidates: readonly FragmentCandidate[];
	readonly isEnd: boolean;
}

/** A trickle-ice-sdpfrag (RFC 8840 §9). Lines it does not know are passed over. */
export function readFragment(text: string): SdpFragment {
	const candidates: FragmentCandidate[] = [];
	let mid: string | undefined;
	for (const line of linesOf(text)) {
		if (line.startsWith("m=")) {
			mid = undefined;
		} else if (line.startsWith("a=mid:")) {
			mid = line.slice("a=mid:".length);
		} else if (line.startsWith("a=candidate:")) {
			candidates.push({ candidate: line.slice("a=".length), mid });
		}
	}
	return { ice: iceOf(text), candidates, isEnd: linesOf(text).includes("a=end-of-candidates") };
}

/** The fragment that answers an ICE restart: the answer's credentials and candidates (RFC 9725 §4.3.3). */
export function restartFragment(answer: string): string {
	const lines = linesOf(answer);
	const ice = iceOf(answer);
	const firstMedia = lines.find((line) => line.startsWith("m=")) ?? "m=audio 9 UDP/TLS/RTP/SAVPF 0";
	const mid = valueAfter(lines, "a=mid:") ?? "0";
	const candidates = lines.filter((line) => line.startsWith("a=candidate:"));
	const fragment = [
		...(ice === undefined ? [] : [`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.password}`]),
		firstMedia,
		`a=mid:${mid}`,
		...new Set(candidates),
		"a=end-of-candidates",
	];
	return `${fragment.join("\r\n")}\r\n`;
}

function linesOf(text: string): string[] {
	return text
		.split(/\r\n|\n|\r/)
		.map((line) => line.trimEnd())
		.filter((line) => line !== "");
}

function valueAfter(lines: readonly string[], prefix: string): string | undefined {
	return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}
