import type { DestinationService } from "../protocol/broadcast-commands.ts";
import type { DestinationRoute } from "../protocol/destination-route.ts";

export interface ServicePreset {
	readonly name: string;
	/** Where it takes programs, its usual server first: the address when a request gives only a key. */
	readonly servers: readonly { readonly name: string; readonly url: string }[];
	/** Domains whose hosts are the service's, by which an address is recognised that was given without saying whose it is. */
	readonly domains: readonly string[];
	/** It takes TLS only: an address with `rtmp://` can never work. */
	readonly rtmpsOnly: boolean;
	/** The only way there, where there is only one, and why. */
	readonly onlyVia?: { readonly via: DestinationRoute; readonly reason: string };
}

/** developers.cloudflare.com/workers/runtime-apis/tcp-sockets, "Considerations": sockets to Cloudflare's own addresses are blocked. */
const NOT_FROM_A_WORKER =
	"a Worker may not open connections to Cloudflare's own addresses, so the program leaves from a runner";

export const SERVICE_PRESETS: Readonly<Record<DestinationService, ServicePreset>> = {
	facebook: {
		name: "Facebook Live",
		servers: [{ name: "Everywhere", url: "rtmps://rtmp-api.facebook.com:443/rtmp/" }],
		domains: ["facebook.com"],
		rtmpsOnly: true,
	},
	youtube: {
		name: "YouTube",
		servers: [
			{ name: "Primary", url: "rtmps://a.rtmps.youtube.com:443/live2" },
			{ name: "Backup, beside the primary", url: "rtmps://b.rtmps.youtube.com:443/live2?backup=1" },
		],
		domains: ["youtube.com"],
		rtmpsOnly: false,
	},
	twitch: {
		name: "Twitch",
		servers: [{ name: "The nearest", url: "rtmps://ingest.global-contribute.live-video.net:443/app" }],
		// Not all of live-video.net, where Amazon IVS takes others' programs too.
		domains: ["twitch.tv", "contribute.live-video.net", "ingest.global-contribute.live-video.net"],
		rtmpsOnly: false,
	},
	"cloudflare-stream": {
		name: "Cloudflare Stream",
		servers: [{ name: "Everywhere", url: "rtmps://live.cloudflare.com:443/live/" }],
		domains: ["cloudflare.com", "cloudflarestream.com"],
		rtmpsOnly: false,
		onlyVia: { via: "runner", reason: NOT_FROM_A_WORKER },
	},
	custom: { name: "Custom RTMP(S)", servers: [], domains: [], rtmpsOnly: false },
};

/** The service whose host that is, where it is a known one's. */
export function serviceOfHost(host: string): DestinationService | undefined {
	const name = host.toLowerCase().replace(/\.$/, "");
	const isWithin = (domain: string) => name === domain || name.endsWith(`.${domain}`);
	const [found] = Object.entries(SERVICE_PRESETS).filter(([, { domains }]) => domains.some(isWithin));
	return found?.[0] as DestinationService | undefined;
}

/** Whose rules a destination is under: the service it was said to be, or the one its host shows. */
export function serviceInForce(service: DestinationService, host: string): DestinationService {
	return service === "custom" ? (serviceOfHost(host) ?? "custom") : service;
}

/** Why a destination can leave one way only, where that is so. The host decides even where another service was named. */
export function onlyWay(service: DestinationService, host: string): ServicePreset["onlyVia"] {
	return SERVICE_PRESETS[service].onlyVia ?? SERVICE_PRESETS[serviceOfHost(host) ?? "custom"].onlyVia;
}
