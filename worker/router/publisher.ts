import type { PublisherAck } from "../protocol/media-socket.ts";
import { IngestGuard } from "./ingest-guard.ts";
import type { MediaSink } from "./media-sink.ts";
import type { PublishedTag } from "./publisher-input.ts";

/** Codecs whose frames cannot be decoded without the configuration that comes ahead of them. */
const NEEDS_CONFIG: ReadonlySet<string | undefined> = new Set(["avc", "av1", "aac"]);

export interface PublisherOptions {
	/** It takes over from pictures that viewers still see, so nothing of it may be sent before its own first key frame. */
	readonly splices: boolean;
	/** It can stop sending, and begin again at once. */
	readonly sleeps: boolean;
	/** It wants to know how much of it has come. */
	readonly acknowledged: boolean;
}

/** One publisher's connection: what it has shown so far, and so which of its tags can go on air. */
export class Publisher {
	readonly sink: MediaSink;
	readonly guard: IngestGuard;
	readonly sleeps: boolean;
	asleep = false;
	readonly #splices: boolean;
	readonly #acknowledged: boolean;
	#messages = 0;
	#messagesAcknowledged = 0;
	#hasVideoConfig = false;
	#hasAudioConfig = false;
	#hasKeyFrame = false;

	constructor(sink: MediaSink, options: PublisherOptions, nowMs: number) {
		this.sink = sink;
		this.guard = new IngestGuard(nowMs);
		this.#splices = options.splices;
		this.sleeps = options.sleeps;
		this.#acknowledged = options.acknowledged;
	}

	get hasKeyFrame(): boolean {
		return this.#hasKeyFrame;
	}

	/** A message of its was taken. */
	heard(): void {
		this.#messages += 1;
	}

	/** Says how much has come, where it wants to know and there is news. */
	acknowledge(): void {
		if (this.#acknowledged && this.#messages > this.#messagesAcknowledged) {
			this.#messagesAcknowledged = this.#messages;
			this.sink.sendText(JSON.stringify({ type: "ack", messages: this.#messages } satisfies PublisherAck));
		}
	}

	/**
	 * What to do with the publisher's next tag: keep it as the configuration, send it on as media, or drop it (nothing a subscriber needs,
	 * or not decodable yet). Sound flows at once; pictures start at a key frame with its configuration.
	 */
	admit(published: PublishedTag): "config" | "media" | "drop" {
		switch (published.kind) {
			case "video-config":
				this.#hasVideoConfig = true;
				return "config";
			case "audio-config":
				this.#hasAudioConfig = true;
				return "config";
			case "video-key":
				this.#hasKeyFrame ||= this.#hasVideoConfig || !NEEDS_CONFIG.has(published.codec);
				return this.#hasKeyFrame ? "media" : "drop";
			case "video-inter":
				return this.#hasKeyFrame ? "media" : "drop";
			case "audio": {
				const decodable = this.#hasAudioConfig || !NEEDS_CONFIG.has(published.codec);
				return decodable && (this.#hasKeyFrame || !this.#splices) ? "media" : "drop";
			}
			case "video-end":
			case "video-command":
			case "audio-empty":
			case "script":
			case "skip":
				return "drop";
		}
	}
}
