import type { Timers } from "./timers.ts";
import type { RtmpUrl } from "./url.ts";

export interface PublisherTimeouts {
	/** From the transport, which may itself be connecting still, to the end of the handshake. */
	readonly handshakeMs: number;
	/** For `connect`'s answer. */
	readonly connectMs: number;
	/** For `createStream`'s answer. */
	readonly createStreamMs: number;
	/** For `NetStream.Publish.Start`. */
	readonly publishMs: number;
	/** A server that takes nothing of what it is sent. */
	readonly stallMs: number;
	/** A server that closes within this long of Publish.Start did not mean it: Twitch's and node-media-server's way to refuse a key. */
	readonly settleMs: number;
	/** For the server to take a final goodbye. */
	readonly closeMs: number;
}

export const DEFAULT_PUBLISHER_TIMEOUTS: PublisherTimeouts = {
	handshakeMs: 10_000,
	connectMs: 10_000,
	createStreamMs: 10_000,
	publishMs: 10_000,
	stallMs: 30_000,
	settleMs: 3_000,
	closeMs: 2_000,
};

export interface RtmpPublisherOptions {
	readonly url: RtmpUrl;
	/** Gives up connecting; of no effect once connected. */
	readonly signal?: AbortSignal;
	readonly timeouts?: Partial<PublisherTimeouts>;
	readonly timers?: Timers;
	/** Told of each step of connecting when it is done; over again after a redirect. Must not throw. */
	readonly onStep?: (step: PublisherStep) => void;
}

/** What connecting is made of: RTMP's handshake, `connect`, and `createStream` with `publish`. */
export type PublisherStep = "handshake" | "connect" | "publish";

/** Why a publisher's connection ended: "refused" is the server's last word, "broken" may be mended, "local" was `close()`. */
export interface RtmpCloseReason {
	readonly kind: "refused" | "broken" | "local";
	readonly message: string;
	/** The server's code where it gave one; {@link CLOSED_AFTER_START} where it closed without a word. */
	readonly code?: string;
	/** Of "refused", right after Publish.Start: the server may only hold another session of this stream still. */
	readonly mayBeBusy?: boolean;
}

export const CLOSED_AFTER_START = "ClosedAfterStart";
