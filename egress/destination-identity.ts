import { parseRtmpUrl, type RtmpUrl } from "../rtmp/url.ts";
import type { DestinationAddress } from "./destination-policy.ts";

/**
 * One text for all the ways to write one destination: host in any case, a port that is the default, slashes around the application, the key in
 * the address or apart, with TLS or without. Who logs in (`user:password@`) does not count: the stream is the same. A key's query does, since
 * with some services that is where the key is. Holds the key: for fingerprints only.
 */
export function destinationIdentity(address: DestinationAddress): string {
	const parsed = parsedOrUndefined(address);
	if (parsed === undefined) {
		return JSON.stringify([address.url, address.streamKey ?? ""]);
	}
	const { host, port, secure, app, streamKey } = parsed;
	const defaultPort = secure ? 443 : 1_935;
	const application = app.replace(/^\/+|\/+$/g, "");
	return JSON.stringify([canonicalHost(host), port === defaultPort ? 0 : port, application, streamKey]);
}

/**
 * The same place under another key.
 * @throws {Error} without the key, for an address that is none
 */
export function withStreamKey(address: DestinationAddress, streamKey: string): DestinationAddress {
	if (address.streamKey !== undefined && address.streamKey !== "") {
		return { url: address.url, streamKey };
	}
	const url = address.url.trim();
	const { streamKey: written } = parseRtmpUrl(url);
	return { url: url.slice(0, url.length - written.length), streamKey };
}

function parsedOrUndefined({ url, streamKey }: DestinationAddress): RtmpUrl | undefined {
	try {
		return parseRtmpUrl(url, streamKey === "" ? undefined : streamKey);
	} catch {
		// An address from before such were refused: the same only as itself.
		return undefined;
	}
}

function canonicalHost(host: string): string {
	const written = host.includes(":") ? `[${host}]` : host;
	return (URL.parse(`http://${written}/`)?.hostname ?? host.toLowerCase()).replace(/\.$/, "");
}
