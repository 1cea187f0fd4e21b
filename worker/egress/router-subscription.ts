import { isFlvHeader } from "../../media/flv/tag-reader.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { CLOSE } from "../protocol/close-codes.ts";
import { ACK_EVERY_MS, type MediaAck } from "../protocol/media-socket.ts";
import { AckPacer } from "./ack-pacer.ts";
import type { Clock } from "./clock.ts";

/** The Router is a fellow object: away for a deploy, back in a second. */
const RESUBSCRIBE: RetryPolicy = { firstMs: 250, capMs: 5_000 };

export interface SubscriptionOptions {
	/** Opens the media socket, accepted. `again`: an earlier one was open, so the present group of pictures is not wanted. */
	readonly open: (again: boolean) => Promise<WebSocket>;
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	/** Takes one WS-FLV message, the header left out; throws when it is malformed. */
	readonly onMessage: (message: ArrayBuffer) => void;
	/** A new socket's messages follow. */
	readonly onOpen: () => void;
	/** The Router says that the broadcast has ended: no message follows. */
	readonly onEnded: (reason: string) => void;
}

/** Keeps a subscription to one stream of the Router, acknowledging what it takes, until closed or the broadcast has ended. */
export class RouterSubscription {
	readonly #options: SubscriptionOptions;
	#socket: WebSocket | undefined;
	#cancelTimer: (() => void) | undefined;
	#closed = false;
	#failures = 0;
	#opened = false;

	constructor(options: SubscriptionOptions) {
		this.#options = options;
		this.#connect();
	}

	/** Can be called twice. */
	close(): void {
		this.#closed = true;
		this.#cancelTimer?.();
		this.#drop(this.#socket, "done");
	}

	#connect(): void {
		this.#options.open(this.#opened).then(
			(socket) => {
				if (this.#closed) {
					this.#drop(socket, "done");
				} else {
					this.#opened = true;
					this.#listen(socket);
				}
			},
			(error: unknown) => {
				console.warn("egress: could not subscribe, trying again:", String(error));
				this.#reconnect();
			},
		);
	}

	#listen(socket: WebSocket): void {
		const { clock, onMessage, onOpen, onEnded } = this.#options;
		const pacer = new AckPacer();
		this.#socket = socket;
		onOpen();
		socket.addEventListener("message", (event) => {
			if (socket !== this.#socket || !(event.data instanceof ArrayBuffer) || isFlvHeader(new Uint8Array(event.data))) {
				return;
			}
			this.#failures = 0;
			try {
				onMessage(event.data);
				this.#acknowledge(socket, pacer.took(clock.nowMs()));
				this.#cancelTimer ??= clock.after(ACK_EVERY_MS, () => {
					this.#cancelTimer = undefined;
					this.#acknowledge(socket, pacer.due(clock.nowMs()));
				});
			} catch (error) {
				console.warn("egress: the subscription broke, trying again:", String(error));
				this.#drop(socket, "badMedia");
				this.#reconnect();
			}
		});
		const gone = (event: { code?: number; reason?: string }) => {
			if (socket !== this.#socket || this.#closed) {
				return;
			}
			this.#socket = undefined;
			if (event.code === CLOSE.ended.code) {
				this.close();
				onEnded(event.reason ?? "the broadcast has ended");
			} else {
				this.#reconnect();
			}
		};
		socket.addEventListener("close", (event) => gone(event));
		socket.addEventListener("error", () => gone({}));
	}

	#acknowledge(socket: WebSocket, ack: MediaAck | undefined): void {
		if (ack !== undefined && socket === this.#socket) {
			socket.send(JSON.stringify(ack));
		}
	}

	#reconnect(): void {
		const { clock, random } = this.#options;
		this.#cancelTimer?.();
		this.#cancelTimer = this.#closed
			? undefined
			: clock.after(retryDelayMs(RESUBSCRIBE, this.#failures++, random()), () => {
					this.#cancelTimer = undefined;
					this.#connect();
				});
	}

	#drop(socket: WebSocket | undefined, kind: "done" | "badMedia"): void {
		this.#socket = undefined;
		try {
			socket?.close(CLOSE[kind].code);
		} catch {
			// Closed already: that is what was wanted.
		}
	}
}
