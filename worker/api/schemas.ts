import { z } from "@hono/zod-openapi";
import { MAX_DESTINATION_URL_LENGTH, MAX_STREAM_KEY_LENGTH } from "../../egress/destination-policy.ts";
import { LAYOUT_NAMES } from "../../media/layout.ts";
import { LIMITS } from "../limits.ts";
import {
	BROADCAST_STATUSES,
	DESTINATION_SERVICES,
	DESTINATION_WARNINGS,
	GUEST_ADMISSIONS,
	START_MODES,
} from "../protocol/broadcast-commands.ts";
import { programSourceSchema } from "../protocol/control-messages.ts";
import { DESTINATION_ROUTES } from "../protocol/destination-route.ts";
import { destinationTestReportSchema } from "../protocol/egress-jobs.ts";
import { MAX_PERSON_NAME_LENGTH } from "../protocol/live-commands.ts";
import { GUEST_IDS, personIdSchema, STREAM_NAMES } from "../protocol/roles.ts";
import { dateTimeMs, MAX_DATE_TIME_LENGTH } from "./date-time.ts";

const isDateTime = (value: string) => dateTimeMs(value) !== undefined;

/** YouTube's limit is 100, Facebook's 254: longer titles are cut by every service. */
const MAX_TITLE_LENGTH = 200;
/** As YouTube. */
const MAX_DESCRIPTION_LENGTH = 5_000;
const MAX_DESTINATION_NAME_LENGTH = 100;
/** An hour is longer than any service keeps a stream that does not move. */
const MAX_HOLD_S = 3_600;
/** Nobody sits beside an empty place for longer. */
const MAX_GUEST_GRACE_S = 600;
/** The smallest H.264 encoders agree on, and the largest that keeps up without a GPU. */
const MIN_SIDE_PX = 128;
const MAX_SIDE_PX = 1_920;
const MAX_PICTURE_PX = 1_920 * 1_080;

const text = (maxLength: number) => z.string().trim().min(1).max(maxLength);
const sidePx = z
	.int()
	.min(MIN_SIDE_PX)
	.max(MAX_SIDE_PX)
	.refine((px) => px % 2 === 0, "expected an even number, as 4:2:0 pictures need");

export const layoutSchema = z.enum(LAYOUT_NAMES).openapi("Layout", { description: "How the people share the picture" });
export const statusSchema = z.enum(BROADCAST_STATUSES).openapi("BroadcastStatus");

const streamKeySchema = z
	.string()
	.min(1)
	.max(MAX_STREAM_KEY_LENGTH)
	.regex(/^[\x21-\x7e]+$/, "expected a key without spaces")
	.openapi({ description: "Sent as it is, and never shown again" });
const allowBFramesSchema = z.boolean().openapi({
	description: "Whether it takes pictures out of order; where one does not, a host who sends them is composed",
});

export const newDestinationSchema = z
	.strictObject({
		name: text(MAX_DESTINATION_NAME_LENGTH).optional(),
		service: z.enum(DESTINATION_SERVICES).default("custom").openapi({
			description: "Whose limits it is checked by. `custom` is recognised by its host where that is a known service's",
		}),
		via: z.enum(DESTINATION_ROUTES).optional().openapi({
			description:
				"Where the connection is made from. By default the edge, unless a Worker cannot reach that service, as with Cloudflare Stream",
		}),
		url: z.string().min(1).max(MAX_DESTINATION_URL_LENGTH).optional().openapi({
			description: "rtmp:// or rtmps://, with or without the key in its path. By default the service's usual server",
			example: "rtmps://live.example.com/app",
		}),
		streamKey: streamKeySchema.optional(),
		allowBFrames: allowBFramesSchema.default(true),
	})
	.refine(({ url, service }) => url !== undefined || service !== "custom", {
		path: ["url"],
		message: "expected an address, or a service that has one",
	})
	.openapi("NewDestination");

export const destinationChangesSchema = z
	.strictObject({
		name: text(MAX_DESTINATION_NAME_LENGTH).optional(),
		allowBFrames: allowBFramesSchema.optional(),
		streamKey: streamKeySchema.optional().openapi({
			description: "Takes the old one's place. Where the program goes there now, that destination alone begins anew",
		}),
	})
	.openapi("DestinationChanges", { description: "What is absent stays" });

const ALWAYS_COMPOSE =
	"Compose from the start and whoever is there. Otherwise a host who is alone is passed through as they are sent, and a compositor joins when it has something to do: a guest, or a host whose stream does not fit";
const HOLD_SECONDS =
	"When nothing comes the last picture is held for so long, in silence, and then the broadcast ends; it ends as well when host and guest have both been gone for so long";
const GUEST_GRACE_SECONDS = "How long someone who has left keeps their place in the picture";

/** 14 days: longer ahead than that a link goes stale anyway, and the lobby is no waiting room for weeks. */
const MAX_LOBBY_S = 14 * 24 * 3_600;
const MAX_NO_SHOW_S = 24 * 3_600;
const MAX_REMINDER_MINUTES = 7 * 24 * 60;
const MAX_URL_LENGTH = 2_048;

