import { z } from "zod";
import { PERSON_IDS, personIdSchema } from "./roles.ts";

/**
 * How browsers come to talk to each other and to the compositor: the Broadcast relays typed messages between them on their control sockets
 * and knows nothing of what is in a description.
 *
 * A person whose media is ready says `join-call`. From then on everyone in the call is told who else is in it (`call`), each with a
 * connection id that is new with every `join-call`; a newer connection of the same person takes the place of the older one, whose socket is
 * closed with `CLOSE.takenOver`. The compositor is in the call as soon as its control socket is open. What is sent to a connection that is not
 * there any more is dropped.
 *
 * People send to the compositor and get nothing back (send-only, the person offers). Two people talk both ways by perfect negotiation
 * (W3C WebRTC §10.7): of the two the one later in {@link PERSON_IDS} is polite, and the one earlier makes the first offer.
 */

export const PEER_IDS = [...PERSON_IDS, "compositor"] as const;
export const peerIdSchema = z.enum(PEER_IDS);
export type PeerId = z.infer<typeof peerIdSchema>;

/** By what a person's media comes to the compositor. */
export const MEDIA_LEGS = ["stream", "real-time", "whip"] as const;
export const mediaLegSchema = z.enum(MEDIA_LEGS);
export type MediaLeg = z.infer<typeof mediaLegSchema>;

/** A session description is some 3 to 8 KiB; with all candidates of a large network a few more. */
export const MAX_SDP_LENGTH = 48 * 1024;
const MAX_CANDIDATE_LENGTH = 1_024;

export const connectionIdSchema = z.string().regex(/^[\w-]{1,64}$/);

/** What the compositor would like of a sender: resolution and frame rate go down before latency goes up. */
export const rateAdviceSchema = z.object({
	/** At most this many lines; absent: as many as the sender has. */
	maxHeight: z.number().int().min(90).max(2_160).optional(),
	maxFrameRate: z.number().min(1).max(60).optional(),
	maxBitrateBps: z.number().int().min(50_000).max(20_000_000).optional(),
	/** In words, for whoever looks after the broadcast; absent when nothing is wrong any more. */
	reason: z.string().max(200).optional(),
});
export type RateAdvice = z.infer<typeof rateAdviceSchema>;

/** What one peer says to another. Exactly one of these. */
export const signalSchema = z.discriminatedUnion("kind", [
	z.object({
		kind: z.literal("description"),
		type: z.enum(["offer", "answer", "rollback"]),
		sdp: z.string().max(MAX_SDP_LENGTH),
		/** Of an offer: its maker cannot take candidates later, so the answer has to hold all of them (WHIP). */
		complete: z.boolean().optional(),
	}),
	/** As `RTCIceCandidateInit`; an empty candidate ends them. */
	z.object({
		kind: z.literal("candidate"),
		candidate: z.string().max(MAX_CANDIDATE_LENGTH),
		sdpMid: z.string().max(64).nullable().optional(),
		sdpMLineIndex: z.number().int().min(0).max(255).nullable().optional(),
		usernameFragment: z.string().max(256).nullable().optional(),
	}),
	/** The connection does not work any more: whoever offers is to restart ICE. */
	z.object({ kind: z.literal("restart") }),
	/** Compositor → person. */
	z.object({ kind: z.literal("rate"), advice: rateAdviceSchema }),
	/** The person's camera and microphone, for whoever shows them: a muted camera is not a broken line. */
	z.object({ kind: z.literal("media"), camera: z.boolean(), microphone: z.boolean(), screen: z.boolean() }),
	/** This connection is over. */
	z.object({ kind: z.literal("bye"), reason: z.string().max(200) }),
]);
export type Signal = z.infer<typeof signalSchema>;

/** As `RTCIceServer`. Credentials of a TURN server are short-lived and this person's alone. */
export const iceServerSchema = z.object({
	urls: z.array(z.string()).min(1),
	username: z.string().optional(),
	credential: z.string().optional(),
});
export type IceServer = z.infer<typeof iceServerSchema>;

export const callPeerSchema = z.object({
	id: peerIdSchema,
	connection: connectionIdSchema,
	/** False for one whose media cannot come by WebRTC: there is no connection to make with them. */
	realTime: z.boolean(),
});
export type CallPeer = z.infer<typeof callPeerSchema>;

/** Client → Broadcast, on the control socket. */
export const callRequestSchemas = [
	/**
	 * Camera and microphone are there: be in the call, and on air once admitted. Also says anew whether WebRTC works (`realTime`), with the
	 * same connection id. People only.
	 */
	z.object({
		type: z.literal("join-call"),
		realTime: z.boolean(),
		/** Whether their stream leg (WS-FLV) is published too, or will be when it is wanted. A host without one is composed from the beginning. */
		streams: z.boolean(),
		/**
		 * The connection id they had, where only the control socket broke: kept, and with it all that is connected by WebRTC, unless it has been given up or
		 * taken over since. What was said to them meanwhile was dropped: where a negotiation may have been cut short they say `restart`.
		 */
		connection: connectionIdSchema.optional(),
	}),
	/** The socket stays open. */
	z.object({ type: z.literal("leave-call") }),
	z.object({ type: z.literal("signal"), to: peerIdSchema, connection: connectionIdSchema, signal: signalSchema }),
	/** Compositor only: whose media comes to it by WebRTC now. Replaces what was said before. */
	z.object({ type: z.literal("real-time-media"), people: z.array(personIdSchema).max(PERSON_IDS.length) }),
] as const;

/** Broadcast → client, to everyone in the call; a guest who is not admitted yet is in it and sees nobody but themselves. */
export const callEventSchemas = [
	z.object({
		type: z.literal("call"),
		self: callPeerSchema,
		/** Everyone else. */
		peers: z.array(callPeerSchema),
		iceServers: z.array(iceServerSchema),
		/** When the credentials in `iceServers` run out, in Unix milliseconds; a new `call` comes before. */
		iceServersUntilMs: z.number().optional(),
	}),
	z.object({
		type: z.literal("signal"),
		from: peerIdSchema,
		/** The sender's. */
		connection: connectionIdSchema,
		signal: signalSchema,
	}),
] as const;
