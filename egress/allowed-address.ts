import type { RtmpUrl } from "../rtmp/url.ts";
import { checkDestination } from "./destination-policy.ts";
import { DestinationForbiddenError } from "./line-failure.ts";

/**
 * Every address is checked where it is dialled, since a redirect can name any.
 * @throws {DestinationForbiddenError} which is a refusal
 */
export function expectAllowed(url: RtmpUrl, options: { readonly allowPrivate: boolean }): void {
	const checked = checkDestination({ url: url.tcUrl, streamKey: url.streamKey }, options);
	if (!checked.ok) {
		throw new DestinationForbiddenError(checked.refusal.detail);
	}
}
