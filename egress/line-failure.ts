import { CLOSED_AFTER_START, type RtmpCloseReason, RtmpCurtError, RtmpRefusedError } from "../rtmp/publisher.ts";
import { withoutSecrets } from "../rtmp/refusal.ts";
import { parseRtmpUrl, type RtmpUrl } from "../rtmp/url.ts";
import type { PublishTarget } from "../worker/protocol/egress-jobs.ts";

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
 * What a failure means.
 *
 * - `broken`: the line, not the destination; also a destination that says that it holds another session of this stream.
 * - `refused`: the destination said no.
 * - `doubtful`: it said no in words that stand for a wrong key with some servers, and for another session of this stream with others.
 * - `curt`: it closed without a word when asked to publish, or within seconds of taking the stream, which is how some services say that a key
 *   is wrong and how any of them says that it is restarting.
 */
export type FailureKind = "broken" | "refused" | "doubtful" | "curt";

export function failureKind(error: unknown): FailureKind {
	if (error instanceof DestinationForbiddenError) {
		return "refused";
	}
	if (error instanceof RtmpRefusedError) {
		return error.mayBeBusy ? "doubtful" : "refused";
	}
	if (error instanceof RtmpCurtError) {
		return "curt";
	}
	return error instanceof LineEndedError ? endingKind(error.reason) : "broken";
}

function endingKind({ kind, code, mayBeBusy }: RtmpCloseReason): FailureKind {
	if (kind !== "refused") {
		return "broken";
	}
	if (code === CLOSED_AFTER_START) {
		return "curt";
	}
	return mayBeBusy === true ? "doubtful" : "refused";
}

/** A failure in words that can be shown: whatever a server or a library put into them, no key is left. */
export function failureMessage(error: unknown, url: RtmpUrl): string {
	return withoutSecrets(error instanceof Error ? error.message : String(error), url);
}

/** @throws DestinationForbiddenError, without the key, when the configured address is none */
export function destinationUrl(target: PublishTarget): RtmpUrl {
	try {
		return parseRtmpUrl(target.url, target.streamKey);
	} catch (cause) {
		throw new DestinationForbiddenError(cause instanceof Error ? cause.message : "egress: expected an RTMP address");
	}
}
