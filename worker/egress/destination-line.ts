import { TAG_TYPE } from "../../media/flv/tag.ts";
import { wrapMs } from "../../media/timestamp.ts";
import { RtmpPublisher } from "../../rtmp/publisher.ts";
import type { ByteTransport } from "../../rtmp/transport.ts";
import type { RtmpUrl } from "../../rtmp/url.ts";
import type { EgressConfig } from "../protocol/object-rpc.ts";
import { type Clock, within } from "./clock.ts";
import { programMetadata } from "./program-metadata.ts";
import type { ProgramConfigs, ProgramTag, TagQueue } from "./tag-queue.ts";

/** Name look-up, TCP, TLS and the RTMP conversation together; its steps have shorter limits of their own. */
export const CONNECT_WITHIN_MS = 20_000;
/** A destination that takes no byte for this long is gone; the queue has been skipping for most of it. */
export const WRITE_WITHIN_MS = 10_000;
/** The end of a session is a courtesy: a destination that does not take it in this time does not get it. */
export const FINISH_WITHIN_MS = 2_000;

/** Opens a byte stream to a destination; the transport it gives is the caller's to close. */
export type Dial = (url: RtmpUrl, signal: AbortSignal) => Promise<ByteTransport>;

export interface LineOptions {
	readonly url: RtmpUrl;
	readonly config: EgressConfig;
	readonly queue: TagQueue;
	readonly dial: Dial;
	readonly clock: Clock;
	/** The destination took the first key frame. */
	readonly onPublished: () => void;
}

/** The destination ended the session. */
export class LineEndedError extends Error {
	override readonly name: string = "LineEndedError";
	readonly refused: boolean;

	constructor(message: string, options: { readonly refused: boolean }) {
		super(message);
		this.refused = options.refused;
	}
}

/** One RTMP session with one destination, from dialling to its end. Used once. */
export class DestinationLine {
	readonly #options: LineOptions;
	#transport: ByteTransport | undefined;
	#publisher: RtmpPublisher | undefined;
	#sentConfigs: ProgramConfigs = {};

	constructor(options: LineOptions) {
		this.#options = options;
	}

	get bytesSent(): number {
		return this.#publisher?.bytesSent ?? 0;
	}

	/**
	 * Connects, then publishes what the queue gives, from a key frame on, until the signal aborts (rejects with its reason) or the line ends
	 * (rejects with what ended it). Call {@link drop} or {@link finish} afterwards.
	 */
	async run(signal: AbortSignal): Promise<never> {
		const { queue, clock, config } = this.#options;
		const ended = new AbortController();
		const both = AbortSignal.any([signal, ended.signal]);
		const publisher = await this.#connect(both, ended);
		publisher.closed.then(({ kind, message }) => {
			ended.abort(new LineEndedError(message, { refused: kind === "refused" }));
		});
		await within(clock, WRITE_WITHIN_MS, publisher.sendMetadata(programMetadata(config)), notTaken, both);
		await queue.waitForKeyFrame(both);
		let published = false;
		for (;;) {
			await queue.waitForTag(both);
			const tag = queue.shift();
			if (tag !== undefined) {
				await within(clock, WRITE_WITHIN_MS, this.#send(publisher, tag), notTaken, both);
				if (!published) {
					published = true;
					this.#options.onPublished();
				}
			}
		}
	}

	/** Ends the session for good, telling the destination. Never rejects. */
	async finish(): Promise<void> {
		await this.#close(true);
	}

	/** Drops the line without a word, so that the destination waits for it to come back. Never rejects. */
	async drop(): Promise<void> {
		await this.#close(false);
	}

	async #connect(signal: AbortSignal, ended: AbortController): Promise<RtmpPublisher> {
		const { url, clock, dial } = this.#options;
		const connecting = async () => {
			const transport = await dial(url, signal);
			if (signal.aborted) {
				transport.close();
				throw signal.reason;
			}
			this.#transport = transport;
			this.#publisher = await RtmpPublisher.connect(transport, { url, signal });
			return this.#publisher;
		};
		const late = () => {
			const error = new Error(`egress: expected a session within ${CONNECT_WITHIN_MS / 1_000} s, got none`);
			ended.abort(error);
			return error;
		};
		return await within(clock, CONNECT_WITHIN_MS, connecting(), late, signal);
	}

	async #send(publisher: RtmpPublisher, tag: ProgramTag): Promise<void> {
		const timestampMs = wrapMs(tag.timeMs);
		const { video, audio } = tag.configs;
		if (video !== undefined && video !== this.#sentConfigs.video) {
			await publisher.sendTag({ type: TAG_TYPE.video, timestampMs, body: video });
		}
		if (audio !== undefined && audio !== this.#sentConfigs.audio) {
			await publisher.sendTag({ type: TAG_TYPE.audio, timestampMs, body: audio });
		}
		this.#sentConfigs = tag.configs;
		await publisher.sendTag({ type: TAG_TYPE[tag.track], timestampMs, body: tag.body });
	}

	async #close(final: boolean): Promise<void> {
		const { clock } = this.#options;
		try {
			if (this.#publisher !== undefined) {
				const late = () => new Error(`egress: expected the session to close within ${FINISH_WITHIN_MS / 1_000} s`);
				await within(clock, FINISH_WITHIN_MS, this.#publisher.close({ final }), late);
			}
		} catch (error) {
			console.info("egress: a session ended without its goodbye:", error instanceof Error ? error.name : "error");
		} finally {
			this.#transport?.close();
		}
	}
}

function notTaken(): Error {
	return new Error(
		`egress: expected the destination to take data within ${WRITE_WITHIN_MS / 1_000} s, got no progress`,
	);
}
