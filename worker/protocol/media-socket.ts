import { z } from "zod";
import { PERSON_IDS, personIdSchema } from "./roles.ts";

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

/**
 * Publisher of a person's stream → Router: the tag with timestamp `tagMs` (32-bit milliseconds, as the publisher sends it) was captured at
 * `captureMs` of the publisher's own clock (Unix milliseconds, with fractions; `performance.timeOrigin + performance.now()` in browsers). Sent before the first media
 * of every connection, and when the two have moved apart by more than {@link CLOCK_AGAIN_AFTER_MS}. The Router says it to subscribers that acknowledge, with
 * `tagMs` in the stream's own time, ahead of the first tag it holds for: by it one and the same moment is found again in what comes by another leg.
 */
export const captureClockSchema = z.object({
	type: z.literal("clock"),
	tagMs: z.number().int().min(0).max(0xffff_ffff),
	captureMs: z.number().positive(),
});
export type CaptureClock = z.infer<typeof captureClockSchema>;
export const CLOCK_AGAIN_AFTER_MS = 5;

/**
 * `&sleeps=1`, by a publisher of a person's stream: it can stop sending and begin again with a key frame at once. Router → such a publisher:
 * `sleep` when the program is made without this stream and the compositor has the person by another leg; `wake` when it is wanted again, or may be
 * any moment. A publisher that sleeps is connected, and its person is there. It answers neither, and every connection begins awake; a subscriber hears `asleep`
 * once nothing comes any more, or as it subscribes, and does not take the silence for a broken line, until the next tag.
 */
export const publisherRequestSchema = z.discriminatedUnion("type", [
	z.object({ type: z.literal("sleep") }),
	z.object({ type: z.literal("wake") }),
]);
export type PublisherRequest = z.infer<typeof publisherRequestSchema>;

/**
 * Router → publisher that asked for `ack=1`: how many of its messages, of any kind, it has taken since the connection opened (never decreasing); at most every
 * {@link PUBLISHER_ACK_EVERY_MS}, and only where there is news. By it a publisher knows how late what it sends arrives: its own socket tells of its own buffer only.
 */
export const publisherAckSchema = z.object({ type: z.literal("ack"), messages: z.number().int().nonnegative() });
export type PublisherAck = z.infer<typeof publisherAckSchema>;
export const PUBLISHER_ACK_EVERY_MS = 50;

/** Compositor → Router, on the socket it publishes with: whom it shows by their real-time leg, on each change, and once a second so that nobody sleeps who is needed. */
export const compositeLegsSchema = z.object({
	type: z.literal("legs"),
	realTime: z.array(personIdSchema).max(PERSON_IDS.length),
});
export type CompositeLegs = z.infer<typeof compositeLegsSchema>;
/** Without a word of it for this long nobody is taken to be shown by their real-time leg. */
export const LEGS_STALE_AFTER_MS = 3_000;

/** Router → subscriber that acknowledges, as text between the tags. What is not known is to be passed over. */
export const subscriberNoteSchema = z.discriminatedUnion("type", [
	captureClockSchema,
	/** From the next tag on: what was said of the clock was another publisher's. */
	z.object({ type: z.literal("clock-unknown") }),
	z.object({ type: z.literal("asleep") }),
]);
export type SubscriberNote = z.infer<typeof subscriberNoteSchema>;
