import { parseRtmpUrl } from "../rtmp/url.ts";
import { done, type Outcome, refused } from "../worker/protocol/problem.ts";
import { isPrivateHost } from "./private-address.ts";

/** Longer than any service's address with its key and signature. */
export const MAX_DESTINATION_URL_LENGTH = 2_048;
export const MAX_STREAM_KEY_LENGTH = 1_024;

const HIDDEN = "…";

export interface DestinationAddress {
	readonly url: string;
	readonly streamKey?: string;
}

/**
 * Scheme, optional user, host, optional port, path. Hosts are ASCII names, IPv4 in any form, or IPv6 in brackets: strict enough that no two
 * URL parsers see different hosts in what passes.
 */
const RTMP_URL =
	/^(rtmps?):\/\/(?:([A-Za-z0-9._~%!$&'()*+,;=:-]*)@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(\/[\x21-\x5b\x5d-\x7e]*)$/;

/**
 * Whether a broadcast may be pushed to an address. Messages never hold the address's path, where its key may be.
 * @param allowPrivate for local use: private and loopback addresses are destinations like any other
 */
export function checkDestination(
	address: DestinationAddress,
	options: { readonly allowPrivate: boolean },
): Outcome<null> {
	const { url, streamKey } = address;
	if (url.length > MAX_DESTINATION_URL_LENGTH) {
		return refused(
			"destination-refused",
			`destination: expected an address of at most ${MAX_DESTINATION_URL_LENGTH} characters, got ${url.length}`,
		);
	}
	const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1];
	if (scheme !== "rtmp" && scheme !== "rtmps") {
		return refused("destination-refused", `destination: expected rtmp:// or rtmps://, got ${scheme ?? "no scheme"}`);
	}
	const [, , , host = "", port, path = ""] = RTMP_URL.exec(url) ?? [];
	const hostname = host === "" ? undefined : canonicalHost(host);
	if (hostname === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) {
		return refused(
			"destination-refused",
			`destination: expected ${scheme}://host[:port]/app[/key], got something else`,
		);
	}
	if (!options.allowPrivate && isPrivateHost(hostname)) {
		return refused("destination-refused", `destination: expected a public address, got ${hostname}`);
	}
	if (!path.split("?", 1)[0]?.replace(/^\/+/, "")) {
		return refused("destination-refused", "destination: expected an application in the address's path, got none");
	}
	if ((streamKey === undefined || streamKey === "") && keyStart(path) === undefined) {
		return refused(
			"destination-refused",
			"destination: expected a streamKey, or an address that ends in /app/key, got neither",
		);
	}
	try {
		parseRtmpUrl(url, streamKey === "" ? undefined : streamKey);
	} catch (error) {
		// Its messages hold no key either.
		return refused(
			"destination-refused",
			`destination: ${error instanceof Error ? error.message : "expected an address"}`,
		);
	}
	return done(null);
}

/**
 * The address as it may be shown: host and application. User, password, query and whatever follows the application, where the key may be,
 * are left out.
 */
export function redactDestinationUrl(url: string): string {
	const [, scheme, , host, port, path = ""] = RTMP_URL.exec(url) ?? [];
	if (scheme === undefined) {
		return HIDDEN;
	}
	const application = path.replace(/\?.*$/, "");
	const start = keyStart(application);
	const shown = start === undefined ? application : application.slice(0, start) + HIDDEN;
	return `${scheme}://${host}${port === undefined ? "" : `:${port}`}${shown}`;
}

/** Where what follows the application begins in a path of the form `/app/key`; `undefined` when the path is only an application. */
function keyStart(path: string): number | undefined {
	const length = /^\/+[^/?]+\//.exec(path)?.[0].length;
	return length === undefined || length >= path.length ? undefined : length;
}

/** The host in the one form the URL standard gives it, whatever way its number was written; `undefined` when it is not a host. */
function canonicalHost(host: string): string | undefined {
	return URL.parse(`http://${host}/`)?.hostname;
}
