import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../media/flv/frame-reader.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-writer.ts";
import { CLOSE, closeReason } from "../../worker/protocol/close-codes.ts";
import { ACK_EVERY_MS, ACK_EVERY_TAGS, type MediaAck } from "../../worker/protocol/media-socket.ts";
import type { StreamName } from "../../worker/protocol/roles.ts";
import { ReconnectingSocket, socketUrl } from "../sockets/reconnecting-socket.ts";

export interface MediaSubscriptionOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly stream: StreamName;
	readonly token: string;
	/** Every frame as it arrives, with the local time at which its last byte was there. */
	onFrame(frame: EncodedFrame, arrivalUs: number): void;
	/** Each connection starts with configurations, and with the group of pictures so far: at any time of the source's. */
	onConnected(connected: boolean): void;
	onRefused(reason: string): void;
	nowUs(): number;
}

/** Subscribes to one stream of the Router as WS-FLV and acknowledges what it has taken. */
export class MediaSubscription {
	readonly #options: MediaSubscriptionOptions;
	readonly #socket: ReconnectingSocket;
	#reader = new FlvFrameReader();
	#tagsTaken = 0;
	#tagsAcknowledged = 0;
	#ackTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: MediaSubscriptionOptions) {
		this.#options = options;
		const path = `/api/broadcasts/${options.broadcastId}/media/${options.stream}?direction=subscribe&ack=1`;
		this.#socket = new ReconnectingSocket(socketUrl(options.apiUrl, path), options.token, {
			onOpen: () => this.#begin(),
			onMessage: (data) => this.#take(data),
			onBroken: () => this.#end(),
			onRefused: (code, reason) => {
				this.#end();
				options.onRefused(reason === "" ? `closed with code ${code}` : reason);
			},
		});
	}

	close(): void {
		this.#end();
		this.#socket.close(CLOSE.done.code, "done");
	}

	#begin(): void {
		this.#reader = new FlvFrameReader();
		this.#tagsTaken = 0;
		this.#tagsAcknowledged = 0;
		this.#options.onConnected(true);
	}

	#end(): void {
		this.#options.onConnected(false);
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
	}

	#take(data: ArrayBuffer | string): void {
		if (typeof data === "string") {
			return; // Text messages to subscribers carry no media; none is defined today, and a newer edge may add some.
		}
		const message = new Uint8Array(data);
		if (isFlvHeader(message)) {
			return;
		}
		const arrivalUs = this.#options.nowUs();
		let frames: EncodedFrame[];
		try {
			frames = this.#reader.push(readSingleTag(message));
		} catch (error) {
			// The Router passed on what it should have refused: end this connection with the reason, and show the person's card.
			const text = error instanceof Error ? error.message : String(error);
			this.#end();
			this.#socket.close(CLOSE.badMedia.code, closeReason(text));
			this.#options.onRefused(text);
			return;
		}
		for (const frame of frames) {
			this.#options.onFrame(frame, arrivalUs);
		}
		this.#tagsTaken += 1;
		this.#scheduleAck();
	}

	#scheduleAck(): void {
		if (this.#tagsTaken - this.#tagsAcknowledged >= ACK_EVERY_TAGS) {
			this.#acknowledge();
		} else {
			this.#ackTimer ??= setTimeout(() => this.#acknowledge(), ACK_EVERY_MS);
		}
	}

	#acknowledge(): void {
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
		this.#tagsAcknowledged = this.#tagsTaken;
		const ack: MediaAck = { type: "ack", tags: this.#tagsTaken };
		this.#socket.open?.send(JSON.stringify(ack));
	}
}
