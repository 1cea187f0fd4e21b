import type { RouterStreamStats } from "../protocol/object-rpc.ts";
import { GroupCache } from "./group-cache.ts";
import { asRefusal, type MediaSink } from "./media-sink.ts";
import { StreamMeter } from "./stream-meter.ts";
import type { StreamTag } from "./stream-tag.ts";
import { Subscriber } from "./subscriber.ts";

/** A broadcast has a compositor, a handful of destinations, a packager and some monitors; more is a mistake or an attack. */
export const MAX_SUBSCRIBERS = 64;
/** Each of these can make the object buffer without limit, since a socket shows no send buffer: few, and for watching only. */
export const MAX_UNACKNOWLEDGING_SUBSCRIBERS = 16;

export interface SubscribeOptions {
	readonly id: string;
	readonly acknowledges: boolean;
	/** Start with the group of pictures so far, rather than at the next key frame. */
	readonly withGroup: boolean;
}

/** Sends one stream's tags to whoever subscribes to it, and keeps the group of pictures so far for those who join in its middle. */
export class Fanout {
	readonly #group = new GroupCache();
	readonly #meter = new StreamMeter();
	readonly #subscribers = new Set<Subscriber>();

	get hasSubscribers(): boolean {
		return this.#subscribers.size > 0;
	}

	push(tag: StreamTag, nowMs: number): void {
		this.#meter.count(tag.track, tag.message.byteLength, nowMs);
		this.#group.push(tag, nowMs);
		for (const subscriber of this.#subscribers) {
			if (!subscriber.push(tag, nowMs)) {
				this.#subscribers.delete(subscriber);
			}
		}
	}

	/** Late joiners get nothing of what was: it is the past. */
	forget(): void {
		this.#group.clear();
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
		this.#orClose(subscriber, () => subscriber.takeMessage(data, nowMs));
	}

	subscriberGone(subscriber: Subscriber): void {
		this.#subscribers.delete(subscriber);
	}

	/** Closes subscribers that take nothing any more. */
	tick(nowMs: number): void {
		for (const subscriber of this.#subscribers) {
			this.#orClose(subscriber, () => subscriber.checkProgress(nowMs));
		}
	}

	/** Closes every subscriber. */
	end(reason: string): void {
		for (const subscriber of this.#subscribers) {
			subscriber.close("ended", reason);
		}
		this.#subscribers.clear();
		this.#group.clear();
	}

	figures(nowMs: number): Omit<RouterStreamStats, "stream" | "publisherConnected"> {
		const { lastTagAgeMs, ...rates } = this.#meter.figures(nowMs);
		return {
			...rates,
			...(lastTagAgeMs !== undefined && { lastTagAgeMs }),
			subscribers: [...this.#subscribers].map((subscriber) => subscriber.figures(nowMs)),
		};
	}

	#orClose(subscriber: Subscriber, step: () => void): void {
		try {
			step();
		} catch (error) {
			const refused = asRefusal(error);
			subscriber.close(refused.kind, refused.message);
			this.#subscribers.delete(subscriber);
		}
	}
}
