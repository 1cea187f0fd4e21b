import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import type { ProgramPlan } from "../protocol/object-rpc.ts";
import type { PictureSize } from "./picture-size.ts";

/** What is known of a stream by its configurations and pictures. */
export interface StreamFacts {
	readonly videoCodec?: VideoCodec;
	readonly audioCodec?: AudioCodec;
	readonly size?: PictureSize;
	/** Pictures are shown in another order than they are decoded in (B-frames). */
	readonly reordersPictures: boolean;
}

/** Why a host's stream cannot leave as the program, in words; `undefined` when it can. Missing sound is no reason: silence is added. */
export function passthroughRefusal(
	facts: StreamFacts,
	plan: Pick<ProgramPlan, "width" | "height" | "allowsBFrames">,
): string | undefined {
	const { videoCodec, audioCodec, size, reordersPictures } = facts;
	if (videoCodec !== undefined && videoCodec !== "avc") {
		return `host: expected H.264 to pass it through, got ${videoCodec}`;
	}
	if (audioCodec !== undefined && audioCodec !== "aac") {
		return `host: expected AAC to pass it through, got ${audioCodec}`;
	}
	if (size === undefined || size.width !== plan.width || size.height !== plan.height) {
		const got = size === undefined ? "none" : `${size.width}x${size.height}`;
		return `host: expected pictures of ${plan.width}x${plan.height} to pass them through, got ${got}`;
	}
	if (reordersPictures && !plan.allowsBFrames) {
		return "host: expected no pictures out of order, which a destination does not take, got some";
	}
	return undefined;
}
