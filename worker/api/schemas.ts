import { z } from "@hono/zod-openapi";
import { LAYOUT_NAMES } from "../../media/layout.ts";
import { MAX_DESTINATIONS } from "../broadcast/broadcast-control.ts";
import { MAX_DESTINATION_URL_LENGTH, MAX_STREAM_KEY_LENGTH } from "../broadcast/destination-policy.ts";
import { BROADCAST_STATUSES } from "../broadcast/lifecycle.ts";
import { STREAM_NAMES } from "../protocol/roles.ts";

/** YouTube's limit is 100, Facebook's 254: longer titles are cut by every service. */
const MAX_TITLE_LENGTH = 200;
/** As YouTube. */
const MAX_DESCRIPTION_LENGTH = 5_000;
/** What still fits a label in a corner of the picture. */
const MAX_PERSON_NAME_LENGTH = 60;
const MAX_DESTINATION_NAME_LENGTH = 100;
/** An hour is longer than any service keeps a stream that does not move. */
const MAX_HOLD_S = 3_600;
/** Nobody sits beside an empty place for longer. */
const MAX_GUEST_GRACE_S = 600;
/** The smallest H.264 encoders agree on, and the largest that keeps up without a GPU. */
const MIN_SIDE_PX = 128;
const MAX_SIDE_PX = 1_920;
const MAX_PICTURE_PX = 1_920 * 1_080;
export const MAX_PAGE_SIZE = 100;
const DEFAULT_PAGE_SIZE = 20;

const text = (maxLength: number) => z.string().trim().min(1).max(maxLength);
const sidePx = z
	.int()
	.min(MIN_SIDE_PX)
	.max(MAX_SIDE_PX)
	.refine((px) => px % 2 === 0, "expected an even number, as 4:2:0 pictures need");

export const layoutSchema = z.enum(LAYOUT_NAMES).openapi("Layout", { description: "How the people share the picture" });
export const statusSchema = z.enum(BROADCAST_STATUSES).openapi("BroadcastStatus");

export const newDestinationSchema = z
	.strictObject({
		name: text(MAX_DESTINATION_NAME_LENGTH).optional(),
		url: z.string().min(1).max(MAX_DESTINATION_URL_LENGTH).openapi({
			description: "rtmp:// or rtmps://, with or without the key in its path",
			example: "rtmps://live.example.com/app",
		}),
		streamKey: z
			.string()
			.min(1)
			.max(MAX_STREAM_KEY_LENGTH)
			.regex(/^[\x21-\x7e]+$/, "expected a key without spaces")
			.optional()
			.openapi({ description: "Sent as it is, and never shown again" }),
		allowBFrames: z.boolean().default(true).openapi({
			description: "Whether it takes pictures out of order; where one does not, a host who sends them is composed",
		}),
	})
	.openapi("NewDestination");

const ALWAYS_COMPOSE =
	"Compose from the start and whoever is there. Otherwise a host who is alone is passed through as they are sent, and a compositor joins when it has something to do: a guest, or a host whose stream does not fit";
const HOLD_SECONDS =
	"When nothing comes the last picture is held for so long, in silence, and then the broadcast ends; it ends as well when host and guest have both been gone for so long";
const GUEST_GRACE_SECONDS = "How long someone who has left keeps their place in the picture";

export const newBroadcastSchema = z
	.strictObject({
		title: text(MAX_TITLE_LENGTH),
		description: z.string().max(MAX_DESCRIPTION_LENGTH).optional(),
		hostName: text(MAX_PERSON_NAME_LENGTH).default("Host").openapi({ description: "On the host's label" }),
		guestName: text(MAX_PERSON_NAME_LENGTH).default("Guest").openapi({ description: "On the guest's label" }),
		layout: layoutSchema.default("landscape"),
		width: sidePx.default(1_280),
		height: sidePx.default(720),
		frameRate: z.int().min(10).max(60).default(30),
		videoBitrate: z.int().min(100_000).max(20_000_000).default(3_000_000).openapi({ description: "Bits per second" }),
		alwaysCompose: z.boolean().default(false).openapi({ description: ALWAYS_COMPOSE }),
		holdSeconds: z.int().min(0).max(MAX_HOLD_S).default(120).openapi({ description: HOLD_SECONDS }),
		guestGraceSeconds: z.int().min(0).max(MAX_GUEST_GRACE_S).default(10).openapi({ description: GUEST_GRACE_SECONDS }),
		startMode: z.literal("manual").optional().openapi({ description: "It goes live by `start`" }),
		record: z.literal(false).optional().openapi({ description: "Recordings are made by a destination" }),
		destinations: z.array(newDestinationSchema).max(MAX_DESTINATIONS).default([]),
	})
	.refine(({ width, height }) => width * height <= MAX_PICTURE_PX, {
		path: ["height"],
		message: `expected at most ${MAX_PICTURE_PX} pixels in all`,
	})
	.openapi("NewBroadcast");