const settings = {
	title: text(MAX_TITLE_LENGTH),
	description: z.string().max(MAX_DESCRIPTION_LENGTH),
	posterUrl: z
		.url({ protocol: /^https?$/ })
		.max(MAX_URL_LENGTH)
		.openapi({ description: "A picture for those who wait" }),
	hostName: text(MAX_PERSON_NAME_LENGTH).openapi({ description: "On the host's label" }),
	guestName: text(MAX_PERSON_NAME_LENGTH).openapi({ description: "On the guest's label" }),
	layout: layoutSchema,
	width: sidePx,
	height: sidePx,
	frameRate: z.int().min(10).max(60),
	videoBitrate: z.int().min(100_000).max(20_000_000).openapi({ description: "Bits per second" }),
	alwaysCompose: z.boolean().openapi({ description: ALWAYS_COMPOSE }),
	holdSeconds: z.int().min(0).max(MAX_HOLD_S).openapi({ description: HOLD_SECONDS }),
	guestGraceSeconds: z.int().min(0).max(MAX_GUEST_GRACE_S).openapi({ description: GUEST_GRACE_SECONDS }),
	maxGuests: z.int().min(1).max(GUEST_IDS.length).openapi({ description: "Places for guests" }),
	guestAdmission: z.enum(GUEST_ADMISSIONS).openapi({
		description: "Whether a guest with a valid key or token is on air at once, or waits to be admitted",
	}),
	startMode: z.enum(START_MODES).openapi({
		description:
			"`manual`: it goes live by `start`. `auto`: as soon as the host's media is there and the scheduled time has come",
	}),
	scheduledStartTime: z
		.string()
		.max(MAX_DATE_TIME_LENGTH)
		.refine(isDateTime, "expected a date-time of RFC 3339")
		.openapi({
			format: "date-time",
			description: "RFC 3339, in any zone; ahead, and at most a year. Without it the lobby is open at once",
			example: "2027-01-31T19:00:00+01:00",
		}),
	lobbySeconds: z.int().min(0).max(MAX_LOBBY_S).openapi({ description: "How long before the start the lobby opens" }),
	noShowSeconds: z.int().min(60).max(MAX_NO_SHOW_S).openapi({
		description: "How long after the start a host who never came is waited for",
	}),
	reminderMinutesBefore: z.int().min(1).max(MAX_REMINDER_MINUTES).openapi({
		description: "How long before the start those on the reminder list are reminded",
	}),
};

const pictureFits = ({ width = 0, height = 0 }: { width?: number | undefined; height?: number | undefined }) =>
	width * height <= MAX_PICTURE_PX;
const TOO_LARGE = { path: ["height"], message: `expected at most ${MAX_PICTURE_PX} pixels in all` };

export const newBroadcastSchema = z
	.strictObject({
		...settings,
		description: settings.description.optional(),
		posterUrl: settings.posterUrl.optional(),
		hostName: settings.hostName.default("Host"),
		guestName: settings.guestName.default("Guest"),
		layout: settings.layout.default("landscape"),
		width: settings.width.default(1_280),
		height: settings.height.default(720),
		frameRate: settings.frameRate.default(30),
		videoBitrate: settings.videoBitrate.default(3_000_000),
		alwaysCompose: settings.alwaysCompose.default(false),
		holdSeconds: settings.holdSeconds.default(120),
		guestGraceSeconds: settings.guestGraceSeconds.default(10),
		maxGuests: settings.maxGuests.default(1),
		guestAdmission: settings.guestAdmission.default("automatic"),
		startMode: settings.startMode.default("manual"),
		scheduledStartTime: settings.scheduledStartTime.optional(),
		lobbySeconds: settings.lobbySeconds.default(600),
		noShowSeconds: settings.noShowSeconds.default(3_600),
		reminderMinutesBefore: settings.reminderMinutesBefore.default(15),
		record: z.literal(false).optional().openapi({ description: "Recordings are made by a destination" }),
		destinations: z.array(newDestinationSchema).max(LIMITS.maxDestinations.max).default([]),
	})
	.refine(pictureFits, TOO_LARGE)
	.openapi("NewBroadcast");

export const broadcastChangesSchema = z
	.strictObject({
		...settings,
		description: settings.description.nullable(),
		posterUrl: settings.posterUrl.nullable(),
		scheduledStartTime: settings.scheduledStartTime.nullable(),
	})
	.partial()
	.refine(pictureFits, TOO_LARGE)
	.openapi("BroadcastChanges", { description: "What is absent stays; null takes away what may be absent" });

export const destinationWarningSchema = z
	.object({ code: z.enum(DESTINATION_WARNINGS), detail: z.string() })
	.openapi("DestinationWarning", { description: "What was expected and what came, in words" });

export const destinationSchema = z
	.object({
		id: z.string(),
		name: z.string().optional(),
		service: z.enum(DESTINATION_SERVICES),
		via: z.enum(DESTINATION_ROUTES),
		viaReason: z.string().optional().openapi({ description: "Why it goes that way, where there is no other" }),
		url: z.string().openapi({ description: "Host and application; whatever may be a key is left out" }),
		hasStreamKey: z.boolean(),
		allowBFrames: z.boolean(),
		state: z.enum(["idle", "connecting", "live", "retrying", "refused", "stopped"]),
		lastError: z.string().optional(),
		warnings: z.array(destinationWarningSchema).readonly().openapi({
			description: "What its service's published limits have against the program as it is set now. None stops anything",
		}),
	})
	.openapi("Destination");

