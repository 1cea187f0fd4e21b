import { BEARER_SUBPROTOCOL_PREFIX } from "../protocol/media-socket.ts";

/**
 * The token a request carries: `Authorization: Bearer`, or for sockets the subprotocol `bearer.<token>`, or, where the route allows it, `?token=`.
 * `undefined` when it carries none. Tokens in addresses end up in logs and histories, hence only where nothing else can be done.
 */
export function credentialOf(request: Request, allowed: { readonly query: boolean }): string | undefined {
	const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.headers.get("Authorization") ?? "") ?? [];
	return bearer ?? subprotocolToken(request) ?? (allowed.query ? queryToken(request) : undefined);
}

function subprotocolToken(request: Request): string | undefined {
	const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
	const bearer = offered.map((protocol) => protocol.trim()).find((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
	return bearer?.slice(BEARER_SUBPROTOCOL_PREFIX.length) || undefined;
}

function queryToken(request: Request): string | undefined {
	return new URL(request.url).searchParams.get("token") || undefined;
}
