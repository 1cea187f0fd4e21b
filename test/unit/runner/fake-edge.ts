import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** A stand-in for the Worker: takes or refuses sockets as the test says, and keeps what it gets. */
export interface FakeEdge {
	readonly apiUrl: string;
	readonly sockets: WebSocket[];
	readonly requests: IncomingMessage[];
	/** Binary messages of each socket, in the order the sockets came. */
	readonly messages: Uint8Array[][];
	/** Text messages of all sockets. */
	readonly texts: string[];
	/** Set to refuse the next upgrades with this status and problem document. */
	refuseWith: { readonly status: number; readonly body: string } | undefined;
	/** Set to false to be like a line that was cut without anyone noticing. */
	answersPings: boolean;
	close(): Promise<void>;
}

export async function startFakeEdge(): Promise<FakeEdge> {
	const server = createServer((_request, response) => response.writeHead(404).end());
	const webSockets = new WebSocketServer({ noServer: true, autoPong: false });
	const edge: FakeEdge = {
		apiUrl: "",
		sockets: [],
		requests: [],
		messages: [],
		texts: [],
		refuseWith: undefined,
		answersPings: true,
		close: () => {
			for (const socket of edge.sockets) {
				socket.terminate();
			}
			server.closeAllConnections();
			return new Promise((resolve) => server.close(() => resolve()));
		},
	};
	server.on("upgrade", (request, stream, head) => {
		edge.requests.push(request);
		if (edge.refuseWith !== undefined) {
			const { status, body } = edge.refuseWith;
			const headers = `content-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close`;
			stream.end(`HTTP/1.1 ${status} No\r\n${headers}\r\n\r\n${body}`);
			return;
		}
		webSockets.handleUpgrade(request, stream, head, (socket) => {
			const messages: Uint8Array[] = [];
			edge.sockets.push(socket);
			edge.messages.push(messages);
			socket.on("ping", () => edge.answersPings && socket.pong());
			socket.on("message", (data: Buffer, isBinary) => {
				if (isBinary) {
					messages.push(new Uint8Array(data));
				} else {
					edge.texts.push(data.toString());
				}
			});
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return Object.assign(edge, { apiUrl: `http://127.0.0.1:${port}` });
}
