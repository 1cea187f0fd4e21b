import { type RetryPolicy, retryDelayMs } from "../media/retry-delay.ts";
import { CLOSE, closeReason, mayRetryAfter } from "../worker/protocol/close-codes.ts";
import { BEARER_SUBPROTOCOL_PREFIX, MEDIA_SUBPROTOCOL } from "../worker/protocol/media-socket.ts";

const RETRY: RetryPolicy = { firstMs: 200, capMs: 5_000 };
/**
 * A connection that lived this long counts as a success: the next break starts again at the shortest wait. No connection then comes more often
 * than at the longest wait.
 */
const SETTLED_AFTER_MS = RETRY.capMs;
/** An attempt that takes longer goes nowhere: a line that swallows everything would hold it for minutes. */
const CONNECT_WITHIN_MS = 6_000;

export interface SocketEvents {
	onOpen(socket: WebSocket): void;
	onMessage(data: ArrayBuffer | string): void;
	/** The line broke and another attempt follows by itself. */
	onBroken(reason: string): void;
	/** The other side said no, for good; nothing follows. */
	onRefused(code: number, reason: string): void;
}

/** How a line that swallows everything is found out: it is asked, and has to say something. */
export interface SilenceWatch {
	/** The text that the other end answers. */
	readonly ping: string;
	readonly everyMs: number;
	/** With nothing heard for this long the line is broken. */
	readonly brokenAfterMs: number;
}

/** A WebSocket to the Worker that mends itself: a broken line is retried with back-off, a refusal is final. */
export class ReconnectingSocket {
	readonly #url: string;
	readonly #token: string;
	readonly #events: SocketEvents;
	readonly #watch: SilenceWatch | undefined;
	/** `broken` waits for its next attempt. */
	#state: "connecting" | "open" | "broken" | "ended" = "connecting";
	#socket: WebSocket | undefined;
	/** Of the attempt under way, or of the wait for the next one. */
	#timer: ReturnType<typeof setTimeout> | undefined;
	#watchTimer: ReturnType<typeof setInterval> | undefined;
	#attempt = 0;
	#openedAtMs = 0;
	#heardAtMs = 0;

	constructor(url: string, token: string, events: SocketEvents, watch?: SilenceWatch) {
		this.#url = url;
		this.#token = token;
		this.#events = events;
		this.#watch = watch;
		this.#connect();
	}

	/** The socket while it is open. */
	get open(): WebSocket | undefined {
		return this.#state === "open" && this.#socket?.readyState === WebSocket.OPEN ? this.#socket : undefined;
	}

	/** Ends the connection and every retry, for good; may be called twice. */
	close(code: number, reason: string): void {
		if (this.#state !== "ended") {
			this.#state = "ended";
			this.#abandon(code, reason);
		}
	}

	/** Gives up a connection that is of no use, and makes another as after a broken line. Does nothing where there is none. */
	reconnect(reason: string, code: number = CLOSE.stalled.code): void {
		if (this.#state === "open" || this.#state === "connecting") {
			this.#abandon(code, closeReason(reason));
			this.#retry(reason);
		}
	}

	#connect(): void {
		const socket = new WebSocket(this.#url, [MEDIA_SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + this.#token]);
		socket.binaryType = "arraybuffer";
		this.#socket = socket;
		this.#state = "connecting";
		this.#timer = setTimeout(
			() => this.reconnect(`expected a connection within ${CONNECT_WITHIN_MS / 1_000} s, got none`),
			CONNECT_WITHIN_MS,
		);
		socket.onopen = () => {
			clearTimeout(this.#timer);
			this.#state = "open";
			this.#openedAtMs = performance.now();
			this.#listen(socket);
			this.#events.onOpen(socket);
		};
		socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
			this.#heardAtMs = performance.now();
			this.#events.onMessage(event.data);
		};
		socket.onclose = ({ code, reason }) => {
			this.#stopTimers();
			if (mayRetryAfter(code)) {
				this.#retry(reason === "" ? `code ${code}` : reason);
			} else {
				this.#state = "ended";
				this.#events.onRefused(code, reason);
			}
		};
	}

	#listen(socket: WebSocket): void {
		const watch = this.#watch;
		if (watch === undefined) {
			return;
		}
		this.#heardAtMs = performance.now();
		this.#watchTimer = setInterval(() => {
			if (performance.now() - this.#heardAtMs >= watch.brokenAfterMs) {
				this.reconnect(`expected a word within ${watch.brokenAfterMs / 1_000} s, got none`);
			} else if (socket.readyState === WebSocket.OPEN) {
				socket.send(watch.ping);
			}
		}, watch.everyMs);
	}

	#retry(reason: string): void {
		if (this.#state === "open" && performance.now() - this.#openedAtMs >= SETTLED_AFTER_MS) {
			this.#attempt = 0;
		}
		this.#state = "broken";
		this.#timer = setTimeout(() => this.#connect(), retryDelayMs(RETRY, this.#attempt, Math.random()));
		this.#attempt += 1;
		// Last, for whoever hears it may close this socket.
		this.#events.onBroken(reason);
	}

	/** Hears nothing more of this connection: on a dead line its close event may take minutes. */
	#abandon(code: number, reason: string): void {
		this.#stopTimers();
		const socket = this.#socket;
		if (socket !== undefined) {
			socket.onopen = null;
			socket.onmessage = null;
			socket.onclose = null;
			socket.close(code, reason);
		}
	}

	#stopTimers(): void {
		clearTimeout(this.#timer);
		clearInterval(this.#watchTimer);
	}
}

/** Turns an HTTP origin and a path into a WebSocket address. */
export function socketUrl(apiUrl: string, path: string): string {
	const url = new URL(path, apiUrl);
	url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
	return url.href;
}
