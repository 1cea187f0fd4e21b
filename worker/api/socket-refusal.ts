import type { Context, MiddlewareHandler } from "hono";
import { CLOSE, type CloseKind, closeReason } from "../protocol/close-codes.ts";
import { MEDIA_SUBPROTOCOL } from "../protocol/media-socket.ts";
import type { ProblemKind } from "../protocol/problem.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";

/** How a refusal ends a socket; kinds that are not here may be tried again. */
const CLOSE_KIND_OF: Partial<Record<ProblemKind, CloseKind>> = {
	"invalid-request": "forbidden",
	unauthorized: "unauthorized",
	forbidden: "forbidden",
	"not-found": "ended",
	"broadcast-ended": "ended",
	"taken-over": "takenOver",
};

/**
 * For routes that are WebSockets. A client that sent an `Authorization` header can read HTTP and is refused with a problem document; a browser
 * sees neither status nor body of a refused upgrade, so its socket is opened and closed with the code and the reason.
 */
export function socketRoute(handle: (c: Context<ApiEnv>) => Promise<Response>): MiddlewareHandler<ApiEnv> {
	return async (c) => {
		if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
			throw new ApiProblem("upgrade-required", "socket: expected a WebSocket upgrade, got a plain request");
		}
		try {
			return await handle(c);
		} catch (error) {
			if (error instanceof ApiProblem && c.req.header("Authorization") === undefined) {
				return closedSocket(c.req.raw, CLOSE_KIND_OF[error.kind] ?? "stalled", error.message);
			}
			throw error;
		}
	};
}

/** The upgrade as a fellow object gets it: no token goes along, and no subprotocol but ours. */
export function upgradeFor(path: string, request: Request): Request {
	const headers = new Headers({ Upgrade: "websocket" });
	if (offersSubprotocol(request)) {
		headers.set("Sec-WebSocket-Protocol", MEDIA_SUBPROTOCOL);
	}
	return new Request(new URL(path, "http://object"), { headers });
}

/** The fellow object's answer as the client gets it. @throws {ApiProblem} when it did not take the socket. */
export async function upgraded(answer: Response, request: Request): Promise<Response> {
	if (answer.webSocket === null) {
		throw new ApiProblem(answer.status === 404 ? "not-found" : "too-many", await answer.text());
	}
	return new Response(null, { status: 101, webSocket: answer.webSocket, headers: subprotocolHeader(request) });
}

function closedSocket(request: Request, kind: CloseKind, reason: string): Response {
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.close(CLOSE[kind].code, closeReason(reason));
	return new Response(null, { status: 101, webSocket: client, headers: subprotocolHeader(request) });
}

function subprotocolHeader(request: Request): Record<string, string> {
	return offersSubprotocol(request) ? { "Sec-WebSocket-Protocol": MEDIA_SUBPROTOCOL } : {};
}

function offersSubprotocol(request: Request): boolean {
	const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
	return offered.some((protocol) => protocol.trim() === MEDIA_SUBPROTOCOL);
}
