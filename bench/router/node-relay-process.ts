import { type WebSocket, WebSocketServer } from "ws";

/** A relay that does nothing but pass on: what comes in at /publish goes out to everyone at /subscribe. Started with an IPC channel, it says its port there. */
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
const subscribers = new Set<WebSocket>();

server.on("connection", (socket, request) => {
	if (request.url === "/subscribe") {
		subscribers.add(socket);
		socket.on("close", () => subscribers.delete(socket));
		return;
	}
	socket.on("message", (data, binary) => {
		for (const subscriber of subscribers) {
			subscriber.send(data, { binary });
		}
	});
});
server.on("listening", () => {
	const address = server.address();
	process.send?.(typeof address === "object" ? address?.port : undefined);
});
process.on("disconnect", () => process.exit());
