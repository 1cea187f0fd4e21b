import { isFlvHeader } from "../media/flv/tag-reader.ts";
import { type RetryPolicy, retryDelayMs } from "../media/retry-delay.ts";
import { CLOSE } from "../worker/protocol/close-codes.ts";
import { ACK_EVERY_MS, type MediaAck } from "../worker/protocol/media-socket.ts";
import { AckPacer } from "./ack-pacer.ts";
import { type Clock, unlessAborted } from "./clock.ts";

/** The Router is a fellow object: away for a deploy, back in a second. */
const RESUBSCRIBE: RetryPolicy = { firstMs: 100, capMs: 1_500 };
/** A fellow object that does not answer for this long is stuck, or gone without anyone noticing. */
export const OPEN_WITHIN_MS = 3_000;
/** On air something comes at least twice a second, in hold too: a longer silence is a socket whose other end is gone. */
export const SILENT_AFTER_MS = 3_000;
const LOOK_EVERY_MS = 500;

/** What a subscription needs of a WebSocket, workerd's or Node's. Its binary messages are ArrayBuffers. */
export interface SubscriptionSocket {
	send(text: string): void;
	close(code: number): void;
	addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
	addEventListener(
		type: "close",
		listener: (event: { readonly code?: number; readonly reason?: string }) => void,
	): void;
	addEventListener(type: "error", listener: (event: unknown) => void): void;
}

export interface SubscriptionOptions {
	/** Opens the media socket, accepted, which begins with the group of pictures so far. */
	readonly open: () => Promise<SubscriptionSocket>;
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	/** Whether media is to be expected all the time now. */
	readonly isOnAir: () => boolean;
	/** Takes one WS-FLV message, the header left out; throws when it is malformed. */
	readonly onMessage: (message: ArrayBuffer) => void;
	/** A new socket's messages follow. */
	readonly onOpen: () => void;
	/** The Router says that the broadcast has ended: no message follows. */
	readonly onEnded: (reason: string) => void;
	/** Told what went wrong and is mended; never holds a token. */
	readonly warn: (message: string) => void;
}

/** Keeps a subscription to one stream of the Router, acknowledging what it takes, until closed or the broadcast has ended. */
export class RouterSubscription {
	readonly #options: SubscriptionOptions;
	readonly #closing = new AbortController();
	#socket: SubscriptionSocket | undefined;
	#cancelAck: (() => void) | undefined;
	#cancelRetry: (() => void) | undefined;
	#cancelLook: (() => void) | undefined;
	#failures = 0;
	#heardMs = 0;

	constructor(options: SubscriptionOptions) {
		this.#options = options;
		this.#connect();
	}

	/** Can be called twice. */
	close(): void {
		this.#closing.abort(new Error("egress: the subscription was closed"));
		this.#drop("done");
		this.#cancelRetry?.();
	}

	get #closed(): boolean {
		return this.#closing.signal.aborted;
	}

	#connect(): void {
		this.#cancelRetry = undefined;
		this.#open().then(
			(socket) => this.#listen(socket),
			(error: unknown) => {
				if (!this.#closed) {
					this.#options.warn(`egress: could not subscribe, trying again: ${String(error)}`);
					this.#reconnect();
				}
			},
		);
	}

	async #open(): Promise<SubscriptionSocket> {
		const { clock, open } = this.#options;
		const late = new AbortController();
		const cancel = clock.after(OPEN_WITHIN_MS, () => {
			late.abort(new Error(`egress: expected the Router's answer within ${OPEN_WITHIN_MS} ms, got none`));
		});
		const either = AbortSignal.any([this.#closing.signal, late.signal]);
		const opening = open();
		opening.then(
			(socket) => either.aborted && hangUp(socket, "done"),
			() => {
				// Told below to whoever still waits.
			},
		);
		return await unlessAborted(opening, either).finally(cancel);
	}

	#listen(socket: SubscriptionSocket): void {
		const { clock, onOpen, onEnded } = this.#options;
		const pacer = new AckPacer();
		this.#socket = socket;
		this.#heardMs = clock.nowMs();
		this.#look();
		onOpen();
		socket.addEventListener("message", ({ data }) => {
			if (socket === this.#socket && data instanceof ArrayBuffer && !isFlvHeader(new Uint8Array(data))) {
				this.#take(data, socket, pacer);
			}
		});
		const gone = (event: { code?: number; reason?: string }) => {
			if (socket !== this.#socket) {
				return;
			}
			if (event.code === CLOSE.ended.code) {
				this.close();
				onEnded(event.reason ?? "the broadcast has ended");
			} else {
				this.#drop("done");
				this.#reconnect();
			}
		};
		socket.addEventListener("close", (event) => gone(event));
		socket.addEventListener("error", () => gone({}));
	}

	#take(message: ArrayBuffer, socket: SubscriptionSocket, pacer: AckPacer): void {
		const { clock, onMessage } = this.#options;
		this.#failures = 0;
		this.#heardMs = clock.nowMs();
		try {
			onMessage(message);
		} catch (error) {
			this.#options.warn(`egress: the subscription broke, trying again: ${String(error)}`);
			this.#drop("badMedia");
			this.#reconnect();
			return;
		}
		this.#acknowledge(socket, pacer.took(clock.nowMs()));
		this.#cancelAck ??= clock.after(ACK_EVERY_MS, () => {
			this.#cancelAck = undefined;
			this.#acknowledge(socket, pacer.due(clock.nowMs()));
		});
	}

	#acknowledge(socket: SubscriptionSocket, ack: MediaAck | undefined): void {
		if (ack === undefined || socket !== this.#socket) {
			return;
		}
		try {
			socket.send(JSON.stringify(ack));
		} catch {
			// The Router closed between two messages: its close event is on the way and tells the rest.
		}
	}

	/** Looks every now and then whether the Router is still there: a socket whose other end was lost may never say so. */
	#look(): void {
		const { clock, isOnAir } = this.#options;
		const dueMs = clock.nowMs() + LOOK_EVERY_MS;
		this.#cancelLook = clock.after(LOOK_EVERY_MS, () => {
			if (clock.nowMs() > dueMs + LOOK_EVERY_MS) {
				// It was we who stood still: what came meanwhile has yet to be heard.
				this.#heardMs = clock.nowMs();
			}
			if (isOnAir() && clock.nowMs() - this.#heardMs > SILENT_AFTER_MS) {
				this.#options.warn(
					`egress: expected media from the Router within ${SILENT_AFTER_MS} ms, got none, subscribing again`,
				);
				this.#drop("stalled");
				this.#connect();
			} else {
				this.#look();
			}
		});
	}

	#reconnect(): void {
		const { clock, random } = this.#options;
		const delayMs = retryDelayMs(RESUBSCRIBE, this.#failures++, random());
		this.#cancelRetry = clock.after(delayMs, () => this.#connect());
	}

	#drop(kind: "done" | "badMedia" | "stalled"): void {
		const socket = this.#socket;
		this.#socket = undefined;
		this.#cancelAck?.();
		this.#cancelAck = undefined;
		this.#cancelLook?.();
		if (socket !== undefined) {
			hangUp(socket, kind);
		}
	}
}

function hangUp(socket: SubscriptionSocket, kind: "done" | "badMedia" | "stalled"): void {
	try {
		socket.close(CLOSE[kind].code);
	} catch {
		// Closed already: that is what was wanted.
	}
}
