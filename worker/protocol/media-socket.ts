import { z } from "zod";

/**
 * The media socket, `GET /api/broadcasts/{id}/media/{stream}?direction=publish|subscribe[&ack=1]`.
 *
 * Binary messages are WS-FLV: the first holds the 9-byte FLV header and PreviousTagSize0, each later one exactly one FLV tag with its
 * PreviousTagSize (Adobe FLV 10.1 §E.2–E.4). Text messages are the JSON below.
 *
 * The token travels as `Authorization: Bearer`, or as the WebSocket subprotocol `bearer.<token>` beside {@link MEDIA_SUBPROTOCOL}
 * (browsers cannot set headers), or, for players that can do neither, as `?token=` when subscribing.
 */
export const MEDIA_SUBPROTOCOL = "tandem";
export const BEARER_SUBPROTOCOL_PREFIX = "bearer.";

export const directionSchema = z.enum(["publish", "subscribe"]);
export type Direction = z.infer<typeof directionSchema>;

/**
 * `&session=`: chosen by a publisher and the same over all its connections, so that one that connects again after a break goes on where it was,
 * and may begin with the group of pictures it has sent already, at its true times.
 */
export const publishSessionSchema = z.string().regex(/^[\w-]{1,64}$/);

/** Subscriber → Router, when it asked for `ack=1`: how many tags it has taken since it connected (never decreasing). */
export const mediaAckSchema = z.object({ type: z.literal("ack"), tags: z.number().int().nonnegative() });
export type MediaAck = z.infer<typeof mediaAckSchema>;

/**
 * Compositor → Router, on the socket it publishes `composite/main` with: the tag with timestamp `programMs` (32-bit milliseconds, as in FLV)
 * shows the picture the host's stream had at `hostMs` (likewise, presentation time). Sent right ahead of every key frame, and when the relation of the two has moved by more than
 * {@link SHOWS_AGAIN_AFTER_MS}; not sent while no picture of the host's is shown. It lets the splicer cut at the same moment of the same source.
 */
export const compositeShowsSchema = z.object({
	type: z.literal("shows"),
	programMs: z.number().int().min(0).max(0xffff_ffff),
	hostMs: z.number().int().min(0).max(0xffff_ffff),
});
export type CompositeShows = z.infer<typeof compositeShowsSchema>;
export const SHOWS_AGAIN_AFTER_MS = 10;

/**
 * Router → compositor, on the same socket: make a key frame, of the first output frame whose host picture is later than `afterHostMs`
 * where that is given, at once where not. A newer request replaces an older one.
 */
export const keyFrameRequestSchema = z.object({
	type: z.literal("key-frame"),
	afterHostMs: z.number().int().min(0).max(0xffff_ffff).optional(),
});
export type KeyFrameRequest = z.infer<typeof keyFrameRequestSchema>;

/** A subscriber acknowledges after at most this many tags … */
export const ACK_EVERY_TAGS = 16;
/** … and after at most this long when a tag is waiting to be acknowledged. */
export const ACK_EVERY_MS = 100;

/** Largest WS-FLV message either side may send: a message limit of 16 MiB as in RTMP, plus the tag's framing. */
export const MAX_MEDIA_MESSAGE_BYTES = 16 * 1024 * 1024 + 64;
