import { TAG_TYPE } from "../media/flv/tag.ts";
import { wrapMs } from "../media/timestamp.ts";
import { RtmpPublisher } from "../rtmp/publisher.ts";
import type { ByteTransport } from "../rtmp/transport.ts";
import type { RtmpUrl } from "../rtmp/url.ts";
import type { PublishTarget } from "../worker/protocol/egress-jobs.ts";
import { type Clock, sleep, unlessAborted } from "./clock.ts";
import { LineEndedError } from "./line-failure.ts";
import type { ProgramConfigs, ProgramTag, TagQueue } from "./tag-queue.ts";

/**
 * Name look-up, TCP and TLS. A SYN into a black hole is given up before its retries get rare, and the next attempt looks the name up again:
 * a destination that comes back, here or elsewhere, is found within seconds.
 */
export const DIAL_WITHIN_MS = 4_000;
/** Name look-up, TCP, TLS, the RTMP conversation and its redirects together; each step has a shorter limit of its own. */
export const CONNECT_WITHIN_MS = 20_000;
/** A destination that takes no byte for this long is gone; the queue has been skipping for most of it. */
export const WRITE_WITHIN_MS = 10_000;

/** How long to listen for the server's last word once a write has failed. */
const LAST_WORD_WITHIN_MS = 1_000;

/** Opens a byte stream to a destination, or throws; the signal gives up. */
export type Dial = (url: RtmpUrl, signal: AbortSignal) => Promise<ByteTransport>;

export interface LineOptions {
	readonly url: RtmpUrl;
	readonly target: PublishTarget;
	readonly queue: TagQueue;
	readonly dial: Dial;
	readonly clock: Clock;
	/** The destination took the first key frame. */
	readonly onPublished: () => void;
}

/** One RTMP session with one destination, from dialling to its end. Used once. */
export class DestinationLine {
	readonly #options: LineOptions;
	#publisher: RtmpPublisher | undefined;
	#sentConfigs: ProgramConfigs = {};

	constructor(options: LineOptions) {
		this.#options = options;
	}

	get bytesSent(): number {
		return this.#publisher?.bytesSent ?? 0;
	}

	/**
	 * Connects, then publishes what the queue gives, which begins at a key frame, until the signal aborts (rejects with its reason) or the line ends
	 * (rejects with what ended it). Call {@link close} afterwards.
	 */
	async run(signal: AbortSignal): Promise<never> {
		const publisher = await this.#connect(signal);
		this.#publisher = publisher;
		const ended = new AbortController();
		publisher.closed.then((reason) => ended.abort(new LineEndedError(reason)));
		const either = AbortSignal.any([signal, ended.signal]);
		try {
			return await this.#feed(publisher, either);
		} catch (error) {
			// A write often fails before the server's last word has been read, and that word tells a refusal from a broken line.
			await sleep(this.#options.clock, LAST_WORD_WITHIN_MS, either);
			throw error;
		}
	}

	/**
	 * Ends the session. `final` tells the destination that the stream is over; without it the line is dropped without a word, so that the
	 * destination waits for it to come back.
	 */
	async close(options: { readonly final: boolean }): Promise<void> {
		await this.#publisher?.close(options);
	}

	async #feed(publisher: RtmpPublisher, either: AbortSignal): Promise<never> {
		const { queue, target, onPublished } = this.#options;
		queue.open();
		await unlessAborted(publisher.sendMetadata(target), either);
		for (let isFirst = true; ; ) {
			await queue.waitForTag(either);
			// A program whose sound began after its first picture is announced with both tracks all the same.
			const ahead = isFirst ? queue.configsAhead : {};
			const tag = queue.shift();
			if (tag !== undefined) {
				await unlessAborted(this.#send(publisher, tag, { ...ahead, ...tag.configs }), either);
				if (isFirst) {
					onPublished();
				}
				isFirst = false;
			}
		}
	}

	async #connect(signal: AbortSignal): Promise<RtmpPublisher> {
		const { url, clock, dial } = this.#options;
		const timeouts = { stallMs: WRITE_WITHIN_MS };
		return await within(clock, CONNECT_WITHIN_MS, "a session", signal, (whole) => {
			const open = (to: RtmpUrl) => within(clock, DIAL_WITHIN_MS, "a connection", whole, (one) => dial(to, one));
			return RtmpPublisher.dial(open, { url, signal: whole, timeouts, timers: clock });
		});
	}

	/** The configurations go ahead of the first tag made under them, and never again while they stay the same. */
	async #send(publisher: RtmpPublisher, tag: ProgramTag, { video, audio }: ProgramConfigs): Promise<void> {
		const timestampMs = wrapMs(tag.timeMs);
		if (video !== undefined && video !== this.#sentConfigs.video) {
			await publisher.sendTag({ type: TAG_TYPE.video, timestampMs, body: video });
			this.#sentConfigs = { ...this.#sentConfigs, video };
		}
		if (audio !== undefined && audio !== this.#sentConfigs.audio) {
			await publisher.sendTag({ type: TAG_TYPE.audio, timestampMs, body: audio });
			this.#sentConfigs = { ...this.#sentConfigs, audio };
		}
		await publisher.sendTag({ type: TAG_TYPE[tag.track], timestampMs, body: tag.body });
	}
}

/** `work`, given up when the signal aborts or it takes longer than `limitMs`: its own signal tells it so. */
async function within<T>(
	clock: Clock,
	limitMs: number,
	what: string,
	signal: AbortSignal,
	work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const late = new AbortController();
	const cancel = clock.after(limitMs, () => {
		late.abort(new Error(`egress: expected ${what} within ${limitMs / 1_000} s, got none`));
	});
	const either = AbortSignal.any([signal, late.signal]);
	try {
		return await unlessAborted(work(either), either);
	} finally {
		cancel();
	}
}
