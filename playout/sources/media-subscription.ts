import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../media/flv/frame-reader.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-writer.ts";
import { unwrapNearMs } from "../../media/timestamp.ts";
import { msToUs, usToMs } from "../../media/units.ts";
import { parseJsonMessage } from "../../sockets/json-message.ts";
import { ReconnectingSocket, socketUrl } from "../../sockets/reconnecting-socket.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import {
	ACK_EVERY_MS,
	ACK_EVERY_TAGS,
	type CaptureClock,
	type MediaAck,
	subscriberNoteSchema,
} from "../../worker/protocol/media-socket.ts";
import type { StreamName } from "../../worker/protocol/roles.ts";

export interface MediaSubscriptionOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly stream: StreamName;
	readonly token: string;
	/** Every frame as it arrives, with the local time at which its last byte was there. */
	onFrame(frame: EncodedFrame, arrivalUs: number): void;
	/** Each connection starts with configurations, and with the group of pictures so far: at any time of the source's. */
	onConnected(connected: boolean): void;
	/**
	 * What the sender's own clock (Unix time) is ahead of the stream's time, in microseconds, ahead of the first frame it holds for; `undefined` on each new
	 * connection, and with a publisher that does not say it, until one says it again.
	 */
	onClock?(aheadUs: number | undefined): void;
	/** Its publisher was told to rest; what comes next begins with a key frame. */
	onAsleep?(): void;
	/** This subscription is over. */
	onRefused(reason: string): void;
	/** Something went wrong, and another connection follows. */
	onProblem(reason: string): void;
	nowUs(): number;
}

/** Somebody whose media is coming sends a frame every few hundredths of a second: a connection without one for this long has lost them. */
const SILENT_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 500;

/** Subscribes to one stream of the Router as WS-FLV and acknowledges what it has taken. */
export class MediaSubscription {
	readonly #options: MediaSubscriptionOptions;
	readonly #socket: ReconnectingSocket;
	#reader = new FlvFrameReader();
	#tagsTaken = 0;
	#tagsAcknowledged = 0;
	#ackTimer: ReturnType<typeof setTimeout> | undefined;
	readonly #silenceTimer: ReturnType<typeof setInterval>;
	/** Their media is coming; then silence means that it does not come here. */
	#expected = false;
	/** Its publisher was told to send nothing. */
	#isAsleep = false;
	/** What was said last of the sender's clock, and not yet of which frame. */
	#clock: CaptureClock | undefined;
	/** Since when nothing has come, of a connection or of an expectation. */
	#silentSinceMs = 0;

	constructor(options: MediaSubscriptionOptions) {
		this.#options = options;
		const path = `/api/broadcasts/${options.broadcastId}/media/${options.stream}?direction=subscribe&ack=1`;
		this.#socket = new ReconnectingSocket(socketUrl(options.apiUrl, path), options.token, {
			onOpen: () => this.#begin(),
			onMessage: (data) => this.#take(data),
			onBroken: () => this.#end(),
			onRefused: (code, reason) => {
				this.#end();
				clearInterval(this.#silenceTimer);
				options.onRefused(reason === "" ? `closed with code ${code}` : reason);
			},
		});
		this.#silenceTimer = setInterval(() => this.#endSilence(), LOOK_EVERY_MS);
	}

	setExpected(expected: boolean): void {
		if (expected && !this.#expected) {
			this.#silentSinceMs = performance.now();
		}
		this.#expected = expected;
	}

	close(): void {
		this.#end();
		clearInterval(this.#silenceTimer);
		this.#socket.close(CLOSE.done.code, "done");
	}

	#begin(): void {
		this.#reader = new FlvFrameReader();
		this.#tagsTaken = 0;
		this.#tagsAcknowledged = 0;
		this.#isAsleep = false;
		this.#clock = undefined;
		this.#silentSinceMs = performance.now();
		this.#options.onClock?.(undefined);
		this.#options.onConnected(true);
	}

	#end(): void {
		this.#options.onConnected(false);
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
	}

	#take(data: ArrayBuffer | string): void {
		if (typeof data === "string") {
			this.#takeNote(data);
			return;
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
			// What follows cannot be told apart any more. A new connection begins at a place that can.
			const text = error instanceof Error ? error.message : String(error);
			this.#options.onProblem(text);
			this.#socket.reconnect(text, CLOSE.badMedia.code);
			return;
		}
		this.#silentSinceMs = performance.now();
		this.#isAsleep = false;
		for (const frame of frames) {
			this.#sayClock(frame);
			this.#options.onFrame(frame, arrivalUs);
		}
		this.#tagsTaken += 1;
		this.#scheduleAck();
	}

	/** What is not known is passed over: a newer edge may say more. */
	#takeNote(text: string): void {
		const note = subscriberNoteSchema.safeParse(parseJsonMessage(text));
		if (!note.success) {
			return;
		}
		if (note.data.type === "asleep") {
			this.#isAsleep = true;
			this.#options.onAsleep?.();
		} else if (note.data.type === "clock-unknown") {
			this.#clock = undefined;
			this.#options.onClock?.(undefined);
		} else {
			this.#clock = note.data;
		}
	}

	/** A note's time is of 32 bits: which it means is known by the frame that it stands before. */
	#sayClock({ dtsUs }: EncodedFrame): void {
		if (this.#clock !== undefined) {
			const { tagMs, captureMs } = this.#clock;
			this.#clock = undefined;
			this.#options.onClock?.(Math.round(msToUs(captureMs - unwrapNearMs(tagMs, Math.round(usToMs(dtsUs))))));
		}
	}

	#endSilence(): void {
		const isOpen = this.#socket.open !== undefined;
		if (isOpen && this.#expected && !this.#isAsleep && performance.now() - this.#silentSinceMs >= SILENT_AFTER_MS) {
			this.#socket.reconnect(`expected media within ${SILENT_AFTER_MS / 1_000} s, got none`);
		}
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
