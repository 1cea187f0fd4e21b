import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type PublishRejection, RtmpAcceptor } from "../../../rtmp/acceptor.ts";
import { socketTransport } from "../../../runner/socket-transport.ts";
import type { ReceivedSession, ReceivedTag } from "./received.ts";

class RecordedSession implements ReceivedSession {
	readonly startedAtMs = performance.now();
	readonly tags: ReceivedTag[] = [];
	endedAtMs: number | undefined;
	endReason: string | undefined;
}

/** An RTMP server that keeps every tag with its time of arrival, and that can go away and come back at the same address. */
export class RecordingDestination implements AsyncDisposable {
	readonly sessions: RecordedSession[] = [];
	/** When each connection came. */
	readonly connectedAtMs: number[] = [];
	/** Set to refuse publishers; asked at each attempt. */
	refusal: (() => PublishRejection | undefined) | undefined;
	#server: Server | undefined;
	#port = 0;
	readonly #sockets = new Set<Socket>();

	static async listen(): Promise<RecordingDestination> {
		const destination = new RecordingDestination();
		await destination.up();
		return destination;
	}

	get port(): number {
		return this.#port;
	}

	get url(): string {
		return `rtmp://127.0.0.1:${this.#port}/live`;
	}

	/** Listens, at the same port as before. */
	async up(): Promise<void> {
		const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
		server.listen(this.#port, "127.0.0.1");
		await once(server, "listening");
		const address = server.address();
		if (address === null || typeof address === "string") {
			throw new Error(`destination: expected a port, got ${address}`);
		}
		this.#server = server;
		this.#port = address.port;
	}

	/** Drops every line and refuses new ones, as a machine that is switched off. May be called twice. */
	async down(): Promise<void> {
		const server = this.#server;
		if (server === undefined) {
			return;
		}
		this.#server = undefined;
		const closed = once(server, "close");
		server.close();
		for (const socket of this.#sockets) {
			socket.resetAndDestroy();
		}
		await closed;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.down();
	}

	/** Video tags that have come in the last `withinMs`. */
	framesWithin(withinMs: number, nowMs = performance.now()): number {
		const tags = this.sessions.flatMap((session) => session.tags.slice(-Math.ceil(withinMs)));
		return tags.filter((tag) => tag.type === 9 && tag.arrivedAtMs > nowMs - withinMs).length;
	}

	#accept(socket: Socket): void {
		this.connectedAtMs.push(performance.now());
		this.#sockets.add(socket);
		socket.once("close", () => this.#sockets.delete(socket));
		const acceptor = new RtmpAcceptor(socketTransport(socket), {
			onPublish: async () => {
				const refusal = this.refusal?.();
				if (refusal !== undefined) {
					throw refusal;
				}
				const session = new RecordedSession();
				this.sessions.push(session);
				return {
					onTag: (tag) => {
						session.tags.push({ ...tag, body: tag.body.slice(), arrivedAtMs: performance.now() });
					},
					onEnd: (reason) => {
						session.endedAtMs = performance.now();
						session.endReason = reason;
					},
				};
			},
		});
		void acceptor.run();
	}
}
