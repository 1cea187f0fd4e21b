import { z } from "zod";

/** Who a token speaks for. `admin` and `runner` are secrets of the deployment; the others belong to one broadcast. */
export const BROADCAST_ROLES = ["host", "guest", "viewer", "compositor"] as const;
export const roleSchema = z.enum(["admin", "runner", ...BROADCAST_ROLES]);
export type Role = z.infer<typeof roleSchema>;
export type BroadcastRole = (typeof BROADCAST_ROLES)[number];

/** The places for guests, in the order they are given out. */
export const GUEST_IDS = ["guest", "guest-2", "guest-3", "guest-4"] as const;
export const guestIdSchema = z.enum(GUEST_IDS);
export type GuestId = z.infer<typeof guestIdSchema>;

/** The people who can be on air; each publishes the stream of the same name. */
export const PERSON_IDS = ["host", ...GUEST_IDS] as const;
export const personIdSchema = z.enum(PERSON_IDS);
export type PersonId = z.infer<typeof personIdSchema>;

/** What a compositor publishes of the one scene. */
export const MAIN_COMPOSITE_STREAM = "composite/main";

/** The one scene's program, as named in `/media/{stream}`: what the splicer makes of its sources. Nobody publishes it. */
export const MAIN_PROGRAM_STREAM = "program/main";

/** Streams that somebody publishes. */
export const PUBLISHED_STREAM_NAMES = [...PERSON_IDS, MAIN_COMPOSITE_STREAM] as const;
export const publishedStreamNameSchema = z.enum(PUBLISHED_STREAM_NAMES);
export type PublishedStreamName = z.infer<typeof publishedStreamNameSchema>;

/** Named live streams of a broadcast's Router. */
export const STREAM_NAMES = [...PUBLISHED_STREAM_NAMES, MAIN_PROGRAM_STREAM] as const;
export const streamNameSchema = z.enum(STREAM_NAMES);
export type StreamName = z.infer<typeof streamNameSchema>;

/** Who may ask what of a person: a guest's place is one of several, every other role is one person or none. */
export function roleOf(person: PersonId): "host" | "guest" {
	return person === "host" ? "host" : "guest";
}

/** Who a token says it speaks for, as far as the broadcast can tell whether it still does. */
export interface TokenClaim {
	readonly person: PersonId | "viewer";
	readonly credentialsVersion: number;
}
