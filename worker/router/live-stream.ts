import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import { TAG_TYPE } from "../../media/flv/tag.ts";
import { setTagTimestamp } from "../../media/flv/tag-writer.ts";
import { wrapMs } from "../../media/timestamp.ts";
import type { RouterStreamStats, StreamChange } from "../protocol/object-rpc.ts";
import type { StreamName } from "../protocol/roles.ts";
import { GroupCache, STALE_AFTER_MS } from "./group-cache.ts";
import { MediaRefusedError, type MediaSink } from "./media-sink.ts";
import { type PictureSize, pictureSizeOf } from "./picture-size.ts";
import { Publisher } from "./publisher.ts";
import { type PublishedTag, readPublishedMessage } from "./publisher-input.ts";
import { StreamMeter } from "./stream-meter.ts";
import { type StreamConfigs, type StreamTag, updatedConfig } from "./stream-tag.ts";
import { Subscriber } from "./subscriber.ts";
import { TimeRebaser } from "./time-rebaser.ts";

/** A broadcast has a compositor, a handful of destinations, a packager and some monitors; more is a mistake or an attack. */
export const MAX_SUBSCRIBERS = 64;
/** Each of these can make the object buffer without limit, since a socket shows no send buffer: few, and for watching only. */
export const MAX_UNACKNOWLEDGING_SUBSCRIBERS = 16;

export interface LiveStreamOptions {
	readonly stream: StreamName;
	/** End a publisher that brings no picture. */
	readonly needsVideo: boolean;
	/** Must not throw. */
	readonly onChange: (change: StreamChange) => void;
}

export interface SubscribeOptions {
	readonly id: string;
	readonly acknowledges: boolean;
	/** Start with the group of pictures so far, rather than at the next key frame. */
	readonly withGroup: boolean;
}

/**
 * One named live stream: at most one publisher, any number of subscribers, and one time line that goes on rising whoever publishes.
 *
 * `state` is `live` from a publisher's first key frame until no publisher has been there for {@link STALE_AFTER_MS}: a publisher that comes
 * back sooner is spliced in without anyone being told.
 */
export class LiveStream {
	readonly #options: LiveStreamOptions;
	readonly #time = new TimeRebaser();
	readonly #group = new GroupCache();
	readonly #meter = new StreamMeter();
	readonly #subscribers = new Set<Subscriber>();
	#state: StreamChange["state"] = "idle";
	#publisher: Publisher | undefined;
	#publisherLeftMs = 0;
	#configs: StreamConfigs = {};
	#size: PictureSize | undefined;
	/** No key frame of that size has come yet, so nobody has been told of it. */
	#sizeIsNew = false;
	#videoCodec: VideoCodec | undefined;
	#audioCodec: AudioCodec | undefined;

	constructor(options: LiveStreamOptions) {
		this.#options = options;
	}

	get state(): StreamChange["state"] {
		return this.#state;
	}

	/** Whether {@link tick} has anything to watch. */
	get needsTicks(): boolean {
		return this.#state === "live" || this.#publisher !== undefined || this.#subscribers.size > 0;
	}

