import { z } from "zod";
import { personIdSchema } from "./roles.ts";
import { mediaLegSchema, rateAdviceSchema } from "./signaling.ts";

const count = z.number().int().nonnegative();
const ms = z.number();

/** What the picture of one person is at the moment. */
export const pictureStateSchema = z.enum(["waiting", "live", "holding", "card"]);
export type PictureState = z.infer<typeof pictureStateSchema>;

/** Counters run from the connection's start; the rest is of the last second. */
export const realTimeStatsSchema = z.object({
	state: z.enum(["connecting", "connected", "interrupted"]),
	roundTripMs: ms.optional(),
	/** Share of packets that did not come, 0 to 1, before what was sent again. */
	lossRatio: z.number().min(0).max(1),
	jitterMs: ms,
	bitrateBps: count,
	/** Asked for by the compositor, in all. */
	keyFrameRequests: count,
	/** Goes through a TURN server. */
	relayed: z.boolean(),
	/** What the sender was asked last. */
	advice: rateAdviceSchema.optional(),
});
export type RealTimeStats = z.infer<typeof realTimeStatsSchema>;

export const personStatsSchema = z.object({
	id: personIdSchema,
	connected: z.boolean(),
	picture: pictureStateSchema,
	width: count,
	height: count,
	/** Frames that arrived since the compositor started. */
	videoIn: count,
	audioIn: count,
	/** Frames that arrived after they were due. */
	late: count,
	/** Frames given up: past the ceiling, late, or not decodable. */
	dropped: count,
	/** Output frames that showed the person's previous picture again. */
	held: count,
	decodeErrors: count,
	/** Encoded media waiting in the jitter buffer. */
	queueMs: ms,
	/** Play-out delay now, and where it is heading. */
	delayMs: ms,
	targetDelayMs: ms,
	/** Sound minus picture in the program: positive when sound is late. */
	avSkewMs: ms,
	/** Audio samples (48 kHz) concealed because none had arrived. */
	concealedSamples: count,
	/** By which leg what is shown comes. */
	leg: mediaLegSchema.optional(),
	/** Of the person's WebRTC connection to the compositor, while there is one. */
	realTime: realTimeStatsSchema.optional(),
});
export type PersonStats = z.infer<typeof personStatsSchema>;

export const stageMsSchema = z.object({ p50: ms, p95: ms });

/** Sent by the compositor page on the control socket every second. Counters run from the page's start. */
export const compositorStatsSchema = z.object({
	fence: count,
	uptimeMs: ms,
	compositor: z.enum(["planar", "canvas"]),
	audioEncoder: z.enum(["native", "wasm"]),
	program: z.object({
		width: count,
		height: count,
		frameRate: z.number(),
		layout: z.string(),
		frames: count,
		/** Output frames in which no on-air person had a new picture although one was due. */
		heldFrames: count,
		/** Output frames never produced because encoder, network or guard could not take them. */
		droppedFrames: count,
		keyFrames: count,
		/** Measured over the last second, as sent. */
		videoBitrateBps: count,
		/** What the encoder is asked for at the moment: below the configured figure while the bitrate guard acts. */
		targetBitrateBps: count,
		audioFrames: count,
		encodeQueue: count,
		socketQueueBytes: count,
	}),
	latencyMs: z.object({ inputToEncodedP50: ms, inputToEncodedP95: ms }),
	avSkewMs: ms,
	stagesMs: z.object({ decode: stageMsSchema, composite: stageMsSchema, encode: stageMsSchema, mix: stageMsSchema }),
	people: z.array(personStatsSchema),
	/** The program is published: it has shown everyone who was expected. */
	ready: z.boolean().optional(),
	/** Who is expected and not shown yet, until it is ready. */
	waitingFor: z.array(personIdSchema).optional(),
});
export type CompositorStats = z.infer<typeof compositorStatsSchema>;
