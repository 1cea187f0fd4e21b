import type { WebSocket } from "ws";

/** What we send fills a dead line's buffers for minutes before TCP notices; a missing pong tells sooner. */
export interface KeepAlivePace {
	readonly pingEveryMs: number;
	readonly pongWithinMs: number;
}

/** For lines of which nobody sees at once that they are dead. */
const UNHURRIED: KeepAlivePace = { pingEveryMs: 5_000, pongWithinMs: 10_000 };

/** Pings an open socket until stopped, and ends the line when no pong comes back. */
export function keepAlive(socket: WebSocket, pace: KeepAlivePace = UNHURRIED): () => void {
	const { pingEveryMs, pongWithinMs } = pace;
	let lastPongMs = performance.now();
	let lastTickMs = lastPongMs;
	socket.on("pong", () => {
		lastPongMs = performance.now();
	});
	const timer = setInterval(() => {
		const nowMs = performance.now();
		if (nowMs - lastTickMs > 2 * pingEveryMs) {
			// It was this process that stood still: what came meanwhile has yet to be read.
			lastPongMs = nowMs;
		}
		lastTickMs = nowMs;
		if (nowMs - lastPongMs > pingEveryMs + pongWithinMs) {
			socket.terminate();
		} else {
			socket.ping();
		}
	}, pingEveryMs);
	return () => clearInterval(timer);
}