	/** Makes `sink` the stream's publisher; an older one is closed. The caller has checked its right to publish. */
	publish(sink: MediaSink, nowMs: number): Publisher {
		this.#publisher?.sink.close("takenOver", "a newer publisher of this stream took over");
		const options = { needsVideo: this.#options.needsVideo, splices: this.#state === "live" };
		this.#publisher = new Publisher(sink, options, nowMs);
		this.#time.restart();
		return this.#publisher;
	}

	/** Takes one message of a publisher. A message that is refused closes that publisher; one that was taken over is not heard. */
	publisherMessage(publisher: Publisher, data: ArrayBuffer | string, nowMs: number): void {
		if (publisher !== this.#publisher) {
			return;
		}
		this.#orClosePublisher(publisher, nowMs, () => {
			const published = readPublishedMessage(data);
			if (published !== undefined) {
				publisher.guard.sawTag(trackOf(published), nowMs);
				this.#take(publisher, published, nowMs);
			}
			publisher.guard.check(nowMs);
		});
	}

	publisherGone(publisher: Publisher, nowMs: number): void {
		if (publisher === this.#publisher) {
			this.#publisher = undefined;
			this.#publisherLeftMs = nowMs;
		}
	}

	/** Whether one more subscriber of this kind may come. */
	hasRoomFor(options: { readonly acknowledges: boolean }): boolean {
		const unacknowledging = [...this.#subscribers].filter((subscriber) => !subscriber.acknowledges).length;
		return (
			this.#subscribers.size < MAX_SUBSCRIBERS &&
			(options.acknowledges || unacknowledging < MAX_UNACKNOWLEDGING_SUBSCRIBERS)
		);
	}

	subscribe(sink: MediaSink, options: SubscribeOptions, nowMs: number): Subscriber {
		const subscriber = new Subscriber(options.id, sink, options);
		if (subscriber.start(options.withGroup ? this.#group.tags(nowMs) : [], nowMs)) {
			this.#subscribers.add(subscriber);
		}
		return subscriber;
	}

	/** Takes one message of a subscriber; one that makes no sense closes that subscriber. */
	subscriberMessage(subscriber: Subscriber, data: ArrayBuffer | string, nowMs: number): void {
		this.#orCloseSubscriber(subscriber, () => subscriber.takeMessage(data, nowMs));
	}

	subscriberGone(subscriber: Subscriber): void {
		this.#subscribers.delete(subscriber);
	}

	/** To be called about twice a second: finds what has stopped. */
	tick(nowMs: number): void {
		const publisher = this.#publisher;
		if (publisher !== undefined) {
			this.#orClosePublisher(publisher, nowMs, () => publisher.guard.check(nowMs));
		} else if (this.#state === "live" && nowMs - this.#publisherLeftMs > STALE_AFTER_MS) {
			this.#group.clear();
			this.#setState("idle");
		}
		for (const subscriber of this.#subscribers) {
			this.#orCloseSubscriber(subscriber, () => subscriber.checkProgress(nowMs));
		}
	}

	/** Closes every socket. */
	end(reason: string): void {
		this.#publisher?.sink.close("ended", reason);
		this.#publisher = undefined;
		for (const subscriber of this.#subscribers) {
			subscriber.close("ended", reason);
		}
		this.#subscribers.clear();
		this.#group.clear();
		this.#configs = {};
	}

	stats(nowMs: number): RouterStreamStats {
		const { lastTagAgeMs, ...rates } = this.#meter.figures(nowMs);
		return {
			stream: this.#options.stream,
			publisherConnected: this.#publisher !== undefined,
			...rates,
			...(lastTagAgeMs !== undefined && { lastTagAgeMs }),
			...(this.#videoCodec !== undefined && { videoCodec: this.#videoCodec }),
			...(this.#audioCodec !== undefined && { audioCodec: this.#audioCodec }),
			...this.#size,
			subscribers: [...this.#subscribers].map((subscriber) => subscriber.figures(nowMs)),
		};
	}

	#take(publisher: Publisher, published: PublishedTag, nowMs: number): void {
		switch (publisher.admit(published)) {
			case "config":
				this.#takeConfig(published);
				return;
			case "media":
				this.#takeMedia(published, nowMs);
				return;
			case "drop":
				return;
		}
	}

	/** Configurations go out with the next tag they are needed for, and only to those who have not had them. */
	#takeConfig({ kind, codec, tag, message }: PublishedTag): void {
		const track = kind === "video-config" ? "video" : "audio";
		const config = updatedConfig(this.#configs[track], message, tag.body);
		if (config === this.#configs[track]) {
			return;
		}
		if (track === "video") {
			this.#size = pictureSizeOf(codec, tag);
			this.#sizeIsNew = true;
		}
		this.#configs = { ...this.#configs, [track]: config };
	}

	#takeMedia(published: PublishedTag, nowMs: number): void {
		const track = published.kind === "audio" ? "audio" : "video";
		const timeMs = this.#time.map(track, published.tag.timestampMs);
		if (timeMs === undefined) {
			return;
		}
		if (wrapMs(timeMs) !== published.tag.timestampMs) {
			setTagTimestamp(published.message, wrapMs(timeMs));
		}
		const keyFrame = published.kind === "video-key";
		const tag: StreamTag = { track, keyFrame, timeMs, message: published.message, configs: this.#configs };
		this.#noteCodec(published);
		this.#meter.count(track, tag.message.byteLength, nowMs);
		this.#group.push(tag, nowMs);
		for (const subscriber of this.#subscribers) {
			if (!subscriber.push(tag, nowMs)) {
				this.#subscribers.delete(subscriber);
			}
		}
		if (keyFrame) {
			this.#setState("live");
		}
	}

	#noteCodec({ kind, codec }: PublishedTag): void {
		if (codec === "aac" || codec === "opus") {
			this.#audioCodec = codec;
		} else if (kind !== "audio") {
			this.#videoCodec = codec;
		}
	}

	#setState(state: StreamChange["state"]): void {
		const sizeIsNew = state === "live" && this.#sizeIsNew;
		if (state === this.#state && !sizeIsNew) {
			return;
		}
		this.#state = state;
		this.#sizeIsNew = false;
		this.#options.onChange({ stream: this.#options.stream, state, ...(state === "live" && this.#size) });
	}

	#orClosePublisher(publisher: Publisher, nowMs: number, step: () => void): void {
		try {
			step();
		} catch (error) {
			const refused = asRefusal(error);
			publisher.sink.close(refused.kind, refused.message);
			this.publisherGone(publisher, nowMs);
		}
	}

	#orCloseSubscriber(subscriber: Subscriber, step: () => void): void {
		try {
			step();
		} catch (error) {
			const refused = asRefusal(error);
			subscriber.close(refused.kind, refused.message);
			this.#subscribers.delete(subscriber);
		}
	}
}

function trackOf({ tag }: PublishedTag): "audio" | "video" | "other" {
	switch (tag.type) {
		case TAG_TYPE.audio:
			return "audio";
		case TAG_TYPE.video:
			return "video";
		case TAG_TYPE.script:
			return "other";
	}
}

/** Anything else that is thrown is a fault of ours, which must not be taken for the peer's. */
function asRefusal(error: unknown): MediaRefusedError {
	if (error instanceof MediaRefusedError) {
		return error;
	}
	throw error;
}
