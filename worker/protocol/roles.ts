import { z } from "zod";

/** Who a token speaks for. `admin` and `runner` are secrets of the deployment; the others belong to one broadcast. */
export const BROADCAST_ROLES = ["host", "guest", "viewer", "compositor"] as const;
export const roleSchema = z.enum(["admin", "runner", ...BROADCAST_ROLES]);
export type Role = z.infer<typeof roleSchema>;
export type BroadcastRole = (typeof BROADCAST_ROLES)[number];

/** The people who can be on air; each publishes the stream of the same name. */
export const PERSON_IDS = ["host", "guest"] as const;
export const personIdSchema = z.enum(PERSON_IDS);
export type PersonId = z.infer<typeof personIdSchema>;

/** What a compositor publishes of the one scene. */
export const MAIN_COMPOSITE_STREAM = "composite/main";

/** The one scene's program, as named in `/media/{stream}`: what the splicer makes of its sources. Nobody publishes it. */
export const MAIN_PROGRAM_STREAM = "program/main";

/** Named live streams of a broadcast's Router. */
export const STREAM_NAMES = ["host", "guest", MAIN_COMPOSITE_STREAM, MAIN_PROGRAM_STREAM] as const;
export const streamNameSchema = z.enum(STREAM_NAMES);
export type StreamName = z.infer<typeof streamNameSchema>;

/** Streams that somebody publishes. */
export const PUBLISHED_STREAM_NAMES = ["host", "guest", MAIN_COMPOSITE_STREAM] as const;
export const publishedStreamNameSchema = z.enum(PUBLISHED_STREAM_NAMES);
export type PublishedStreamName = z.infer<typeof publishedStreamNameSchema>;
