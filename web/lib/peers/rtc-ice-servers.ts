import type { IceServer } from "../../../worker/protocol/signaling.ts";

/** As the platform takes them. */
export function rtcIceServers(servers: readonly IceServer[]): RTCIceServer[] {
	return servers.map(({ urls, username, credential }) => ({
		urls: [...urls],
		...(username === undefined ? {} : { username }),
		...(credential === undefined ? {} : { credential }),
	}));
}
