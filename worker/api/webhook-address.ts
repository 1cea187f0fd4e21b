import { isPrivateHost } from "../../egress/private-address.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";

/** Longer than any address with a token in it. */
export const MAX_WEBHOOK_URL_LENGTH = 2_048;

/**
 * Whether events may be sent to an address: https, and on the public internet. Messages never hold its path or query, where a secret may be.
 *
 * @param allowPrivate for local use: http, and private and loopback addresses, are good as well
 * @returns the address in the one form the URL standard gives it, without a fragment
 */
export function checkWebhookAddress(text: string, options: { readonly allowPrivate: boolean }): Outcome<string> {
	const url = URL.parse(text);
	if (url === null) {
		return refused("webhook-refused", "webhook: expected an address, got something else");
	}
	if (url.protocol !== "https:" && !(options.allowPrivate && url.protocol === "http:")) {
		return refused("webhook-refused", `webhook: expected https://, got ${url.protocol}//`);
	}
	if (url.username !== "" || url.password !== "") {
		return refused("webhook-refused", "webhook: expected an address without user and password, got one with");
	}
	if (!options.allowPrivate && isPrivateHost(url.hostname)) {
		return refused("webhook-refused", `webhook: expected a public address, got ${url.hostname}`);
	}
	url.hash = "";
	return done(url.href);
}
