import type { CloseKind } from "../protocol/close-codes.ts";

/** One peer's socket, as the plain classes see it. No method throws. */
export interface MediaSink {
	/** Hands one binary message to the socket; `false` when the socket is gone. */
	send(message: Uint8Array): boolean;
	/** The same for one text message. */
	sendText(text: string): boolean;
	/** Can be called twice. */
	close(kind: CloseKind, reason: string): void;
}

/** A peer sent, or failed to send, something that ends its connection. */
export class MediaRefusedError extends Error {
	override readonly name: string = "MediaRefusedError";
	readonly kind: CloseKind;

	constructor(kind: CloseKind, message: string, options?: ErrorOptions) {
		super(message, options);
		this.kind = kind;
	}
}

/** Anything else that is thrown is a fault of ours, which must not be taken for the peer's. */
export function asRefusal(error: unknown): MediaRefusedError {
	if (error instanceof MediaRefusedError) {
		return error;
	}
	throw error;
}
