import type { FlvTag } from "../../media/flv/tag.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-reader.ts";
import { flvHeader } from "../../media/flv/tag-writer.ts";
import { message } from "../unit/worker-media/wsflv-fixtures.ts";

/** Long enough for a loaded machine; only bounds a hang. */
const PATIENCE_MS = 10_000;

/** One end of a media socket in a test: keeps what it gets, and waits for conditions. */
export class MediaSocketPeer {
	readonly socket: WebSocket;
	readonly messages: Uint8Array[] = [];
	readonly closed: Promise<{ code: number; reason: string }>;
	#wake: () => void = () => {};

	constructor(socket: WebSocket) {
		this.socket = socket;
		socket.binaryType = "arraybuffer";
		this.closed = new Promise((resolve) => {
			socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
		});
		socket.addEventListener("message", ({ data }) => {
			if (data instanceof ArrayBuffer) {
				this.messages.push(new Uint8Array(data));
				this.#wake();
			}
		});
		socket.accept();
	}

	get tags(): FlvTag[] {
		return this.messages.filter((each) => !isFlvHeader(each)).map(readSingleTag);
	}

	/** Tags so far, when there are at least `count`. */
	async waitForTags(count: number): Promise<FlvTag[]> {
		const giveUpMs = Date.now() + PATIENCE_MS;
		while (this.tags.length < count) {
			if (Date.now() > giveUpMs) {
				throw new Error(`test: expected ${count} tags, got ${this.tags.length}`);
			}
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
				setTimeout(resolve, 100);
			});
		}
		return this.tags;
	}

	publish(tags: readonly FlvTag[]): void {
		this.socket.send(flvHeader());
		this.send(tags);
	}

	send(tags: readonly FlvTag[]): void {
		for (const tag of tags) {
			this.socket.send(message(tag));
		}
	}

	acknowledge(tags: number): void {
		this.socket.send(JSON.stringify({ type: "ack", tags }));
	}
}
