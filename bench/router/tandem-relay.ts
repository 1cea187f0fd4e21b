import { z } from "zod";
import { socketUrl } from "../../runner/socket-url.ts";
import { ApiClient } from "../../scripts/api.ts";
import type { LocalSystem } from "../../scripts/local-system.ts";
import { usageOf } from "../../scripts/process-usage.ts";
import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";
import { type Audience, listenerIds, type Relay, type StartRelay } from "./relay.ts";

/** Of the pictures that the publisher says it sends: what is passed through as the program has the program's size. */
const SIZE = { width: 1280, height: 720 };
/** The destination's key, and the id of what it hears. */
export const DESTINATION = "destination";

const skippedSchema = z.object({
	sources: z.array(z.object({ subscribers: z.array(z.object({ skippedTags: z.number() })) })),
});

/** The Router, off air: the host's stream as it comes in, to those who subscribe to it. */
export function streamOf(system: LocalSystem): StartRelay {
	return (audience) => startTandemRelay(system, audience, { onAir: false });
}

/** The Router, on air: the host passed through as the program, to those who subscribe to that, and by an Egress to an RTMP server. */
export function programOf(system: LocalSystem): StartRelay {
	return (audience) => startTandemRelay(system, audience, { onAir: true });
}

async function startTandemRelay(
	{ apiUrl, adminToken, pids }: LocalSystem,
	{ listeners, withStuck, rtmpUrl }: Audience,
	{ onAir }: { readonly onAir: boolean },
): Promise<Relay> {
	const api = new ApiClient(apiUrl, adminToken);
	const destinations = onAir ? [{ url: rtmpUrl, streamKey: DESTINATION }] : [];
	const { id, ingest } = await api.create({ title: "Router", ...SIZE, destinations });
	if (onAir) {
		await api.start(id);
	}
	const media = (stream: string, query: string) => socketUrl(apiUrl, `/api/broadcasts/${id}/media/${stream}?${query}`);
	const subscription = (listener: string, stuck: boolean) => ({
		id: listener,
		url: media(onAir ? MAIN_PROGRAM_STREAM : "host", "direction=subscribe&ack=1"),
		token: adminToken,
		acknowledges: true,
		stuck,
	});
	const ids = listenerIds(listeners);
	return {
		publish: {
			kind: "websocket",
			url: media("host", "direction=publish&ack=1"),
			token: ingest.host.rtmp.streamKey,
			acknowledged: true,
		},
		subscriptions: [
			...ids.map((each) => subscription(each, false)),
			...(withStuck ? [subscription("stuck", true)] : []),
		],
		listeners: onAir ? [...ids, DESTINATION] : ids,
		usage: () => usageOf(pids().worker ?? -1, /^workerd/),
		async skippedTags() {
			const { sources } = skippedSchema.parse(await api.call("GET", `/api/broadcasts/${id}/stats`));
			return Math.max(0, ...sources.flatMap(({ subscribers }) => subscribers.map(({ skippedTags }) => skippedTags)));
		},
		async [Symbol.asyncDispose]() {
			await api.end(id);
		},
	};
}
