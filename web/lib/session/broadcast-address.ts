/** Where a broadcast is to be found. */
export interface BroadcastAddress {
	/** Such as `https://tandem.example`. */
	readonly apiUrl: string;
	readonly broadcastId: string;
}

const BROADCAST_PATH = /^\/(?:studio|join|api\/broadcasts)\/([\w-]+)(?:\/|$)/;

/**
 * @param url the broadcast's address as people and programs have it: `/studio/ID`, `/join/ID` or `/api/broadcasts/ID`, with whatever comes after
 * @throws with words for people. They never hold the address: its fragment may be a token.
 */
export function broadcastAddress(url: string): BroadcastAddress {
	const parsed = URL.canParse(url) ? new URL(url) : undefined;
	const [, broadcastId] = BROADCAST_PATH.exec(parsed?.pathname ?? "") ?? [];
	if (parsed === undefined || broadcastId === undefined || !/^https?:$/.test(parsed.protocol)) {
		throw new Error("This address is not one of a show. Check that you have the whole link.");
	}
	return { apiUrl: parsed.origin, broadcastId };
}
