import type { z } from "@hono/zod-openapi";
import { personClaims, personTokenExpiryS } from "../auth/person-token.ts";
import { signRoleToken } from "../auth/role-token.ts";
import type { BroadcastView, DestinationView } from "../protocol/broadcast-commands.ts";
import type { PersonId } from "../protocol/roles.ts";
import { ingestAnswer } from "./ingest-answer.ts";
import { type broadcastSchema, createdBroadcastSchema } from "./schemas.ts";

/** A broadcast as the API shows it: times in RFC 3339, the bitrate under its public name. */
export function broadcastAnswer(view: BroadcastView): z.infer<typeof broadcastSchema> {
	const { createdAtMs, startedAtMs, endedAtMs, scheduledStartMs, videoBitrateBps, ...same } = view;
	const { liveStreams, destinations, people, order, ...plain } = same;
	return {
		...plain,
		order: [...order],
		people: people.map((person) => ({ ...person })),
		videoBitrate: videoBitrateBps,
		...(scheduledStartMs === undefined ? {} : { scheduledStartTime: dateTime(scheduledStartMs) }),
		createdAt: dateTime(createdAtMs),
		...(startedAtMs === undefined ? {} : { startedAt: dateTime(startedAtMs) }),
		...(endedAtMs === undefined ? {} : { endedAt: dateTime(endedAtMs) }),
		liveStreams: [...liveStreams],
		destinations: destinations.map(destinationAnswer),
	};
}

export function destinationAnswer(destination: DestinationView): DestinationView {
	return { ...destination };
}

/** A new broadcast with everything its people need to take part: told once, here. */
export async function createdAnswer(
	broadcast: BroadcastView,
	streamKeys: Readonly<Partial<Record<PersonId, string>>>,
	site: { readonly origin: string; readonly rtmpUrl: string; readonly signingKey: string; readonly nowS: number },
): Promise<z.infer<typeof createdBroadcastSchema>> {
	const { id } = broadcast;
	const exp = personTokenExpiryS(site.nowS, broadcast.scheduledStartMs);
	const token = (person: PersonId | "viewer") => signRoleToken(personClaims(id, person, 1, exp), site.signingKey);
	const others = broadcast.people
		.map((person) => person.id)
		.filter((person) => person !== "host" && person !== "guest");
	const ofOthers = await Promise.all(others.map(async (person) => [person, await token(person)] as const));
	const tokens = {
		host: await token("host"),
		guest: await token("guest"),
		...Object.fromEntries(ofOthers),
		viewer: await token("viewer"),
	};
	// In the fragment, since browsers do not send it and servers do not log it.
	const link = (page: string, roleToken: string) => `${site.origin}/${page}/${id}#token=${roleToken}`;
	const ingest = Object.fromEntries(
		Object.entries(streamKeys).map(([person, streamKey]) => [person, ingestAnswer(site, streamKey)]),
	);
	return createdBroadcastSchema.parse({
		...broadcastAnswer(broadcast),
		links: {
			studio: link("studio", tokens.host),
			join: link("join", tokens.guest),
			watch: link("watch", tokens.viewer),
		},
		tokens,
		ingest,
	});
}

function dateTime(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