export const destinationSchema = z
	.object({
		id: z.string(),
		name: z.string().optional(),
		url: z.string().openapi({ description: "Host and application; whatever may be a key is left out" }),
		hasStreamKey: z.boolean(),
		allowBFrames: z.boolean(),
		state: z.enum(["idle", "connecting", "live", "retrying", "refused", "stopped"]),
		lastError: z.string().optional(),
	})
	.openapi("Destination");

export const broadcastSummarySchema = z
	.object({
		id: z.string(),
		title: z.string(),
		status: statusSchema,
		layout: layoutSchema,
		createdAt: z.iso.datetime(),
		startedAt: z.iso.datetime().optional(),
		endedAt: z.iso.datetime().optional(),
	})
	.openapi("BroadcastSummary");

export const broadcastSchema = broadcastSummarySchema
	.extend({
		description: z.string().optional(),
		hostName: z.string(),
		guestName: z.string(),
		width: z.int(),
		height: z.int(),
		frameRate: z.int(),
		videoBitrate: z.int(),
		alwaysCompose: z.boolean().openapi({ description: ALWAYS_COMPOSE }),
		holdSeconds: z.int().openapi({ description: HOLD_SECONDS }),
		guestGraceSeconds: z.int().openapi({ description: GUEST_GRACE_SECONDS }),
		endReason: z.string().optional().openapi({ description: "Why it ended, in words", example: "ended by the host" }),
		liveStreams: z.array(z.enum(STREAM_NAMES)).openapi({ description: "Streams with a publisher now" }),
		destinations: z.array(destinationSchema),
	})
	.openapi("Broadcast");

const ingestSchema = z.object({ rtmp: z.object({ url: z.string(), streamKey: z.string() }) });

export const createdBroadcastSchema = broadcastSchema
	.extend({
		links: z
			.object({ studio: z.url(), join: z.url(), watch: z.url() })
			.openapi({ description: "For host, guest and viewers; each carries its token in the fragment" }),
		tokens: z
			.object({ host: z.string(), guest: z.string(), viewer: z.string() })
			.openapi({ description: "Role tokens, shown only now" }),
		ingest: z
			.object({ host: ingestSchema, guest: ingestSchema })
			.openapi({ description: "Stream keys, shown only now" }),
	})
	.openapi("CreatedBroadcast");

export const broadcastPageSchema = z
	.object({
		broadcasts: z.array(broadcastSummarySchema),
		nextCursor: z.string().optional().openapi({ description: "Absent on the last page" }),
	})
	.openapi("BroadcastPage");

export const listQuerySchema = z.strictObject({
	status: statusSchema.optional(),
	limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
	cursor: z.string().max(200).optional(),
});

export const layoutChangeSchema = z
	.strictObject({ layout: layoutSchema, scene: z.literal("main").optional() })
	.openapi("LayoutChange");

export const destinationListSchema = z.object({ destinations: z.array(destinationSchema) }).openapi("DestinationList");

export const problemSchema = z
	.object({
		type: z.string(),
		title: z.string(),
		status: z.int(),
		detail: z.string(),
		errors: z.array(z.object({ path: z.string(), detail: z.string() })).optional(),
	})
	.openapi("Problem", { description: "RFC 9457" });

export const healthSchema = z
	.object({
		status: z.literal("ok"),
		ready: z.boolean().openapi({ description: "Whether a broadcast could go live now" }),
		runners: z.int(),
		freePlaces: z.int(),
	})
	.openapi("Health");
