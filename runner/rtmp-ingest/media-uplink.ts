import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { WebSocket } from "ws";
import type { FlvTag } from "../../media/flv/tag.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { PublishRejection } from "../../rtmp/acceptor.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { type Log, messageOf } from "../log.ts";
import { type KeepAlivePace, keepAlive } from "../socket-keep-alive.ts";
import { connectMediaSocket } from "./media-socket.ts";
import { refusalOfClose, unreachableRefusal } from "./refusal.ts";
import type { StreamRoute } from "./stream-route.ts";
import { LATE_ABOVE_MS, UplinkBacklog } from "./uplink-backlog.ts";
import { UplinkGate } from "./uplink-gate.ts";

/** A Worker that restarts is back in a second or two, and all that time nobody sees the publisher. */
const RETRY: RetryPolicy = { firstMs: 250, capMs: 1_500 };
/** A line that is dead without saying so, be it cut or the Worker frozen, is noticed within five seconds. */
const KEEP_ALIVE: KeepAlivePace = { pingEveryMs: 1_000, pongWithinMs: 3_000 };
/** A line that lived this long counts as a success: the next break starts again at the shortest wait. */
const SETTLED_AFTER_MS = 10_000;
/** A new publisher gets its answer before the acceptor's own time is up; later it may try again by itself. */
const OPEN_WITHIN_MS = 8_000;
/** A publisher already on air is kept through any restart of the Worker; past this nobody watches any more. */
const MEND_WITHIN_MS = 10 * 60_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface MediaUplinkOptions {
	readonly apiUrl: string;
	readonly route: StreamRoute;
	readonly streamKey: string;
	/** The Router has closed the stream for good, or could not be reached for minutes. Nothing follows. */
	readonly onRefused: (refusal: PublishRejection) => void;
	readonly log: Log;
	readonly retry?: RetryPolicy;
	readonly openWithinMs?: number;
}

/**
 * One publisher's line to the Router: WS-FLV up the media socket (worker/protocol/media-socket.ts). A broken line is mended behind the
 * publisher's back, and the stream goes on with its configurations and the group of pictures so far, at their true times.
 */
export class MediaUplink {
	readonly #options: MediaUplinkOptions;
	readonly #gate = new UplinkGate();
	readonly #ended = new AbortController();
	readonly #session = randomUUID();
	#socket: WebSocket | undefined;
	#backlog = new UplinkBacklog();
	#attempt = 0;
	#lastTagMs = 0;
	/** Lets the held publisher go on. */
	#letGo: () => void = () => {};

	private constructor(options: MediaUplinkOptions) {
		this.#options = options;
	}

	/** Resolves when the Router has taken the publisher. @throws {PublishRejection} when it does not, or cannot be reached */
	static async open(options: MediaUplinkOptions): Promise<MediaUplink> {
		const uplink = new MediaUplink(options);
		await uplink.#connect(options.openWithinMs ?? OPEN_WITHIN_MS);
		return uplink;
	}

	/** Sends a tag, or leaves it out while the line is broken or late. The Promise, if any, is back-pressure. */
	push(tag: FlvTag): Promise<void> | undefined {
		const socket = this.#socket;
		this.#lastTagMs = performance.now();
		const tags = this.#gate.push(tag, socket === undefined || this.#backlog.isLate(this.#lastTagMs));
		if (socket === undefined) {
			return undefined;
		}
		if (tags.length > 0) {
			this.#reportSkipped();
		}
		for (const each of tags) {
			this.#send(socket, flvTagBytes(each));
		}
		return this.#backlog.holds && tags.length > 0 ? this.#drained() : undefined;
	}

	/** Ends the stream in the normal way; may be called twice. */
	close(): void {
		if (this.#ended.signal.aborted) {
			return;
		}
		this.#end();
		const socket = this.#socket;
		socket?.close(CLOSE.done.code, "publisher ended the stream");
		const timer = setTimeout(() => socket?.terminate(), CLOSE_TIMEOUT_MS);
		socket?.once("close", () => clearTimeout(timer));
	}

	/** Tries until the line is up or `withinMs` have passed; the one place that connects. */
	async #connect(withinMs: number): Promise<void> {
		const { apiUrl, route, streamKey, log, retry = RETRY } = this.#options;
		const giveUpAtMs = performance.now() + withinMs;
		for (;;) {
			try {
				this.#use(await connectMediaSocket(apiUrl, route, streamKey, this.#session));
				return;
			} catch (error) {
				if (error instanceof PublishRejection) {
					throw error;
				}
				const delayMs = retryDelayMs(retry, this.#attempt, Math.random());
				this.#attempt += 1;
				if (performance.now() + delayMs > giveUpAtMs) {
					log(`gave up connecting: ${messageOf(error)}`);
					throw unreachableRefusal();
				}
				await pause(delayMs, undefined, { signal: this.#ended.signal });
			}
		}
	}

	#use(socket: WebSocket): void {
		if (this.#ended.signal.aborted) {
			socket.terminate();
			return;
		}
		const openedAtMs = performance.now();
		const stopKeepingAlive = keepAlive(socket, KEEP_ALIVE);
		socket.on("close", (code, reason) => {
			stopKeepingAlive();
			if (performance.now() - openedAtMs > SETTLED_AFTER_MS) {
				this.#attempt = 0;
			}
			this.#lost(code, reason.toString());
		});
		this.#socket = socket;
		this.#backlog = new UplinkBacklog();
		this.#send(socket, flvHeader());
		const tags = this.#gate.lineChanged(openedAtMs - this.#lastTagMs);
		for (const tag of tags) {
			this.#send(socket, flvTagBytes(tag));
		}
		if (tags.length > 0) {
			this.#reportSkipped();
		}
	}

	#lost(code: number, reason: string): void {
		this.#socket = undefined;
		this.#letGo();
		if (this.#ended.signal.aborted) {
			return;
		}
		const refusal = refusalOfClose(code, reason);
		if (refusal !== undefined) {
			this.#refuse(refusal);
			return;
		}
		this.#options.log(`line to the Router broken (${reason || `code ${code}`}), mending`);
		this.#mend().catch((error: unknown) => {
			// Ended by close() while waiting: nobody is left to tell.
			if (!this.#ended.signal.aborted) {
				this.#refuse(error instanceof PublishRejection ? error : unreachableRefusal());
			}
		});
	}

	async #mend(): Promise<void> {
		const { retry = RETRY } = this.#options;
		await pause(retryDelayMs(retry, this.#attempt, Math.random()), undefined, { signal: this.#ended.signal });
		this.#attempt += 1;
		await this.#connect(MEND_WITHIN_MS);
	}

	#refuse(refusal: PublishRejection): void {
		this.#end();
		this.#options.onRefused(refusal);
	}

	#end(): void {
		this.#ended.abort();
		this.#letGo();
	}

	#send(socket: WebSocket, bytes: Uint8Array): void {
		const backlog = this.#backlog;
		backlog.add(bytes.byteLength, performance.now());
		// An error here is the line's, and its close event follows.
		socket.send(bytes, () => {
			backlog.shift();
			if (!backlog.holds) {
				this.#letGo();
			}
		});
	}

	/** Resolves when the line has caught up, is gone, or is so late that frames are left out instead. */
	#drained(): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => this.#letGo(), LATE_ABOVE_MS);
			this.#letGo = () => {
				clearTimeout(timer);
				this.#letGo = () => {};
				resolve();
			};
		});
	}

	#reportSkipped(): void {
		const skipped = this.#gate.takeSkipped();
		if (skipped > 0) {
			this.#options.log(`left out ${skipped} tags, going on at a key frame`);
		}
	}
}
