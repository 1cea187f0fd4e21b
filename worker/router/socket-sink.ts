import { CLOSE, type CloseKind, closeReason } from "../protocol/close-codes.ts";
import type { MediaSink } from "./media-sink.ts";

/** A workerd WebSocket as a {@link MediaSink}: a socket that is gone is answered with `false`, never with an exception. */
export class SocketSink implements MediaSink {
	readonly #socket: WebSocket;

	constructor(socket: WebSocket) {
		this.#socket = socket;
	}

	send(message: Uint8Array): boolean {
		return this.#send(message);
	}

	sendText(text: string): boolean {
		return this.#send(text);
	}

	close(kind: CloseKind, reason: string): void {
		try {
			this.#socket.close(CLOSE[kind].code, closeReason(reason));
		} catch {
			// Closed already: that is what was wanted.
		}
	}

	#send(message: Uint8Array | string): boolean {
		try {
			this.#socket.send(message);
			return true;
		} catch {
			// The peer closed between two messages; its close event is on the way and tells the rest.
			return false;
		}
	}
}

/** Calls `gone` when the socket has closed or broken: once, or once for each where it does both. */
export function onGone(socket: WebSocket, gone: () => void): void {
	socket.addEventListener("close", () => {
		gone();
		try {
			socket.close();
		} catch {
			// The runtime answers a close frame by itself on newer compatibility dates.
		}
	});
	socket.addEventListener("error", gone);
}