export const destinationTestSchema = z
	.object({
		ok: z.boolean().openapi({ description: "Every step was done" }),
		steps: destinationTestReportSchema.shape.steps.openapi({
			description: "What was done, in order, and how many milliseconds it took",
		}),
		error: z.string().optional().openapi({ description: "Why the next step was not; never holds a key" }),
		refused: z.boolean().optional().openapi({
			description: "The destination said no, or may not be connected to: trying again would change nothing",
		}),
		bytes: z.number().openapi({ description: "Sent in all" }),
		warnings: destinationSchema.shape.warnings,
	})
	.openapi("DestinationTest");

export const broadcastSummarySchema = z
	.object({
		id: z.string(),
		title: z.string(),
		status: statusSchema,
		layout: layoutSchema,
		scheduledStartTime: z.iso.datetime().optional(),
		createdAt: z.iso.datetime(),
		startedAt: z.iso.datetime().optional(),
		endedAt: z.iso.datetime().optional(),
	})
	.openapi("BroadcastSummary");

export const personSchema = z
	.object({
		id: personIdSchema,
		name: z.string().openapi({ description: "On the label" }),
		gain: z.number().openapi({ description: "Linear; 1 is unchanged" }),
		muted: z.boolean(),
		admitted: z.boolean().openapi({ description: "May be on air; always true of the host" }),
		live: z.boolean().openapi({ description: "Their media is coming" }),
		inviteId: z.string().optional().openapi({ description: "The invite they came by" }),
		credentialsVersion: z.int().openapi({ description: "Rises when their key and tokens are made anew" }),
	})
	.openapi("Person");

export const broadcastSchema = broadcastSummarySchema
	.extend({
		version: z.int().openapi({ description: "Rises with every change of what is shown here; also its entity tag" }),
		description: z.string().optional(),
		posterUrl: z.string().optional(),
		hostName: z.string(),
		guestName: z.string(),
		width: z.int(),
		height: z.int(),
		frameRate: z.int(),
		videoBitrate: z.int(),
		alwaysCompose: z.boolean().openapi({ description: ALWAYS_COMPOSE }),
		holdSeconds: z.int().openapi({ description: HOLD_SECONDS }),
		guestGraceSeconds: z.int().openapi({ description: GUEST_GRACE_SECONDS }),
		maxGuests: z.int(),
		guestAdmission: z.enum(GUEST_ADMISSIONS),
		startMode: z.enum(START_MODES),
		lobbySeconds: z.int(),
		noShowSeconds: z.int(),
		reminderMinutesBefore: z.int(),
		labels: z.boolean().openapi({ description: "Whether names are shown" }),
		order: z.array(personIdSchema).openapi({ description: "Who comes first in the picture, where that was chosen" }),
		people: z.array(personSchema),
		programSource: programSourceSchema.openapi({ description: "What the program is made of now" }),
		endReason: z.string().optional().openapi({ description: "Why it ended, in words", example: "ended by the host" }),
		liveStreams: z.array(z.enum(STREAM_NAMES)).openapi({ description: "Streams with a publisher now" }),
		destinations: z.array(destinationSchema),
	})
	.openapi("Broadcast");

export const ingestSchema = z.object({
	rtmp: z.object({ url: z.string(), streamKey: z.string() }),
	whip: z.object({ url: z.string(), endpoint: z.string() }).openapi({
		description: "WHIP (RFC 9725): `url` holds the stream key; `endpoint` wants it as bearer token",
	}),
});

export const createdBroadcastSchema = broadcastSchema
	.extend({
		links: z
			.object({ studio: z.url(), join: z.url(), watch: z.url() })
			.openapi({ description: "For host, guest and viewers; each carries its token in the fragment" }),
		tokens: z
			.object({
				host: z.string(),
				guest: z.string(),
				"guest-2": z.string().optional(),
				"guest-3": z.string().optional(),
				"guest-4": z.string().optional(),
				viewer: z.string(),
			})
			.openapi({ description: "Role tokens, shown only now" }),
		ingest: z
			.object({
				host: ingestSchema,
				guest: ingestSchema,
				"guest-2": ingestSchema.optional(),
				"guest-3": ingestSchema.optional(),
				"guest-4": ingestSchema.optional(),
			})
			.openapi({ description: "Stream keys, shown only now" }),
	})
	.openapi("CreatedBroadcast");

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
		expected: z
			.array(z.string())
			.optional()
			.openapi({ description: "Where a state was wrong: those in which it is legal" }),
		found: z.string().optional().openapi({ description: "Where a state was wrong: the one there is" }),
		errors: z.array(z.object({ path: z.string(), detail: z.string() })).optional(),
		requestId: z.string().optional().openapi({ description: "By which the log can be searched for it" }),
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
