/** When a picture or sound was captured, by the sender's clock: RTP header extension of that name, of WebRTC's project. */
export const ABS_CAPTURE_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/**
 * Which pictures a picture refers to (AV1 RTP §A, for every codec): by it the compositor tells a picture that is still to come from one that nothing needs, also after a loss.
 */
export const DEPENDENCY_DESCRIPTOR_URI =
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/** Ids of one-byte header extensions (RFC 8285 §4.2). */
const MAX_EXTENSION_ID = 14;

interface HeaderExtension {
	readonly uri: string;
	direction: RTCRtpTransceiverDirection;
}

/** W3C WebRTC extensions §5; not everywhere yet. */
interface ExtensibleTransceiver {
	getHeaderExtensionsToNegotiate(): HeaderExtension[];
	setHeaderExtensionsToNegotiate(extensions: readonly HeaderExtension[]): void;
}

/**
 * Has the sender's capture times negotiated, and of pictures what each refers to, where the platform knows of that.
 * @returns false where it has no way to ask for the times: the offer is to be munged then
 */
export function offerHeaderExtensions(transceiver: RTCRtpTransceiver): boolean {
	const extensible = transceiver as RTCRtpTransceiver & Partial<ExtensibleTransceiver>;
	const extensions = extensible.getHeaderExtensionsToNegotiate?.();
	const wanted = extensions?.find(({ uri }) => uri === ABS_CAPTURE_TIME_URI);
	if (extensions === undefined || wanted === undefined || extensible.setHeaderExtensionsToNegotiate === undefined) {
		return false;
	}
	wanted.direction = "sendrecv";
	const descriptor = extensions.find(({ uri }) => uri === DEPENDENCY_DESCRIPTOR_URI);
	if (descriptor !== undefined) {
		descriptor.direction = "sendrecv";
	}
	extensible.setHeaderExtensionsToNegotiate(extensions);
	return true;
}

/** The description with the extension offered in every audio and video section, under one id, since bundled sections share their ids (RFC 8285 §6). */
export function withCaptureTime(sdp: string): string {
	if (sdp.includes(ABS_CAPTURE_TIME_URI)) {
		return sdp;
	}
	const taken = new Set([...sdp.matchAll(/^a=extmap:(\d+)/gm)].map(([, id]) => Number(id)));
	const id = Array.from({ length: MAX_EXTENSION_ID }, (_, index) => index + 1).find((free) => !taken.has(free));
	if (id === undefined) {
		return sdp;
	}
	return sdp.replace(
		/^(m=(?:audio|video) [^\r\n]*)(\r?\n)((?:[ci]=[^\r\n]*\r?\n)*)/gm,
		(_, media: string, end: string, rest: string) =>
			`${media}${end}${rest}a=extmap:${id} ${ABS_CAPTURE_TIME_URI}${end}`,
	);
}
