import { CLOSED_AFTER_START, type RtmpCloseReason, RtmpRefusedError } from "../../rtmp/publisher.ts";
import { withoutSecrets } from "../../rtmp/refusal.ts";
import { parseRtmpUrl, type RtmpUrl } from "../../rtmp/url.ts";
import type { EgressConfig } from "../protocol/object-rpc.ts";

/** The destination, or the line to it, ended a session. */
export class LineEndedError extends Error {
	override readonly name: string = "LineEndedError";
	readonly reason: RtmpCloseReason;

	constructor(reason: RtmpCloseReason) {
		super(`egress: expected the session to go on, got: ${reason.message}`);
		this.reason = reason;
	}
}

/** The destination may not be connected to at all. */
export class DestinationForbiddenError extends Error {
	override readonly name: string = "DestinationForbiddenError";
}

/**
 * What a failure means. `curt`: the destination took the stream and closed within seconds, which is how some services say that a key is wrong
 * and how any of them says that it is restarting.
 */
export type FailureKind = "broken" | "refused" | "curt";

export function failureKind(error: unknown): FailureKind {
	if (error instanceof RtmpRefusedError || error instanceof DestinationForbiddenError) {
		return "refused";
	}
	if (!(error instanceof LineEndedError) || error.reason.kind !== "refused") {
		return "broken";
	}
	return error.reason.code === CLOSED_AFTER_START ? "curt" : "refused";
}

/** A failure in words that can be shown: whatever a server or a library put into them, no key is left. */
export function failureMessage(error: unknown, url: RtmpUrl): string {
	return withoutSecrets(error instanceof Error ? error.message : String(error), url);
}

/** @throws DestinationForbiddenError, without the key, when the configured address is none */
export function destinationUrl(config: EgressConfig): RtmpUrl {
	try {
		return parseRtmpUrl(config.url, config.streamKey);
	} catch (cause) {
		throw new DestinationForbiddenError(cause instanceof Error ? cause.message : "egress: expected an RTMP address");
	}
}
