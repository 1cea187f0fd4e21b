import { CLOSE } from "./protocol/close-codes.ts";

/**
 * Completes the closing handshake of a hibernatable socket (RFC 6455 §5.5.1), which the runtime leaves to us: without it the client sees an
 * abnormal closure.
 */
export function answerClose(socket: WebSocket): void {
	socket.close(CLOSE.done.code);
}
