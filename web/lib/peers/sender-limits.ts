import type { RateAdvice } from "../../../worker/protocol/signaling.ts";

/** Of one person's picture: 720p30 of a talking head is good at this, and more helps nobody. */
export const MAX_VIDEO_BITRATE_BPS = 2_500_000;
export const MAX_FRAME_RATE = 30;
export const MAX_HEIGHT = 720;

export interface VideoLimits {
	readonly maxBitrate: number;
	readonly maxFramerate: number;
	readonly scaleResolutionDownBy: number;
	readonly degradationPreference: RTCDegradationPreference;
}

export interface SentPicture {
	/** Of the track; absent while it is not known. */
	readonly height: number | undefined;
	readonly screen: boolean;
}

/**
 * What to send of a picture: our own limits, and what the compositor would like where that is less.
 * @param divisor by what its lines are divided on top of that, for a line that does not take as many
 */
export function videoLimits({ height, screen }: SentPicture, advice: RateAdvice = {}, divisor = 1): VideoLimits {
	const mostLines = Math.min(advice.maxHeight ?? MAX_HEIGHT, MAX_HEIGHT);
	return {
		maxBitrate: Math.min(advice.maxBitrateBps ?? MAX_VIDEO_BITRATE_BPS, MAX_VIDEO_BITRATE_BPS),
		maxFramerate: Math.min(advice.maxFrameRate ?? MAX_FRAME_RATE, MAX_FRAME_RATE),
		scaleResolutionDownBy: divisor * (height === undefined ? 1 : Math.max(1, height / mostLines)),
		// Of a screen the text is to be read; of a face the movement counts.
		degradationPreference: screen ? "maintain-resolution" : "maintain-framerate",
	};
}

/** W3C WebRTC §5.2, setParameters: read before something else changed them. */
const OUTDATED: ReadonlySet<string> = new Set(["InvalidStateError", "InvalidModificationError"]);

type Sender = Pick<RTCRtpSender, "getParameters" | "setParameters">;

/**
 * Puts limits on a sender, without a new negotiation. Before its negotiation a sender has no encodings: nothing is done then. A negotiation that comes in between
 * makes what was read outdated: it is read once more.
 */
export async function applyVideoLimits(sender: Sender, limits: VideoLimits): Promise<void> {
	try {
		await setVideoLimits(sender, limits);
	} catch (error) {
		if (!(error instanceof DOMException && OUTDATED.has(error.name))) {
			throw error;
		}
		await setVideoLimits(sender, limits);
	}
}

async function setVideoLimits(sender: Sender, { degradationPreference, ...encoding }: VideoLimits): Promise<void> {
	const parameters = sender.getParameters();
	if (parameters.encodings === undefined || parameters.encodings.length === 0) {
		return;
	}
	for (const each of parameters.encodings) {
		Object.assign(each, encoding);
	}
	await sender.setParameters(Object.assign(parameters, { degradationPreference }));
}
