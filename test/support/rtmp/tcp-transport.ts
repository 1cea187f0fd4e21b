import net from "node:net";
import type { ByteTransport } from "../../../rtmp/transport.ts";
import { socketTransport } from "../../../runner/socket-transport.ts";

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
