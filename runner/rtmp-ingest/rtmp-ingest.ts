import { createServer, type Server, type Socket } from "node:net";
import { PublishRejection, type PublishRequest, type PublishSink, RtmpAcceptor } from "../../rtmp/acceptor.ts";
import type { Log } from "../log.ts";
import { socketTransport } from "../socket-transport.ts";
import { MediaUplink } from "./media-uplink.ts";
import { unknownKeyRefusal } from "./refusal.ts";
import { routeOfStreamKey } from "./stream-route.ts";

/** Publishers and those who only knock; each may make us hold tens of megabytes of half-arrived messages (rtmp/limits.ts). */
const MAX_CONNECTIONS = 64;
const KEEP_ALIVE_AFTER_MS = 10_000;

export interface RtmpIngestOptions {
	readonly apiUrl: string;
	readonly log: Log;
	readonly maxConnections?: number;
}

/** Accepts RTMP publishers and passes their media to the Router as WS-FLV. The stream key is the publisher's bearer token there. */
export class RtmpIngest {
	readonly #options: RtmpIngestOptions;
	readonly #server: Server;
	readonly #acceptors = new Set<RtmpAcceptor>();
	#connections = 0;

	constructor(options: RtmpIngestOptions) {
		this.#options = options;
		this.#server = createServer((socket) => this.#accept(socket));
		this.#server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
		this.#server.on("drop", () => options.log(`rtmp: turned one away, ${this.#server.maxConnections} connected`));
	}

	/** Resolves with the port listened on, which port 0 leaves to the system; rejects when it is taken. */
	listen(port: number, host: string): Promise<number> {
		return new Promise((resolve, reject) => {
			this.#server.once("error", reject);
			this.#server.listen(port, host, () => {
				this.#server.off("error", reject);
				const address = this.#server.address();
				resolve(typeof address === "object" && address !== null ? address.port : port);
			});
		});
	}

	/** Ends every connection; resolves when the port is free. May be called twice. */
	async close(): Promise<void> {
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		for (const acceptor of this.#acceptors) {
			acceptor.close();
		}
		await closed;
	}

	#accept(socket: Socket): void {
		this.#connections += 1;
		const name = `rtmp ${this.#connections}`;
		const log: Log = (line) => this.#options.log(`${name}: ${line}`);
		socket.setNoDelay(true);
		socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
		const acceptor: RtmpAcceptor = new RtmpAcceptor(socketTransport(socket), {
			onPublish: (request) => this.#publish(request, log, (refusal) => acceptor.reject(refusal.code, refusal.message)),
			onError: (error) => log(error.message),
		});
		this.#acceptors.add(acceptor);
		acceptor.run().then(() => this.#acceptors.delete(acceptor));
	}

	async #publish(
		request: PublishRequest,
		log: Log,
		onRefused: (refusal: PublishRejection) => void,
	): Promise<PublishSink> {
		// People paste keys with a space or a line break at the end.
		const streamKey = request.streamKey.trim();
		const route = routeOfStreamKey(streamKey);
		const logRefusal = ({ code, message }: PublishRejection): PublishRejection => {
			const description = message.replaceAll(streamKey, "<key>");
			log(`refused: ${code}, ${description}`);
			return new PublishRejection(code, description);
		};
		if (route === undefined) {
			throw logRefusal(unknownKeyRefusal());
		}
		const uplink = await MediaUplink.open({
			apiUrl: this.#options.apiUrl,
			route,
			streamKey,
			log,
			onRefused: (refusal) => onRefused(logRefusal(refusal)),
		}).catch((error: unknown) => {
			throw error instanceof PublishRejection ? logRefusal(error) : error;
		});
		log(`publishing ${route.stream} of broadcast ${route.broadcastId}`);
		return {
			onTag: (tag) => uplink.push(tag),
			onEnd: (reason) => {
				log(`ended: ${reason}`);
				uplink.close();
			},
		};
	}
}
