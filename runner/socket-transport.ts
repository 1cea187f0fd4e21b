import type { Socket } from "node:net";
import type { ByteTransport } from "../rtmp/transport.ts";

/** Read ahead of the protocol: a few TCP segments, so that back-pressure reaches the peer. */
const READ_AHEAD_BYTES = 64 * 1024;

/** A Node TCP or TLS socket as the RTMP layer wants it. */
export function socketTransport(socket: Socket): ByteTransport {
	return {
		readable: readableOf(socket),
		writable: writableOf(socket),
		close: () => socket.destroy(),
	};
}

/**
 * What comes in, and only then how it ended. A publisher that leaves with our acknowledgements unread resets the connection right after its
 * last word: a stream that failed at once would throw that word away.
 */
function readableOf(socket: Socket): ReadableStream<Uint8Array> {
	const waiting: Uint8Array[] = [];
	let waitingBytes = 0;
	let ending: "open" | "ended" | Error = "open";
	let wake = () => {};
	const end = (how: "ended" | Error) => {
		ending = ending === "open" ? how : ending;
		wake();
	};
	socket.on("data", (bytes: Uint8Array) => {
		waiting.push(bytes);
		waitingBytes += bytes.byteLength;
		if (waitingBytes >= READ_AHEAD_BYTES) {
			socket.pause();
		}
		wake();
	});
	socket.once("end", () => end("ended"));
	socket.once("error", end);
	socket.once("close", () => end(new Error("rtmp: the connection closed")));
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				while (waiting.length === 0 && ending === "open") {
					await new Promise<void>((resolve) => {
						wake = resolve;
					});
				}
				const bytes = waiting.shift();
				if (bytes !== undefined) {
					waitingBytes -= bytes.byteLength;
					socket.resume();
					controller.enqueue(bytes);
				} else if (ending instanceof Error) {
					controller.error(ending);
				} else {
					controller.close();
				}
			},
			cancel() {
				socket.destroy();
			},
		},
		{ highWaterMark: 0 },
	);
}

function writableOf(socket: Socket): WritableStream<Uint8Array> {
	return new WritableStream<Uint8Array>({
		write(bytes) {
			return new Promise((resolve, reject) => {
				socket.write(bytes, (error) => (error ? reject(error) : resolve()));
			});
		},
		close() {
			return new Promise((resolve) => {
				socket.end(() => resolve());
			});
		},
		abort() {
			socket.destroy();
		},
	});
}
