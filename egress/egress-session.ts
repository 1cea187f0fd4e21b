import type { RtmpUrl } from "../rtmp/url.ts";
import type { EgressCarryOver, PublishTarget } from "../worker/protocol/egress-jobs.ts";
import type { EgressState, EgressStatus } from "../worker/protocol/egress-status.ts";
import { type Clock, sleep } from "./clock.ts";
import { DestinationLine, type Dial } from "./destination-line.ts";
import { type EgressEvent, isActive, nextEgressState } from "./egress-state.ts";
import { SETTLE_EVERY_MS } from "./joining-burst.ts";
import { destinationUrl, failureKind, failureMessage } from "./line-failure.ts";
import { ProgramReader } from "./program-reader.ts";
import { ReconnectBackoff } from "./reconnect-backoff.ts";
import { type ProgramTag, TagQueue } from "./tag-queue.ts";

export type { EgressCarryOver } from "../worker/protocol/egress-jobs.ts";

export interface EgressSessionOptions {
	readonly dial: Dial;
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	/** Told of every change of state; must not throw. */
	readonly onChange: (status: EgressStatus) => void;
	readonly carryOver?: EgressCarryOver;
}

/**
 * Publishes one program to one destination for as long as it is wanted: waits for the program's first key frame, connects, sends, and
 * connects again when the line breaks. A refusal is final. Knows nothing of workerd: messages are pushed in, transports are dialled.
 */
export class EgressSession {
	readonly #target: PublishTarget;
	readonly #options: EgressSessionOptions;
	readonly #queue = new TagQueue();
	readonly #reader: ProgramReader;
	readonly #backoff: ReconnectBackoff;
	readonly #stopping = new AbortController();
	#saysGoodbye = true;
	readonly #carryOver: EgressCarryOver;
	#state: EgressState = "stopped";
	#running: Promise<void> | undefined;
	#line: DestinationLine | undefined;
	#earlierBytes: number;
	#timesLive = 0;
	#lastError: string | undefined;
	#cancelSettling: (() => void) | undefined;

	constructor(target: PublishTarget, options: EgressSessionOptions) {
		this.#target = target;
		this.#options = options;
		this.#carryOver = options.carryOver ?? { held: false, bytes: 0, reconnects: 0, droppedTags: 0 };
		this.#earlierBytes = this.#carryOver.bytes;
		const nowMs = options.clock.nowMs();
		const { firstMs, held } = this.#carryOver;
		this.#reader = new ProgramReader(firstMs === undefined ? undefined : { timeMs: firstMs, atMs: nowMs });
		this.#backoff = new ReconnectBackoff(held ? nowMs : undefined);
	}

	/** Time at the destination of what is made now; `undefined` before the first tag. */
	get timeMs(): number | undefined {
		return this.#reader.timeMs(this.#options.clock.nowMs());
	}

	/** Whether the destination has held a session, in this life of the object or an earlier one. */
	get held(): boolean {
		return this.#backoff.hasHeld(this.#options.clock.nowMs());
	}

	/** Begins publishing. Once. */
	start(): void {
		if (this.#running === undefined) {
			this.#change("start");
			this.#running = this.#run();
		}
	}

	/**
	 * Takes one WS-FLV message from the Router.
	 * @throws MalformedError when it is not one: the subscription is broken, the destination is not
	 */
	push(message: ArrayBuffer): void {
		this.#enqueue(this.#reader.push(message, this.#options.clock.nowMs()));
		if (this.#reader.isSettling && isActive(this.#state)) {
			this.#settleSoon();
		}
	}

	/** A new subscription's messages follow, from the group of pictures so far. */
	resubscribed(): void {
		this.#reader.restart();
	}

	/**
	 * Ends publishing without a word to the destination, which waits for whoever goes on with the stream. Else as {@link stop}.
	 */
	async drop(): Promise<void> {
		this.#saysGoodbye = false;
		await this.stop();
	}

	/** Ends publishing for good: FCUnpublish, deleteStream. Can be called twice; resolves when the line is closed, and never rejects. */
	async stop(): Promise<void> {
		this.#change("stop");
		this.#cancelSettling?.();
		this.#stopping.abort(new Error("egress: stopped"));
		await this.#running;
	}

	status(): EgressStatus {
		return {
			state: this.#state,
			bytes: this.#earlierBytes + (this.#line?.bytesSent ?? 0),
			reconnects: this.#reconnects,
			droppedTags: this.#carryOver.droppedTags + this.#queue.droppedTags,
			...(this.#lastError !== undefined && { lastError: this.#lastError }),
			queueMs: isActive(this.#state) ? this.#queue.spanMs : 0,
			attempts: this.#backoff.attempts,
		};
	}

	#settleSoon(): void {
		const { clock } = this.#options;
		this.#cancelSettling ??= clock.after(SETTLE_EVERY_MS, () => {
			this.#cancelSettling = undefined;
			this.#enqueue(this.#reader.settle(clock.nowMs()));
			if (this.#reader.isSettling) {
				this.#settleSoon();
			}
		});
	}

	#enqueue(tags: readonly ProgramTag[]): void {
		if (isActive(this.#state)) {
			for (const tag of tags) {
				this.#queue.push(tag);
			}
		}
	}

	/** Sessions that came to life after the first; those after an eviction count too. */
	get #reconnects(): number {
		const isFirstLife = this.#options.carryOver === undefined;
		return this.#carryOver.reconnects + Math.max(0, this.#timesLive - (isFirstLife ? 1 : 0));
	}

	async #run(): Promise<void> {
		let url: RtmpUrl;
		try {
			url = destinationUrl(this.#target);
		} catch (error) {
			this.#lastError = error instanceof Error ? error.message : String(error);
			this.#change("refused");
			return;
		}
		const signal = this.#stopping.signal;
		while (isActive(this.#state)) {
			try {
				await this.#queue.waitForTag(signal);
				await this.#publish(url, signal);
			} catch (error) {
				if (!signal.aborted) {
					await this.#failed(error, url, signal);
				}
			}
		}
	}

	/** One session with the destination. Rejects with what ended it. */
	async #publish(url: RtmpUrl, signal: AbortSignal): Promise<void> {
		const { dial, clock } = this.#options;
		const onPublished = () => {
			this.#timesLive++;
			this.#backoff.live(clock.nowMs());
			this.#change("published");
		};
		const line = new DestinationLine({ url, target: this.#target, queue: this.#queue, dial, clock, onPublished });
		this.#line = line;
		try {
			await line.run(signal);
		} finally {
			this.#queue.park();
			await line.close({ final: signal.aborted && this.#saysGoodbye });
			this.#earlierBytes += line.bytesSent;
			this.#line = undefined;
		}
	}

	async #failed(error: unknown, url: RtmpUrl, signal: AbortSignal): Promise<void> {
		const { clock, random } = this.#options;
		this.#lastError = failureMessage(error, url);
		const kind = failureKind(error);
		const delayMs = this.#backoff.failed(clock.nowMs(), random(), kind);
		if (delayMs === undefined) {
			this.#change("refused");
			return;
		}
		this.#change("broken");
		await sleep(clock, delayMs, signal).catch(() => {
			// Stopped while waiting: the loop's condition ends it.
		});
	}

	#change(event: EgressEvent): void {
		const state = nextEgressState(this.#state, event);
		if (state !== this.#state) {
			this.#state = state;
			this.#options.onChange(this.status());
		}
	}
}
