import type { FragmentCandidate } from "./fragment.ts";
import { type IceCredentials, iceOf, linesOf, type MediaSection, mediaSections, sdpText } from "./sdp.ts";

/**
 * What is wrong with an encoder's offer (RFC 9725 §4.2 and §4.4), in words; `undefined` when nothing is. What can be decoded is the
 * compositor's to say.
 */
export function offerFault(sdp: string): string | undefined {
	const lines = linesOf(sdp);
	if (lines[0] !== "v=0") {
		return "whip: expected an SDP offer that begins with v=0, got another text";
	}
	const sections = mediaSections(lines);
	const count = (kind: string) => sections.filter((section) => section.kind === kind).length;
	if (count("video") !== 1) {
		return `whip: expected one video track in the offer, got ${count("video") || "none"}`;
	}
	if (count("audio") > 1) {
		return `whip: expected at most one audio track in the offer, got ${count("audio")}`;
	}
	const deaf = sections.find((section) => ["a=recvonly", "a=inactive"].some((line) => section.lines.includes(line)));
	if (deaf !== undefined) {
		return `whip: expected tracks that send, got ${deaf.kind} that does not`;
	}
	if (iceOf(lines) === undefined) {
		return "whip: expected ICE credentials (a=ice-ufrag, a=ice-pwd) in the offer, got none";
	}
	if (!lines.some((line) => line.startsWith("a=fingerprint:"))) {
		return "whip: expected a certificate's a=fingerprint in the offer, got none";
	}
	if (!isBundled(lines, sections)) {
		return "whip: expected all media in one a=group:BUNDLE, got media of its own transport";
	}
	return sections.every((section) => section.lines.includes("a=rtcp-mux"))
		? undefined
		: "whip: expected a=rtcp-mux with all media, got media without";
}

/** What an encoder would not be told by an answer: that a part of what it sends is thrown away (RFC 9725 §4.4.3). */
export function answerFault(sdp: string): string | undefined {
	const refused = mediaSections(linesOf(sdp)).find(({ kind, port }) => port === 0 && ["audio", "video"].includes(kind));
	if (refused === undefined) {
		return undefined;
	}
	const codecs = refused.kind === "video" ? "H.264, VP8, VP9 or AV1" : "Opus";
	return `whip: expected ${refused.kind} in ${codecs}, got none that the compositor decodes`;
}

/** The offer as it would be with other ICE credentials and no candidates but these; each is in it once, however often its medium is named. */
export function restartedOffer(
	offer: string,
	{ ufrag, password }: IceCredentials,
	candidates: readonly FragmentCandidate[],
): string {
	const lines = linesOf(offer).filter((line) => !line.startsWith("a=candidate:") && line !== "a=end-of-candidates");
	// Those without a medium are of the one that the bundle is named by, which is the first.
	const firstMid = mediaSections(lines)[0]?.mid;
	const left = new Set(candidates);
	return sdpText(
		lines.map(nextVersion).flatMap((line) => {
			if (line.startsWith("a=ice-ufrag:")) {
				return [`a=ice-ufrag:${ufrag}`];
			}
			if (line.startsWith("a=ice-pwd:")) {
				return [`a=ice-pwd:${password}`];
			}
			const mid = line.startsWith("a=mid:") ? line.slice("a=mid:".length) : undefined;
			const theirs = mid === undefined ? [] : [...left].filter((each) => (each.mid ?? firstMid) === mid);
			for (const each of theirs) {
				left.delete(each);
			}
			return [line, ...theirs.map(({ candidate }) => `a=${candidate}`)];
		}),
	);
}

function isBundled(lines: readonly string[], sections: readonly MediaSection[]): boolean {
	const groups = lines.filter((line) => line.startsWith("a=group:BUNDLE")).map((line) => line.split(" ").slice(1));
	return groups.some((mids) => sections.every(({ mid }) => mid !== undefined && mids.includes(mid)));
}

/** A description that differs counts one more (RFC 3264 §8). */
function nextVersion(line: string): string {
	return line.replace(/^(o=\S+ \S+ )(\d+)/, (_, before: string, version: string) => `${before}${BigInt(version) + 1n}`);
}
