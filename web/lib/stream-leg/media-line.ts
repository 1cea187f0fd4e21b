import type { EncodedAudioFrame, EncodedFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { unwrapNearMs } from "../../../media/timestamp.ts";
import { usToMs } from "../../../media/units.ts";
import { DrainWatch } from "../../../sockets/drain-watch.ts";
import { parseJsonMessage } from "../../../sockets/json-message.ts";
import { ReconnectingSocket, socketUrl } from "../../../sockets/reconnecting-socket.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import {
	type CaptureClock,
	publisherAckSchema,
	publisherRequestSchema,
} from "../../../worker/protocol/media-socket.ts";
import { CongestionGate } from "./congestion-gate.ts";
import { SendBacklog } from "./send-backlog.ts";
import type { StreamLegOptions } from "./worker-messages.ts";

export type MediaLineState = "connecting" | "awake" | "asleep" | "ended";

export interface MediaLineOptions extends StreamLegOptions {
	/** The same over all connections. */
	readonly session: string;
	/** Capture time of timestamp 0, in whole milliseconds. */
	readonly baseMs: number;
	/** On the capture clock. */
	nowUs(): number;
	/** `awake`: begin with a key frame now; it is said anew for every connection. */
	onState(state: MediaLineState): void;
	onKeyFrameWanted(): void;
	/** The first picture of a connection, or of a waking, is on its way. */
	onSending(): void;
	onBroken(reason: string): void;
	onRefused(code: number, reason: string): void;
}

/**
 * The line to the Router: says the clock, then configurations, then frames from a key frame on; sleeps and wakes as it is told, and leaves frames out where it is too
 * slow for them.
 */
export class MediaLine {
	readonly #options: MediaLineOptions;
	readonly #socket: ReconnectingSocket;
	#state: MediaLineState = "connecting";
	#writer = new FlvFrameWriter();
	#backlog = new SendBacklog();
	#gate = new CongestionGate();
	#drain = new DrainWatch();
	#bytesWritten = 0;
	/** What the other end knows since this connection's, or this waking's, beginning. */
	#saidClock = false;
	#saidSound = false;
	#sentPicture = false;
	#videoConfig: Uint8Array | undefined;

	constructor(options: MediaLineOptions) {
		this.#options = options;
		const { apiUrl, broadcastId, person, token, session, sleeps } = options;
		const query = `direction=publish&ack=1&session=${session}${sleeps ? "&sleeps=1" : ""}`;
		const path = `/api/broadcasts/${broadcastId}/media/${person}?${query}`;
		this.#socket = new ReconnectingSocket(socketUrl(apiUrl, path), token, {
			onOpen: (socket) => {
				this.#backlog = new SendBacklog();
				this.#gate = new CongestionGate();
				this.#drain = new DrainWatch();
				this.#bytesWritten = 0;
				this.#send(socket, flvHeader());
				this.#wake();
			},
			onMessage: (data) => this.#take(data),
			onBroken: (reason) => {
				this.#become("connecting");
				options.onBroken(reason);
			},
			onRefused: (code, reason) => {
				this.#become("ended");
				options.onRefused(code, reason);
			},
		});
	}

	/** For how long the oldest byte has waited, and what has gone lately. */
	look(nowUs: number): { readonly delayUs: number; readonly throughputBps: number | undefined } {
		const socket = this.#socket.open;
		if (socket === undefined) {
			return { delayUs: 0, throughputBps: undefined };
		}
		this.#backlog.look(socket.bufferedAmount, nowUs);
		if (this.#drain.isStuck(this.#bytesWritten, this.#backlog.waitingBytes, nowUs)) {
			this.#socket.reconnect("expected the line to take the stream, it has taken none for 5 s");
			return { delayUs: 0, throughputBps: undefined };
		}
		const delayUs = this.#backlog.delayUs(nowUs);
		if (this.#gate.look(delayUs)) {
			this.#options.onKeyFrameWanted();
		}
		return { delayUs, throughputBps: this.#backlog.throughputBps(nowUs) };
	}

	sendPicture(frame: EncodedVideoFrame): void {
		this.#videoConfig = frame.config ?? this.#videoConfig;
		const socket = this.#socket.open;
		if (this.#state !== "awake" || socket === undefined || (!this.#sentPicture && !frame.keyFrame)) {
			return;
		}
		if (!this.#gate.passesPicture(frame.keyFrame, this.#backlog.delayUs(this.#options.nowUs()))) {
			return;
		}
		const begins = !this.#sentPicture;
		this.#sentPicture = true;
		const config = begins ? this.#videoConfig : frame.config;
		const { config: _, ...same } = frame;
		this.#write(socket, config === undefined ? same : { ...same, config });
		if (begins) {
			this.#options.onSending();
		}
	}

	/** Every frame has its configuration with it, where its codec has one. */
	sendSound(frame: EncodedAudioFrame): void {
		const socket = this.#socket.open;
		if (this.#state !== "awake" || socket === undefined) {
			return;
		}
		if (!this.#gate.passesSound(this.#backlog.delayUs(this.#options.nowUs()))) {
			return;
		}
		const { config: _, ...same } = frame;
		this.#write(socket, this.#saidSound ? same : frame);
		this.#saidSound = true;
	}

	/** Ends it for good; may be called twice. */
	close(): void {
		this.#state = "ended";
		this.#socket.close(CLOSE.done.code, "done");
	}

	#wake(): void {
		this.#writer = new FlvFrameWriter();
		this.#saidClock = false;
		this.#saidSound = false;
		this.#sentPicture = false;
		this.#become("awake");
	}

	#become(state: MediaLineState): void {
		if (this.#state !== "ended") {
			this.#state = state;
			this.#options.onState(state);
		}
	}

	#take(data: ArrayBuffer | string): void {
		const message = parseJsonMessage(data);
		const ack = publisherAckSchema.safeParse(message);
		if (ack.success) {
			this.#backlog.acknowledge(ack.data.messages, this.#options.nowUs());
			return;
		}
		const request = publisherRequestSchema.safeParse(message);
		// What a newer edge says besides is for newer publishers.
		if (!request.success || !this.#options.sleeps) {
			return;
		}
		if (request.data.type === "sleep" && this.#state === "awake") {
			this.#become("asleep");
		} else if (request.data.type === "wake" && this.#state === "asleep") {
			this.#wake();
		}
	}

	#write(socket: WebSocket, frame: EncodedFrame): void {
		for (const tag of this.#writer.push(frame)) {
			if (!this.#saidClock) {
				this.#saidClock = true;
				this.#sayClock(socket, tag.timestampMs);
			}
			this.#send(socket, flvTagBytes(tag));
		}
	}

	/** Tags' times are capture times less a constant, so that saying it once is enough. */
	#sayClock(socket: WebSocket, tagMs: number): void {
		const { baseMs, nowUs } = this.#options;
		const captureMs = baseMs + unwrapNearMs(tagMs, Math.round(usToMs(nowUs()) - baseMs));
		const clock: CaptureClock = { type: "clock", tagMs, captureMs };
		this.#send(socket, JSON.stringify(clock));
	}

	#send(socket: WebSocket, message: Uint8Array | string): void {
		socket.send(message as Uint8Array<ArrayBuffer> | string);
		const bytes = message.length;
		this.#bytesWritten += bytes;
		this.#backlog.write(bytes, this.#options.nowUs());
	}
}
