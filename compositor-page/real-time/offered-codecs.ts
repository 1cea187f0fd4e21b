/** What the page can do with pictures once they are here; WebRTC's own helpers (sending again, forward correction) stay as they are. */
const PICTURES = ["video/vp8", "video/h264", "video/vp9", "video/av1"];
const HELPERS = ["video/rtx", "video/red", "video/ulpfec", "video/flexfec-03"];
/** Sound that has the packet before in each packet first: a lost one costs nothing then. */
const SOUND = ["audio/red", "audio/opus"];

type Codec = Pick<RTCRtpCodec, "mimeType">;

/**
 * Of what this browser receives what the answer is to take, in order. Among pictures the sender's order is kept: it knows what costs it least, and decoding
 * costs about the same here. Of a section with nothing in it that we know none is common then, which turns it down.
 *
 * @param offered media types of the section, in the offer's order
 */
export function codecsToAnswer<C extends Codec>(
	kind: string,
	offered: readonly string[],
	receivable: readonly C[],
): C[] {
	const of = (mime: string) => receivable.filter((codec) => codec.mimeType.toLowerCase() === mime);
	if (kind === "audio") {
		return SOUND.flatMap(of);
	}
	const common = [...new Set(offered.filter((mime) => PICTURES.includes(mime)))].flatMap(of);
	return common.length === 0 ? PICTURES.flatMap(of) : [...common, ...HELPERS.flatMap(of)];
}

/** The media types of each section of an offer, in its order of preference (RFC 8866 §5.14, §6.6), by the section's `mid`. */
export function offeredCodecs(sdp: string): ReadonlyMap<string, readonly string[]> {
	const sections = sdp.split(/^m=/m).slice(1);
	return new Map(
		sections.map((section, index) => {
			const [kind = "", , , ...payloads] = (section.split(/\r?\n/, 1)[0] ?? "").split(" ");
			const names = new Map(
				[...section.matchAll(/^a=rtpmap:(\d+) ([^/\s]+)/gm)].map(([, payload, name]) => [payload, name]),
			);
			const mid = /^a=mid:(\S+)/m.exec(section)?.[1] ?? `${index}`;
			return [mid, payloads.map((payload) => `${kind}/${names.get(payload) ?? "unknown"}`.toLowerCase())];
		}),
	);
}
