import { WebSocket } from "ws";
import type { SubscriptionSocket } from "../../egress/router-subscription.ts";
import type { EgressJob } from "../../worker/protocol/egress-jobs.ts";
import { MAX_MEDIA_MESSAGE_BYTES } from "../../worker/protocol/media-socket.ts";
import { messageOf } from "../log.ts";
import { socketUrl } from "../socket-url.ts";

/** The Worker answers in milliseconds; one that is frozen is asked again rather than waited for. */
const HANDSHAKE_TIMEOUT_MS = 4_000;

/** Subscribes to the program of a job's broadcast. Rejects when there is no socket to be had now. */
export function openProgram(apiUrl: string, { broadcastId, stream, token }: EgressJob): Promise<SubscriptionSocket> {
	const path = `/api/broadcasts/${broadcastId}/media/${stream}?direction=subscribe&ack=1`;
	const socket = new WebSocket(socketUrl(apiUrl, path), {
		headers: { authorization: `Bearer ${token}` },
		handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
		maxPayload: MAX_MEDIA_MESSAGE_BYTES,
		perMessageDeflate: false,
	});
	socket.binaryType = "arraybuffer";
	return new Promise((resolve, reject) => {
		socket.once("open", () => {
			// What comes in the same packet as the answer would pass before the subscriber listens.
			socket.pause();
			setImmediate(() => socket.resume());
			resolve(socket as SubscriptionSocket);
		});
		// Also after opening, so that a broken line is never an unhandled error; its close event is what counts then.
		socket.on("error", (error) => reject(new Error(`program socket: ${messageOf(error)}`)));
		socket.once("unexpected-response", (_request, response) => {
			reject(new Error(`program socket: expected a WebSocket, got HTTP ${response.statusCode}`));
			response.resume();
			socket.terminate();
		});
	});
}
