import type { WebSocket } from "ws";

const PING_EVERY_MS = 5_000;
/** What we send fills a dead line's buffers for minutes before TCP notices; a missing pong tells sooner. */
const PONG_TIMEOUT_MS = 10_000;

/** Pings an open socket until stopped, and ends the line when no pong comes back. */
export function keepAlive(socket: WebSocket): () => void {
	let lastPongMs = performance.now();
	socket.on("pong", () => {
		lastPongMs = performance.now();
	});
	const timer = setInterval(() => {
		if (performance.now() - lastPongMs > PING_EVERY_MS + PONG_TIMEOUT_MS) {
			socket.terminate();
		} else {
			socket.ping();
		}
	}, PING_EVERY_MS);
	return () => clearInterval(timer);
}
