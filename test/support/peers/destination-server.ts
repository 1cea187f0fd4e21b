import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { RtmpAcceptor } from "../../../rtmp/acceptor.ts";
import { socketTransport } from "../../../runner/socket-transport.ts";

/** How a destination of ours treats its publishers. Every part may be left out: then it behaves. */
export interface DestinationManners {
	/** Throws a `PublishRejection` to refuse; `attempt` counts from 1. */
	readonly onPublish?: (attempt: number) => void | Promise<void>;
	/** May take its time, or `drop()` the line. */
	readonly onTag?: (tag: FlvTag, session: DestinationSession) => void | Promise<void>;
	/** Accepts the connection and never says or reads anything. */
	readonly silent?: boolean;
}

/** One publishing session and all it was sent. */
export class DestinationSession {
	readonly tags: FlvTag[] = [];
	readonly #socket: Socket;
	#videoFrames = 0;
	ended: string | undefined;

	constructor(socket: Socket) {
		this.#socket = socket;
	}

	/** Breaks the line without a word. */
	drop(): void {
		this.#socket.destroy();
	}

	/** Times of the video frames, without configurations. */
	frameTimesMs(): number[] {
		return this.#timesOf("video-key", "video-inter");
	}

	/** Times of the audio frames, without configurations. */
	soundTimesMs(): number[] {
		return this.#timesOf("audio");
	}

	#timesOf(...kinds: string[]): number[] {
		return this.tags.filter((tag) => kinds.includes(kindOf(tag))).map((tag) => tag.timestampMs);
	}

	/** Tag kinds in order, without script data. */
	kinds(): string[] {
		return this.tags.filter((tag) => tag.type !== TAG_TYPE.script).map(kindOf);
	}

	get videoFrames(): number {
		return this.#videoFrames;
	}

	/** A tag has come. */
	take(tag: FlvTag): void {
		const kind = kindOf(tag);
		this.#videoFrames += kind === "video-key" || kind === "video-inter" ? 1 : 0;
		this.tags.push({ ...tag, body: tag.body.slice() });
	}

	async writeTo(file: string): Promise<void> {
		await writeFile(file, Buffer.concat([flvHeader(), ...this.tags.map((tag) => flvTagBytes(tag))]));
	}
}

/** An RTMP server that keeps all it is sent, and misbehaves as told. */
export class DestinationServer implements AsyncDisposable {
	readonly sessions: DestinationSession[] = [];
	/** When each connection came, by `performance.now()`. */
	readonly connectedAtMs: number[] = [];
	readonly #manners: DestinationManners;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	#attempts = 0;

	private constructor(manners: DestinationManners) {
		this.#manners = manners;
		this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
	}

	/** @param port of one that was there before; a free one where omitted */
	static async listen(manners: DestinationManners = {}, port = 0): Promise<DestinationServer> {
		const destination = new DestinationServer(manners);
		destination.#server.listen(port, "127.0.0.1");
		await once(destination.#server, "listening");
		return destination;
	}

	get port(): number {
		const address = this.#server.address();
		if (address === null || typeof address === "string") {
			throw new Error(`destination: expected a port, got ${address}`);
		}
		return address.port;
	}

	get url(): string {
		return `rtmp://127.0.0.1:${this.port}/live`;
	}

	/** The session that goes on, or the last. Throws when there never was one. */
	get latest(): DestinationSession {
		const session = this.sessions.at(-1);
		if (session === undefined) {
			throw new Error("destination: expected a session, got none yet");
		}
		return session;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of this.#sockets) {
			socket.destroy();
		}
		this.#server.close();
		await once(this.#server, "close");
	}

	#accept(socket: Socket): void {
		this.connectedAtMs.push(performance.now());
		this.#sockets.add(socket);
		socket.once("close", () => this.#sockets.delete(socket));
		if (this.#manners.silent === true) {
			socket.on("error", () => socket.destroy());
			return;
		}
		const acceptor = new RtmpAcceptor(socketTransport(socket), {
			onPublish: async () => {
				this.#attempts += 1;
				await this.#manners.onPublish?.(this.#attempts);
				const session = new DestinationSession(socket);
				this.sessions.push(session);
				return {
					onTag: (tag) => {
						session.take(tag);
						return this.#manners.onTag?.(tag, session);
					},
					onEnd: (reason) => {
						session.ended = reason;
					},
				};
			},
		});
		void acceptor.run();
	}
}

function kindOf(tag: FlvTag): string {
	return tag.type === TAG_TYPE.script ? "script" : tagKind(tag);
}
