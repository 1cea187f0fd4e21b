import { z } from "zod";
import type { IceServer } from "../protocol/signaling.ts";

/** A browser asks each server from each of its addresses: more only make it slow. */
const MAX_SERVERS = 8;
const MAX_URLS = 8;
const MAX_TEXT_LENGTH = 512;

/** RFC 7064 and RFC 7065; what browsers make of another form is an exception. */
const URL_FORM = /^(stuns?:[^\s/?]+|turns?:[^\s/?]+(\?transport=(udp|tcp))?)$/i;
const urlSchema = z.string().max(MAX_TEXT_LENGTH).regex(URL_FORM);
const textSchema = z.string().min(1).max(MAX_TEXT_LENGTH);

/** As `RTCIceServer`: one address or several, and the credentials that TURN does not work without (W3C WebRTC §4.2.4). */
export const iceServersSchema = z
	.array(
		z
			.object({
				urls: z.union([urlSchema.transform((url) => [url]), z.array(urlSchema).min(1).max(MAX_URLS)]),
				username: textSchema.optional(),
				credential: textSchema.optional(),
			})
			.refine(({ urls, username, credential }) => {
				const isOpen = username === undefined || credential === undefined;
				return !(isOpen && urls.some((url) => /^turns?:/i.test(url)));
			})
			.transform(
				({ urls, username, credential }): IceServer => ({
					urls,
					...(username === undefined ? {} : { username }),
					...(credential === undefined ? {} : { credential }),
				}),
			),
	)
	.max(MAX_SERVERS);

/**
 * The ICE servers that a deployment is given as they are (setting ICE_SERVERS).
 *
 * @param text JSON, an array of `RTCIceServer`; empty for none
 * @param report told that the setting makes no sense, without what is in it: there are none then
 */
export function configuredServers(text: string, report: (fault: string) => void): readonly IceServer[] {
	if (text.trim() === "") {
		return [];
	}
	const servers = iceServersSchema.safeParse(jsonOf(text));
	if (servers.success) {
		return servers.data;
	}
	report(
		`ice: expected ICE_SERVERS to be a JSON array of at most ${MAX_SERVERS} {urls, username?, credential?}, with credentials where it is turn: or turns:, got another`,
	);
	return [];
}

/** `undefined`, which is no array either, of what is no JSON. */
function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
