import net from "node:net";
import { Writable } from "node:stream";
import type { ByteTransport } from "../../../rtmp/transport.ts";

/** Pieces read ahead before the socket is paused. */
const READ_AHEAD = 16;

/** A TCP socket as a transport. */
export function socketTransport(socket: net.Socket): ByteTransport {
	return {
		readable: readableOf(socket),
		writable: Writable.toWeb(socket) as unknown as WritableStream<Uint8Array>,
		close: () => socket.destroy(),
	};
}

/**
 * What comes in, and only then how it ended. (`Readable.toWeb` throws away what has come and is not read yet when the connection is
 * reset, and publishers that leave with our acknowledgements unread reset it right after their last word.)
 */
function readableOf(socket: net.Socket): ReadableStream<Uint8Array> {
	const waiting: Uint8Array[] = [];
	let ending: "open" | "ended" | Error = "open";
	let wake = () => {};
	socket.on("data", (bytes) => {
		waiting.push(bytes);
		if (waiting.length >= READ_AHEAD) {
			socket.pause();
		}
		wake();
	});
	const end = (how: "ended" | Error) => {
		ending = ending === "open" ? how : ending;
		wake();
	};
	socket.on("error", end);
	socket.on("end", () => end("ended"));
	socket.on("close", () => end("ended"));
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

export interface TcpListener {
	readonly port: number;
	close(): Promise<void>;
}

/** Listens on a free port of the loopback interface; each connection is handed on as a transport. */
export async function listenTcp(onTransport: (transport: ByteTransport) => void): Promise<TcpListener> {
	const sockets = new Set<net.Socket>();
	const server = net.createServer({ allowHalfOpen: true }, (socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		onTransport(socketTransport(socket));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	if (address === null || typeof address === "string") {
		throw new Error(`tcp: expected a port, got ${address}`);
	}
	return {
		port: address.port,
		close: () =>
			new Promise((resolve) => {
				for (const socket of sockets) {
					socket.destroy();
				}
				server.close(() => resolve());
			}),
	};
}

export async function dialTcp(port: number): Promise<ByteTransport> {
	const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true });
	await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
	return socketTransport(socket);
}
