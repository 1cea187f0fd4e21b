import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { messageOf } from "../log.ts";
import { socketUrl } from "../socket-url.ts";
import { refusalOfStatus } from "./refusal.ts";
import type { StreamRoute } from "./stream-route.ts";

/** The Worker answers in milliseconds; one that is frozen is asked again rather than waited for. */
const HANDSHAKE_TIMEOUT_MS = 4_000;
/** Problem documents are a few hundred bytes. */
const MAX_PROBLEM_BYTES = 16 * 1024;
/** Nothing of any size comes down a publisher's socket. */
const MAX_INCOMING_BYTES = 64 * 1024;

/**
 * Connects to the Router as the stream's publisher. `session` is the same for all connections of one publisher.
 *
 * Rejects with a PublishRejection when the Worker says no, for good, and with another error when trying again may help.
 */
export function connectMediaSocket(
	apiUrl: string,
	route: StreamRoute,
	streamKey: string,
	session: string,
): Promise<WebSocket> {
	const path = `/api/broadcasts/${route.broadcastId}/media/${route.stream}?direction=publish&session=${session}`;
	const socket = new WebSocket(socketUrl(apiUrl, path), {
		headers: { authorization: `Bearer ${streamKey}` },
		handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
		maxPayload: MAX_INCOMING_BYTES,
		perMessageDeflate: false,
	});
	return new Promise((resolve, reject) => {
		socket.once("open", () => resolve(socket));
		// Also after opening, so that a broken line is never an unhandled error; its close event is what counts then.
		socket.on("error", (error) => reject(new Error(`media socket: ${messageOf(error)}`)));
		socket.once("unexpected-response", (_request, response) => {
			readAnswer(response)
				.then((error) => reject(error))
				.catch((error: unknown) => reject(new Error(`media socket: ${messageOf(error)}`)))
				.finally(() => socket.terminate());
		});
	});
}

async function readAnswer(response: IncomingMessage): Promise<Error> {
	const status = response.statusCode ?? 0;
	let body = "";
	for await (const bytes of response) {
		body += String(bytes);
		if (body.length > MAX_PROBLEM_BYTES) {
			break;
		}
	}
	return refusalOfStatus(status, body) ?? new Error(`media socket: expected a WebSocket, got HTTP ${status}`);
}
