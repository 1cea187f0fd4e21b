import { flvHeader } from "../../media/flv/tag-writer.ts";
import { wrapMs } from "../../media/timestamp.ts";
import { CLOCK_AGAIN_AFTER_MS, mediaAckSchema, type SubscriberNote } from "../protocol/media-socket.ts";
import { AckWindow } from "./ack-window.ts";
import { MediaRefusedError, type MediaSink } from "./media-sink.ts";
import { configMessageAt, missingConfigs, type StreamConfigs, type StreamTag } from "./stream-tag.ts";

/** A subscriber with media on its way for longer than this is behind: live television that is two seconds late is not live. */
export const MAX_UNACKNOWLEDGED_MS = 2_000;
/** 64 subscribers at this limit would be too much for a 128 MB object, the few of one broadcast are not. */
export const MAX_UNACKNOWLEDGED_BYTES = 8 * 1024 * 1024;
/** A subscriber that takes nothing for this long is dead; its socket's buffer must go. */
export const STALLED_AFTER_MS = 30_000;

/**
 * - `live`: every tag is sent.
 * - `joining`: no key frame sent yet; sound flows, pictures wait for one.
 * - `skipping`: too far behind; nothing is sent until a key frame comes when it has caught up.
 */
type DeliveryState = "joining" | "live" | "skipping";

export interface SubscriberFigures {
	readonly id: string;
	readonly ackLagMs: number;
	readonly skippedTags: number;
}

/** Delivers one stream to one socket. A subscriber that does not acknowledge is never skipped. */
export class Subscriber {
	readonly id: string;
	readonly acknowledges: boolean;
	readonly #sink: MediaSink;
	readonly #window = new AckWindow();
	#state: DeliveryState = "joining";
	#sentConfigs: StreamConfigs = {};
	#skippedTags = 0;
	#toldCaptureOffsetMs: number | undefined;

	constructor(id: string, sink: MediaSink, options: { readonly acknowledges: boolean }) {
		this.id = id;
		this.#sink = sink;
		this.acknowledges = options.acknowledges;
	}

	/** Sends the FLV header and the group of pictures so far. Returns `false` when the socket is gone. */
	start(group: readonly StreamTag[], nowMs: number): boolean {
		return this.#sink.send(flvHeader()) && group.every((tag) => this.push(tag, nowMs));
	}

	/** Sends a tag, or skips it. Returns `false` when the socket is gone. */
	push(tag: StreamTag, nowMs: number): boolean {
		this.#state = nextDeliveryState(this.#state, tag.keyFrame, this.#isBehind(nowMs));
		if (this.#state === "skipping") {
			this.#skippedTags++;
			return true;
		}
		if (this.#state === "joining" && tag.track === "video") {
			return true;
		}
		this.#tellClock(tag);
		return this.#sendConfigs(tag, nowMs) && this.#send(tag.message, nowMs);
	}

	/** Stock players know of media only. */
	tell(note: SubscriberNote): void {
		if (this.acknowledges) {
			this.#sink.sendText(JSON.stringify(note));
		}
	}

	/** @throws MediaRefusedError when the message is not an acknowledgement of something that was sent */
	takeMessage(data: ArrayBuffer | string, nowMs: number): void {
		if (typeof data !== "string") {
			throw new MediaRefusedError("badMedia", "subscriber: expected acknowledgements as text, got a binary message");
		}
		if (!this.acknowledges) {
			return;
		}
		const tags = parseAck(data);
		if (!this.#window.acknowledge(tags, nowMs)) {
			throw new MediaRefusedError("badMedia", `ack: expected at most ${this.#window.tagsSent} tags, got ${tags}`);
		}
	}

	/** @throws MediaRefusedError when the subscriber has taken nothing for too long */
	checkProgress(nowMs: number): void {
		const silenceMs = this.#window.silenceMs(nowMs);
		if (this.acknowledges && silenceMs > STALLED_AFTER_MS) {
			const seconds = STALLED_AFTER_MS / 1_000;
			throw new MediaRefusedError("stalled", `subscriber: expected an acknowledgement within ${seconds} s, got none`);
		}
	}

	close(kind: Parameters<MediaSink["close"]>[0], reason: string): void {
		this.#sink.close(kind, reason);
	}

	figures(nowMs: number): SubscriberFigures {
		const ackLagMs = this.acknowledges ? this.#window.lagMs(nowMs) : 0;
		return { id: this.id, ackLagMs, skippedTags: this.#skippedTags };
	}

	#tellClock({ captureOffsetMs, timeMs }: StreamTag): void {
		const told = this.#toldCaptureOffsetMs;
		if (captureOffsetMs === undefined) {
			this.#toldCaptureOffsetMs = undefined;
			if (told !== undefined) {
				this.tell({ type: "clock-unknown" });
			}
			return;
		}
		if (told === undefined || Math.abs(captureOffsetMs - told) >= CLOCK_AGAIN_AFTER_MS) {
			this.#toldCaptureOffsetMs = captureOffsetMs;
			this.tell({ type: "clock", tagMs: wrapMs(timeMs), captureMs: timeMs + captureOffsetMs });
		}
	}

	#isBehind(nowMs: number): boolean {
		return (
			this.acknowledges &&
			(this.#window.lagMs(nowMs) > MAX_UNACKNOWLEDGED_MS || this.#window.unacknowledgedBytes > MAX_UNACKNOWLEDGED_BYTES)
		);
	}

	#sendConfigs(tag: StreamTag, nowMs: number): boolean {
		if (tag.configs === this.#sentConfigs) {
			return true;
		}
		const missing = missingConfigs(this.#sentConfigs, tag.configs);
		this.#sentConfigs = tag.configs;
		return missing.every((config) => this.#send(configMessageAt(config, tag.timeMs), nowMs));
	}

	#send(message: Uint8Array, nowMs: number): boolean {
		if (this.acknowledges) {
			this.#window.sent(message.byteLength, nowMs);
		}
		return this.#sink.send(message);
	}
}

/** What becomes of a subscriber's delivery at a tag. */
export function nextDeliveryState(state: DeliveryState, keyFrame: boolean, behind: boolean): DeliveryState {
	if (behind) {
		return "skipping";
	}
	return keyFrame ? "live" : state;
}

function parseAck(text: string): number {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (cause) {
		throw new MediaRefusedError("badMedia", "ack: expected JSON, got other text", { cause });
	}
	const parsed = mediaAckSchema.safeParse(json);
	if (!parsed.success) {
		throw new MediaRefusedError("badMedia", 'ack: expected {"type":"ack","tags":n}, got another message');
	}
	return parsed.data.tags;
}
