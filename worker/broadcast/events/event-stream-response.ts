import { z } from "zod";
import { personIdSchema } from "../../protocol/roles.ts";
import type { EventDesk } from "./event-desk.ts";
import { MAX_EVENT_STREAMS } from "./event-streams.ts";

/** What the route writes into the address: `as` and `ver` of everyone but the admin. */
const querySchema = z.object({
	after: z.coerce.number().int().nonnegative().optional(),
	as: personIdSchema.optional(),
	ver: z.coerce.number().int().optional(),
});

/** The broadcast's answer to a route that asks for its stream of events: 404 where there is none, 503 where there is no room for one more. */
export function eventStreamResponse(url: URL, desk: EventDesk, exists: boolean): Response {
	if (!exists) {
		return new Response("broadcast: expected one that exists, got an id that names none", { status: 404 });
	}
	if (desk.streams.count >= MAX_EVENT_STREAMS) {
		return new Response(`events: expected at most ${MAX_EVENT_STREAMS} streams a broadcast, got one more`, {
			status: 503,
		});
	}
	const { after, as, ver } = querySchema.parse(Object.fromEntries(url.searchParams));
	const reader = as === undefined || ver === undefined ? undefined : { person: as, credentialsVersion: ver };
	return new Response(desk.openStream(after, reader), {
		headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
	});
}
