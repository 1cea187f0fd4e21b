import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { MEDIA_SUBPROTOCOL } from "../../../worker/protocol/media-socket.ts";

/** One socket as the edge sees it. */
export interface EdgeConnection {
	readonly socket: WebSocket;
	/** Path and query it asked for. */
	readonly path: string;
	/** Subprotocols offered, the token's among them. */
	readonly protocols: string;
	readonly messages: (Uint8Array | string)[];
	/** Code and reason of the close frame; 1006 for none. */
	readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
	/** Stops and starts reading from the line, as a slow network does. */
	pause(): void;
	resume(): void;
	/** Cuts the line without a close frame. */
	cut(): void;
}

/** The Worker's end of the compositor page's sockets, on loopback, in the hands of a test. */
export class FakeEdge {
	readonly origin: string;
	readonly connections: EdgeConnection[] = [];
	readonly #http: Server;
	readonly #sockets: WebSocketServer;

	private constructor(http: Server, sockets: WebSocketServer, port: number) {
		this.#http = http;
		this.#sockets = sockets;
		this.origin = `http://127.0.0.1:${port}`;
	}

	/** `onMessage` is called for every message, after it was kept. HTTP requests are answered by `onRequest`, or with an empty page. */
	static async open(handlers: {
		onConnection?(connection: EdgeConnection, index: number): void;
		onMessage?(connection: EdgeConnection, index: number): void;
		onRequest?(request: IncomingMessage, response: ServerResponse): void;
	}): Promise<FakeEdge> {
		const http = createServer((request, response) => {
			if (handlers.onRequest === undefined) {
				response.end();
			} else {
				handlers.onRequest(request, response);
			}
		});
		const sockets = new WebSocketServer({ server: http, handleProtocols: () => MEDIA_SUBPROTOCOL });
		await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
		const address = http.address();
		const edge = new FakeEdge(http, sockets, typeof address === "object" && address !== null ? address.port : 0);
		sockets.on("connection", (socket, request) => {
			const index = edge.connections.length;
			const messages: (Uint8Array | string)[] = [];
			const connection: EdgeConnection = {
				socket,
				path: request.url ?? "",
				protocols: request.headers["sec-websocket-protocol"] ?? "",
				messages,
				closed: new Promise((resolve) => {
					socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
				}),
				pause: () => socket.pause(),
				resume: () => socket.resume(),
				cut: () => socket.terminate(),
			};
			edge.connections.push(connection);
			socket.on("message", (data: Buffer, isBinary) => {
				messages.push(isBinary ? Uint8Array.from(data) : data.toString());
				handlers.onMessage?.(connection, index);
			});
			handlers.onConnection?.(connection, index);
		});
		return edge;
	}

	async close(): Promise<void> {
		for (const { socket } of this.connections) {
			socket.terminate();
		}
		this.#sockets.close();
		this.#http.closeAllConnections();
		await new Promise((resolve) => this.#http.close(resolve));
	}
}
