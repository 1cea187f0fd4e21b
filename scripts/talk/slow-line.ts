import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

const HOST = "127.0.0.1";
const LOOK_EVERY_MS = 5;
const BITS_PER_BYTE = 8;
const MS_PER_SECOND = 1_000;

export interface SlowLineOptions {
	/** Upwards; downwards it is free. */
	readonly rateBps: number;
	/** What waits on the line before it takes no more, as at a router with much memory. */
	readonly queueBytes: number;
}

/** A way to a server on which TCP is slow upwards: connections through it are as those to the server itself. */
export class SlowLine implements AsyncDisposable {
	readonly #server: Server;
	readonly #options: SlowLineOptions;
	readonly #ends = new Set<() => void>();

	private constructor(target: URL, options: SlowLineOptions) {
		this.#options = options;
		this.#server = createServer((near) => this.#carry(near, connect(Number(target.port), target.hostname)));
	}

	static async to(target: URL, options: SlowLineOptions): Promise<SlowLine> {
		const line = new SlowLine(target, options);
		line.#server.listen(0, HOST);
		await once(line.#server, "listening");
		return line;
	}

	/** The same link, by this way. */
	through(link: string): string {
		const address = this.#server.address();
		const url = new URL(link);
		url.hostname = HOST;
		url.port = String(typeof address === "object" ? address?.port : address);
		return url.href;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#server.close();
		for (const end of this.#ends) {
			end();
		}
	}

	/** Each connection has a line of its own. */
	#carry(near: Socket, far: Socket): void {
		const { rateBps, queueBytes } = this.#options;
		const queue: Buffer[] = [];
		let waiting = 0;
		let credit = 0;
		let lookedMs = performance.now();
		near.on("data", (data: Buffer) => {
			queue.push(data);
			waiting += data.byteLength;
			if (waiting > queueBytes) {
				near.pause();
			}
		});
		const timer = setInterval(() => {
			const nowMs = performance.now();
			const earned = ((nowMs - lookedMs) * rateBps) / (BITS_PER_BYTE * MS_PER_SECOND);
			lookedMs = nowMs;
			// What a line did not carry while nothing was there is lost.
			credit = queue.length === 0 ? 0 : credit + earned;
			for (let first = queue[0]; first !== undefined && credit >= 1; first = queue[0]) {
				const part = first.subarray(0, Math.floor(credit));
				far.write(part);
				credit -= part.byteLength;
				waiting -= part.byteLength;
				queue[0] = first.subarray(part.byteLength);
				if (queue[0].byteLength === 0) {
					queue.shift();
				}
			}
			if (waiting <= queueBytes) {
				near.resume();
			}
		}, LOOK_EVERY_MS);
		far.pipe(near);
		const end = () => {
			clearInterval(timer);
			this.#ends.delete(end);
			near.destroy();
			far.destroy();
		};
		this.#ends.add(end);
		for (const socket of [near, far]) {
			socket.on("error", end);
			socket.on("close", end);
		}
	}
}
