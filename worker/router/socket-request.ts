import { z } from "zod";
import { publishSessionSchema } from "../protocol/media-socket.ts";
import { PERSON_IDS, publishedStreamNameSchema, streamNameSchema } from "../protocol/roles.ts";

const flagSchema = z.enum(["0", "1"]).transform((value) => value === "1");

/** Of the credentials a person came with; those of the admin and of fellow objects have none. */
const credentialsSchema = z.coerce.number().int().positive().optional();

const publishQuerySchema = z.object({
	stream: publishedStreamNameSchema,
	session: publishSessionSchema.optional(),
	/** `1`: it can stop sending, and begin again with a key frame at once. */
	sleeps: flagSchema.default(false),
	/** `1`: it is told how much of what it sends has come. */
	ack: flagSchema.default(false),
	fence: z.coerce.number().int().nonnegative().default(0),
	ver: credentialsSchema,
});

const subscribeQuerySchema = z.object({
	stream: streamNameSchema,
	ack: flagSchema.default(false),
	/** `0`: start at the next key frame, for a subscriber that has had the present group of pictures already. */
	group: flagSchema.default(true),
	/** Who subscribes, where they may be cut off later. */
	as: z.enum([...PERSON_IDS, "viewer"]).optional(),
	ver: credentialsSchema,
	/** The destination's id, where an Egress subscribes. */
	egress: z.string().min(1).optional(),
});

export type PublishRequest = { readonly direction: "publish" } & z.infer<typeof publishQuerySchema>;
export type SubscribeRequest = { readonly direction: "subscribe" } & z.infer<typeof subscribeQuerySchema>;
export type SocketRequest = PublishRequest | SubscribeRequest;

/** What a request to the Router's `fetch` asks for; `undefined` when it is not one the Router knows. */
export function parseSocketRequest(url: URL): SocketRequest | undefined {
	const query = Object.fromEntries(url.searchParams);
	switch (url.pathname) {
		case "/publish": {
			const parsed = publishQuerySchema.safeParse(query);
			return parsed.success ? { direction: "publish", ...parsed.data } : undefined;
		}
		case "/subscribe": {
			const parsed = subscribeQuerySchema.safeParse(query);
			return parsed.success ? { direction: "subscribe", ...parsed.data } : undefined;
		}
		default:
			return undefined;
	}
}
