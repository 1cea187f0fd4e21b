import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { mayRetryAfter } from "../../worker/protocol/close-codes.ts";
import { BEARER_SUBPROTOCOL_PREFIX, MEDIA_SUBPROTOCOL } from "../../worker/protocol/media-socket.ts";

const RETRY: RetryPolicy = { firstMs: 200, capMs: 5_000 };
/** A connection that lived this long counts as a success: the next break starts again at the shortest wait. */
const SETTLED_AFTER_MS = 10_000;

export interface SocketEvents {
	onOpen(socket: WebSocket): void;
	onMessage(data: ArrayBuffer | string): void;
	/** The line broke and another attempt follows by itself. */
	onBroken(reason: string): void;
	/** The other side said no, for good; nothing follows. */
	onRefused(code: number, reason: string): void;
}

/** A WebSocket to the Worker that mends itself: a broken line is retried with back-off, a refusal is final. */
export class ReconnectingSocket {
	readonly #url: string;
	readonly #token: string;
	readonly #events: SocketEvents;
	#socket: WebSocket | undefined;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	#attempt = 0;
	#closed = false;

	constructor(url: string, token: string, events: SocketEvents) {
		this.#url = url;
		this.#token = token;
		this.#events = events;
		this.#connect();
	}

	/** The socket while it is open. */
	get open(): WebSocket | undefined {
		return this.#socket?.readyState === WebSocket.OPEN ? this.#socket : undefined;
	}

	/** Ends the connection and every retry; may be called twice. */
	close(code: number, reason: string): void {
		this.#closed = true;
		clearTimeout(this.#retryTimer);
		this.#socket?.close(code, reason);
	}

	#connect(): void {
		const socket = new WebSocket(this.#url, [MEDIA_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + this.#token]);
		socket.binaryType = "arraybuffer";
		this.#socket = socket;
		let openedAtMs: number | undefined;
		socket.onopen = () => {
			openedAtMs = performance.now();
			this.#events.onOpen(socket);
		};
		socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.#events.onMessage(event.data);
		socket.onclose = (event) => {
			if (this.#closed) {
				return;
			}
			if (!mayRetryAfter(event.code)) {
				this.#closed = true;
				this.#events.onRefused(event.code, event.reason);
				return;
			}
			if (openedAtMs !== undefined && performance.now() - openedAtMs > SETTLED_AFTER_MS) {
				this.#attempt = 0;
			}
			this.#events.onBroken(event.reason === "" ? `code ${event.code}` : event.reason);
			const delayMs = retryDelayMs(RETRY, this.#attempt, Math.random());
			this.#attempt += 1;
			this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
		};
	}
}

/** Turns an HTTP origin and a path into a WebSocket address. */
export function socketUrl(apiUrl: string, path: string): string {
	const url = new URL(path, apiUrl);
	url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
	return url.href;
}
