import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { TAG_TYPE } from "../../media/flv/tag.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import { RtmpAcceptor } from "../../rtmp/acceptor.ts";
import { socketTransport } from "../../runner/socket-transport.ts";

/** The demo's destination: an RTMP server that writes what is published to it into an FLV file. One session, as a service would take it. */
export class ProgramReceiver {
	readonly #server: Server;
	readonly #file: WriteStream;
	readonly #sockets = new Set<Socket>();
	#videoTags = 0;
	#sessions = 0;

	private constructor(server: Server, file: WriteStream) {
		this.#server = server;
		this.#file = file;
	}

	static async listen(path: string): Promise<ProgramReceiver> {
		const file = createWriteStream(path);
		file.write(flvHeader());
		const server = createServer({ noDelay: true });
		const receiver = new ProgramReceiver(server, file);
		server.on("connection", (socket) => receiver.#accept(socket));
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		return receiver;
	}

	get url(): string {
		const address = this.#server.address();
		if (address === null || typeof address === "string") {
			throw new Error(`demo: expected the receiver to listen on a port, got ${address}`);
		}
		return `rtmp://127.0.0.1:${address.port}/live`;
	}

	get videoTags(): number {
		return this.#videoTags;
	}

	/** Publishing sessions so far: more than one means the output broke. */
	get sessions(): number {
		return this.#sessions;
	}

	async close(): Promise<void> {
		for (const socket of this.#sockets) {
			socket.destroy();
		}
		this.#server.close();
		this.#file.end();
		await once(this.#file, "close");
	}

	#accept(socket: Socket): void {
		this.#sockets.add(socket);
		socket.once("close", () => this.#sockets.delete(socket));
		const acceptor = new RtmpAcceptor(socketTransport(socket), {
			onPublish: async () => {
				this.#sessions += 1;
				return {
					onTag: (tag) => {
						if (tag.type === TAG_TYPE.script) {
							return;
						}
						this.#videoTags += tag.type === TAG_TYPE.video ? 1 : 0;
						this.#file.write(flvTagBytes(tag));
					},
					onEnd: () => {},
				};
			},
		});
		void acceptor.run();
	}
}
