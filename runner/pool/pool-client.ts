import { WebSocket } from "ws";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import {
	HEARTBEAT_EVERY_MS,
	type PoolMessage,
	poolMessageSchema,
	type RunnerMessage,
} from "../../worker/protocol/pool-messages.ts";
import { type Log, messageOf } from "../log.ts";
import { keepAlive } from "../socket-keep-alive.ts";
import { socketUrl } from "../socket-url.ts";

const RETRY: RetryPolicy = { firstMs: 250, capMs: 5_000 };
/** A line that lived this long counts as a success: the next break starts again at the shortest wait. */
const SETTLED_AFTER_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 500;
/** Assignments and releases are a few hundred bytes, an address with its key some thousand at most. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** The token is wrong: trying again cannot help. */
const FINAL_STATUSES = [401, 403];

export interface PoolClientOptions {
	readonly apiUrl: string;
	readonly runnerToken: string;
	/** Said first on every line. */
	readonly hello: () => RunnerMessage;
	/** Asked for every second. */
	readonly heartbeat: () => RunnerMessage;
	readonly onMessage: (message: PoolMessage) => void;
	/** A line is up; `again` when it is not the first. */
	readonly onConnected: (again: boolean) => void;
	/** The Worker does not take this runner, for good. */
	readonly onRefused: (reason: string) => void;
	readonly log: Log;
	readonly retry?: RetryPolicy;
}

/** The runner's line to the CompositorPool, mended by itself: a broken line is retried with back-off, a refused token is final. */
export class PoolClient {
	readonly #options: PoolClientOptions;
	#socket: WebSocket | undefined;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	#attempt = 0;
	#connections = 0;
	#closed = false;
	#heardAtMs = Number.NEGATIVE_INFINITY;

	constructor(options: PoolClientOptions) {
		this.#options = options;
	}

	start(): void {
		this.#connect();
	}

	/** When the Worker last showed that it is there, in milliseconds since the epoch; a pong a few seconds comes of every line that works. */
	get heardAtMs(): number {
		return this.#heardAtMs;
	}

	/** Sends when the line is up; otherwise the next `hello` says what matters. */
	send(message: RunnerMessage): void {
		if (this.#socket?.readyState === WebSocket.OPEN) {
			this.#socket.send(JSON.stringify(message));
		}
	}

	/** Ends the line and every retry. May be called twice. */
	async close(): Promise<void> {
		this.#closed = true;
		clearTimeout(this.#retryTimer);
		const socket = this.#socket;
		if (socket === undefined || socket.readyState === WebSocket.CLOSED) {
			return;
		}
		await new Promise<void>((resolve) => {
			const timer = setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS);
			socket.once("close", () => {
				clearTimeout(timer);
				resolve();
			});
			socket.close(1000, "runner stops");
		});
	}

	#connect(): void {
		const socket = new WebSocket(socketUrl(this.#options.apiUrl, "/api/runners/connect"), {
			headers: { authorization: `Bearer ${this.#options.runnerToken}` },
			handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
			maxPayload: MAX_MESSAGE_BYTES,
			perMessageDeflate: false,
		});
		this.#socket = socket;
		let brokenBy = "";
		let openedAtMs: number | undefined;
		let stops: (() => void)[] = [];
		socket.on("open", () => {
			openedAtMs = performance.now();
			this.#heardAtMs = Date.now();
			stops = [keepAlive(socket), this.#beat()];
			this.send(this.#options.hello());
			this.#connections += 1;
			this.#options.onConnected(this.#connections > 1);
		});
		socket.on("pong", () => {
			this.#heardAtMs = Date.now();
		});
		socket.on("message", (data) => {
			this.#heardAtMs = Date.now();
			this.#take(String(data));
		});
		socket.on("unexpected-response", (_request, response) => {
			brokenBy = `HTTP ${response.statusCode}`;
			response.resume();
			if (FINAL_STATUSES.includes(response.statusCode ?? 0)) {
				this.#closed = true;
				this.#options.onRefused(`expected the Worker to take RUNNER_TOKEN, got ${brokenBy}`);
			}
			socket.terminate();
		});
		socket.on("error", (error) => {
			brokenBy ||= messageOf(error);
		});
		socket.on("close", (code, reason) => {
			for (const stop of stops) {
				stop();
			}
			if (this.#closed) {
				return;
			}
			if (openedAtMs !== undefined && performance.now() - openedAtMs > SETTLED_AFTER_MS) {
				this.#attempt = 0;
			}
			const delayMs = retryDelayMs(this.#options.retry ?? RETRY, this.#attempt, Math.random());
			this.#attempt += 1;
			const why = brokenBy || reason.toString() || `code ${code}`;
			this.#options.log(`line to the Worker broken (${why}), trying again in ${Math.round(delayMs)} ms`);
			this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
		});
	}

	#take(text: string): void {
		let message: PoolMessage;
		try {
			message = poolMessageSchema.parse(JSON.parse(text));
		} catch {
			// The text itself may hold a token, or a destination's key. A newer Worker may know messages that we do not.
			this.#options.log(`expected a message of the pool, got ${text.length} characters of something else`);
			return;
		}
		this.#options.onMessage(message);
	}

	/** Heartbeats until stopped. */
	#beat(): () => void {
		const heartbeat = setInterval(() => this.send(this.#options.heartbeat()), HEARTBEAT_EVERY_MS);
		return () => clearInterval(heartbeat);
	}
}
