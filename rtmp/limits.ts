/** Largest message taken, so that no peer makes us reserve more for one; the 24-bit length field ends one byte below it. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** All messages of one connection that have begun and not ended: two of the largest, since audio may cut into video. */
export const MAX_PENDING_BYTES = 2 * MAX_MESSAGE_BYTES;

/** Chunk streams one connection may use. Publishers use 3 to 6; each costs us a little state for the life of the connection. */
export const MAX_CHUNK_STREAMS = 64;

/** Chunk size until Set Chunk Size says otherwise (RTMP 1.0 §5.4.1). */
export const DEFAULT_CHUNK_SIZE = 128;

/** Chunk size we announce: what OBS uses, and so what every service has seen. */
export const OUR_CHUNK_SIZE = 4096;

/** The top bit of Set Chunk Size must be zero (RTMP 1.0 §5.4.1). */
export const MAX_CHUNK_SIZE = 0x7fffffff;

/** A command is a few hundred bytes; the largest seen carry page URLs of some kilobytes. */
export const MAX_COMMAND_BYTES = 256 * 1024;

/** Nesting of AMF0 objects and arrays; real commands nest 2 deep, and each level is a level of our stack. */
export const MAX_AMF0_DEPTH = 16;

/** One AMF0 string, long form included: no longer than the command that holds it. */
export const MAX_AMF0_STRING_BYTES = MAX_COMMAND_BYTES;

/** Values in one command, since each costs far more memory than the byte or three it takes on the wire. */
export const MAX_AMF0_VALUES = 4096;

/** Message streams one connection may create; publishers create 1. */
export const MAX_MESSAGE_STREAMS = 16;

/** Stream names and URLs' paths; far above any service's key with its query. */
export const MAX_STREAM_KEY_CHARS = 4096;

/** Redirects and rounds of authentication that one attempt to publish follows: Adobe's takes 2. */
export const MAX_REDIALS = 5;

/** Acknowledge by the clock as well, for publishers too slow to fill a window: Wirecast leaves after 10 s without. */
export const ACKNOWLEDGE_EVERY_MS = 5_000;

/** Window Acknowledgement Size and Set Peer Bandwidth that we send (what OBS and nginx-rtmp work with). */
export const OUR_WINDOW_BYTES = 2_500_000;

/**
 * Acknowledge after at most this many bytes whatever the peer's window: half of ours. No more often than that, since a publisher that
 * leaves with an acknowledgement unread resets the connection and loses its own last frames.
 */
export const ACKNOWLEDGE_EVERY_BYTES = OUR_WINDOW_BYTES / 2;

/** What a peer may make a {@link ChunkReader} hold. */
export interface ChunkLimits {
	readonly maxMessageBytes: number;
	readonly maxPendingBytes: number;
	readonly maxChunkStreams: number;
}

export const DEFAULT_CHUNK_LIMITS: ChunkLimits = {
	maxMessageBytes: MAX_MESSAGE_BYTES,
	maxPendingBytes: MAX_PENDING_BYTES,
	maxChunkStreams: MAX_CHUNK_STREAMS,
};
