import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FlvTag } from "../../media/flv/tag.ts";
import { RtmpPublisher } from "../../rtmp/publisher.ts";
import { parseRtmpUrl } from "../../rtmp/url.ts";
import { socketTransport } from "../../runner/socket-transport.ts";
import { isPicture } from "./measured-part.ts";

/** Publishes a clip at its own pace and notes when each picture was handed to the socket: its moment of capture, for what was encoded before. */
export class ClockedPublisher implements AsyncDisposable {
	/** By the picture's number in the clip; moments of `performance.now()`. */
	readonly sentAtMs: number[] = [];
	readonly #publisher: RtmpPublisher;
	readonly #ended: Promise<void>;
	#how: string | undefined;
	#stopped = false;

	private constructor(publisher: RtmpPublisher, tags: readonly FlvTag[]) {
		this.#publisher = publisher;
		this.#ended = this.#run(tags).then(
			() => {
				this.#how = "the clip is over";
			},
			(error: unknown) => {
				this.#how = String(error);
			},
		);
	}

	/** @param url without the key */
	static async start(url: string, streamKey: string, tags: readonly FlvTag[]): Promise<ClockedPublisher> {
		const parsed = parseRtmpUrl(url, streamKey);
		// A picture must not wait in the kernel for the one before to be acknowledged.
		const socket = connect({ host: parsed.host, port: parsed.port, noDelay: true, allowHalfOpen: true });
		await once(socket, "connect");
		try {
			return new ClockedPublisher(await RtmpPublisher.connect(socketTransport(socket), { url: parsed }), tags);
		} catch (error) {
			socket.destroy();
			throw error;
		}
	}

	/** Throws when it has stopped publishing by itself, saying why. */
	mustGoOn(): void {
		if (this.#how !== undefined) {
			throw new Error(`publisher: expected to go on to the end of the measurement, got: ${this.#how}`);
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stopped = true;
		await this.#publisher.close({ final: true });
		await this.#ended;
	}

	async #run(tags: readonly FlvTag[]): Promise<void> {
		const startedAtMs = performance.now();
		for (const tag of tags) {
			const waitMs = startedAtMs + tag.timestampMs - performance.now();
			if (waitMs > 0) {
				await sleep(waitMs);
			}
			if (this.#stopped) {
				return;
			}
			if (isPicture(tag)) {
				this.sentAtMs.push(performance.now());
			}
			await this.#publisher.sendTag(tag);
		}
	}
}
