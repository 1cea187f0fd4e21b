/** What is repeated in the packets after it survives a loss without waiting for it to be sent again (RFC 2198). */
const AUDIO_ORDER = ["audio/red", "audio/opus"];

/**
 * The compositor takes both, so what counts is what it costs the sender: H.264 where the machine has a chip for it and none for VP8; else VP8, of which
 * software encoders adapt their resolution finely and hold a bitrate, as OpenH264 does not.
 */
export const VIDEO_CODEC_IN_SOFTWARE = "video/VP8";
const VIDEO_CODEC_IN_HARDWARE = "video/H264";

/** As of a talking head at its usual size. */
const PROBED = { width: 1_280, height: 720, framerate: 30, bitrate: 2_500_000 };
const PROBED_TYPES: Readonly<Record<string, string>> = {
	[VIDEO_CODEC_IN_HARDWARE]: "video/H264;profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
	[VIDEO_CODEC_IN_SOFTWARE]: "video/VP8",
};

type Capabilities = Pick<MediaCapabilities, "encodingInfo">;

/** Which of the two to send. @param capabilities `navigator.mediaCapabilities`, where there is one */
export async function preferredVideoCodec(capabilities: Capabilities | undefined): Promise<string> {
	const isInHardware = async (mimeType: string) => {
		try {
			const contentType = PROBED_TYPES[mimeType] ?? mimeType;
			const info = await capabilities?.encodingInfo({ type: "webrtc", video: { ...PROBED, contentType } });
			return info?.supported === true && info.powerEfficient;
		} catch {
			// A browser that does not know how to say it of WebRTC.
			return false;
		}
	};
	const isBetter = (await isInHardware(VIDEO_CODEC_IN_HARDWARE)) && !(await isInHardware(VIDEO_CODEC_IN_SOFTWARE));
	return isBetter ? VIDEO_CODEC_IN_HARDWARE : VIDEO_CODEC_IN_SOFTWARE;
}

/** What there is, what is wanted first. Everything stays: whoever answers may lack the first. */
export function inOrder<Codec extends { readonly mimeType: string }>(
	available: readonly Codec[],
	kind: string,
	videoCodec: string,
): Codec[] {
	const order = (kind === "audio" ? AUDIO_ORDER : [videoCodec]).map((mimeType) => mimeType.toLowerCase());
	const rank = ({ mimeType }: Codec) => {
		const place = order.indexOf(mimeType.toLowerCase());
		return place < 0 ? order.length : place;
	};
	return [...available].sort((a, b) => rank(a) - rank(b));
}

/** Asks for the codecs of {@link inOrder}, where the platform lets one ask. */
export function preferCodecs(transceiver: RTCRtpTransceiver, kind: string, videoCodec: string): void {
	const available = globalThis.RTCRtpReceiver?.getCapabilities(kind)?.codecs;
	if (available !== undefined && transceiver.setCodecPreferences !== undefined) {
		transceiver.setCodecPreferences(inOrder(available, kind, videoCodec));
	}
}
