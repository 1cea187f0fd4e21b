import type { FlvTag } from "../media/flv/tag.ts";
import type { PublisherIdentity } from "./connect-command.ts";
import type { ChunkLimits } from "./limits.ts";
import type { Timers } from "./timers.ts";

/** What a publisher asks for. The key is as it came, query string and all: a secret. */
export interface PublishRequest extends PublisherIdentity {
	readonly streamKey: string;
}

/** Where an accepted publisher's tags go. */
export interface PublishSink {
	/** Audio, video and script tags in the order they came; a Promise holds the publisher back until it settles. */
	onTag(tag: FlvTag): void | Promise<void>;
	/** Once, when no more tags will come, for whatever reason. */
	onEnd(reason: string): void;
}

/** Thrown by `onPublish` or `onTag` to turn a publisher away with a reason that it gets to read. */
export class PublishRejection extends Error {
	override readonly name = "PublishRejection";
	/** "NetStream.Publish.BadName", "NetStream.Publish.Denied" and the like. */
	readonly code: string;

	constructor(code: string, description: string) {
		super(description);
		this.code = code;
	}
}

export interface AcceptorTimeouts {
	/** From the connection to the end of the handshake. */
	readonly handshakeMs: number;
	/** From there to `connect`. */
	readonly connectMs: number;
	/** From `connect`, or the end of a stream, to `publish`. */
	readonly publishMs: number;
	/** For `onPublish` to decide. */
	readonly authorizeMs: number;
	/** A publisher that takes nothing of what it is sent. */
	readonly stallMs: number;
	/** After a rejection, for the publisher to read it and leave by itself. */
	readonly lingerMs: number;
}

export const DEFAULT_ACCEPTOR_TIMEOUTS: AcceptorTimeouts = {
	handshakeMs: 10_000,
	connectMs: 10_000,
	publishMs: 10_000,
	authorizeMs: 15_000,
	stallMs: 30_000,
	lingerMs: 2_000,
};

/** Longer than any encoder is silent by itself, shorter than anyone watches a still picture. */
export const DEFAULT_IDLE_TIMEOUT_MS = 30_000;

export interface RtmpAcceptorOptions {
	/** Decides whether the publisher may; throws {@link PublishRejection} when not. Which of two publishers wins is decided here too. */
	onPublish(request: PublishRequest): Promise<PublishSink>;
	/** Told why the connection ended where it did not end as it should. Never holds a key. */
	onError?(error: Error): void;
	readonly limits?: Partial<ChunkLimits>;
	readonly timeouts?: Partial<AcceptorTimeouts>;
	/** How long a publisher may send nothing at all; `Infinity` for as long as it likes. Default 30 s. */
	readonly idleTimeoutMs?: number;
	readonly timers?: Timers;
}
