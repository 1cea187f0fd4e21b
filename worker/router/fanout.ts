import type { SubscriberNote } from "../protocol/media-socket.ts";
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

/** A publisher that was told to sleep has heard it when nothing has come for this long: what was on its way has come by then. */
export const RESTS_AFTER_MS = 150;

export interface SubscribeOptions {
	readonly id: string;
	readonly acknowledges: boolean;
	/** Start with the group of pictures so far, rather than at the next key frame. */
	readonly withGroup: boolean;
}

const ASLEEP: SubscriberNote = { type: "asleep" };

/** Sends one stream's tags to whoever subscribes to it, and keeps the group of pictures so far for those who join in its middle. */
export class Fanout {
	readonly #group = new GroupCache();
	readonly #meter = new StreamMeter();
	readonly #subscribers = new Set<Subscriber>();
	#lastTagMs = Number.NEGATIVE_INFINITY;
	/** Its silence is wanted, and everyone knows. */
	#rests = false;

	get hasSubscribers(): boolean {
		return this.#subscribers.size > 0;
	}

	push(tag: StreamTag, nowMs: number): void {
		this.#lastTagMs = nowMs;
		this.#rests = false;
		this.#meter.count(tag.track, tag.message.byteLength, nowMs);
		this.#group.push(tag, nowMs);
		for (const subscriber of this.#subscribers) {
			if (!subscriber.push(tag, nowMs)) {
				this.#subscribers.delete(subscriber);
			}
		}
	}

	/**
	 * While its publisher is to be asleep, a few times a second: once nothing comes any more everyone is told, and whoever subscribes later. Not before, for to a
	 * subscriber the next tag ends it.
	 */
	restWhenSilent(nowMs: number): void {
		if (!this.#rests && nowMs - this.#lastTagMs >= RESTS_AFTER_MS) {
			this.#rests = true;
			for (const subscriber of this.#subscribers) {
				subscriber.tell(ASLEEP);
			}
		}
	}

	/** Whoever subscribes from now on waits for what comes. */
	endRest(): void {
		this.#rests = false;
	}

	/** Late joiners get nothing of what was: it is the past. */
	forget(): void {
		this.#rests = false;
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
			if (this.#rests) {
				subscriber.tell(ASLEEP);
			}
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

	figures(nowMs: number): Omit<RouterStreamStats, "stream" | "publisherConnected" | "asleep"> {
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
