import type { Socket } from "node:net";
import type { ByteTransport } from "../../rtmp/transport.ts";

/** Read ahead of the acceptor: a few TCP segments, so that back-pressure reaches the publisher. */
const READ_AHEAD_BYTES = 64 * 1024;

/** A Node TCP or TLS socket as the RTMP layer wants it. */
export function socketTransport(socket: Socket): ByteTransport {
	return {
		readable: readableOf(socket),
		writable: writableOf(socket),
		close: () => socket.destroy(),
	};
}

function readableOf(socket: Socket): ReadableStream<Uint8Array> {
	return new ReadableStream<Uint8Array>(
		{
			start(controller) {
				// One of these three is the last word; the stream is closed or failed once.
				let open = true;
				const last = (say: () => void) => {
					if (open) {
						open = false;
						say();
					}
				};
				socket.pause();
				socket.on("data", (bytes: Uint8Array) => {
					if (open) {
						controller.enqueue(bytes);
					}
					if ((controller.desiredSize ?? 0) <= 0) {
						socket.pause();
					}
				});
				socket.once("end", () => last(() => controller.close()));
				socket.once("error", (error) => last(() => controller.error(error)));
				socket.once("close", () => last(() => controller.error(new Error("rtmp ingest: connection closed"))));
			},
			pull() {
				socket.resume();
			},
			cancel() {
				socket.destroy();
			},
		},
		new ByteLengthQueuingStrategy({ highWaterMark: READ_AHEAD_BYTES }),
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
