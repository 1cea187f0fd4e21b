import type { z } from "@hono/zod-openapi";
import { signRoleToken } from "../auth/role-token.ts";
import { PERSON_TOKEN_LIFETIME_S } from "../auth/token-lifetime.ts";
import type { IndexRow } from "../broadcast/broadcast-index.ts";
import type { BroadcastView, CreatedBroadcast, DestinationView } from "../protocol/broadcast-commands.ts";
import {
	type broadcastSchema,
	type broadcastSummarySchema,
	type createdBroadcastSchema,
	layoutSchema,
} from "./schemas.ts";

/** A broadcast as the API shows it: times in RFC 3339, the bitrate under its public name. */
export function broadcastAnswer(view: BroadcastView): z.infer<typeof broadcastSchema> {
	const { createdAtMs, startedAtMs, endedAtMs, videoBitrateBps, liveStreams, destinations, ...same } = view;
	return {
		...same,
		videoBitrate: videoBitrateBps,
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

/** A row of the list of broadcasts. */
export function summaryAnswer(row: IndexRow): z.infer<typeof broadcastSummarySchema> {
	return {
		id: row.id,
		title: row.title,
		status: row.status,
		layout: layoutSchema.parse(row.layout),
		createdAt: dateTime(row.created_at_ms),
		...(row.started_at_ms === null ? {} : { startedAt: dateTime(row.started_at_ms) }),
		...(row.ended_at_ms === null ? {} : { endedAt: dateTime(row.ended_at_ms) }),
	};
}

/** A new broadcast with everything its people need to take part: told once, here. */
export async function createdAnswer(
	created: CreatedBroadcast,
	site: { readonly origin: string; readonly rtmpUrl: string; readonly signingKey: string; readonly nowS: number },
): Promise<z.infer<typeof createdBroadcastSchema>> {
	const { id } = created.broadcast;
	const exp = Math.floor(site.nowS) + PERSON_TOKEN_LIFETIME_S;
	const token = (role: "host" | "guest" | "viewer") => signRoleToken({ bid: id, role, exp }, site.signingKey);
	const tokens = { host: await token("host"), guest: await token("guest"), viewer: await token("viewer") };
	// In the fragment, since browsers do not send it and servers do not log it.
	const link = (page: string, roleToken: string) => `${site.origin}/${page}/${id}#token=${roleToken}`;
	const ingest = (streamKey: string) => ({ rtmp: { url: site.rtmpUrl, streamKey } });
	return {
		...broadcastAnswer(created.broadcast),
		links: {
			studio: link("studio", tokens.host),
			join: link("join", tokens.guest),
			watch: link("watch", tokens.viewer),
		},
		tokens,
		ingest: { host: ingest(created.streamKeys.host), guest: ingest(created.streamKeys.guest) },
	};
}

function dateTime(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
