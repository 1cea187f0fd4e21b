import { setTimeout as sleep } from "node:timers/promises";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { wrapMs } from "../../../media/timestamp.ts";
import type { RtmpPublisher } from "../../../rtmp/publisher.ts";
import { connectPublisher } from "../peers/rtmp-client.ts";

/** Publishes a clip's tags at their own pace with times that can be made to jump, which no encoder can be told to do. */
export class PacedPublisher implements AsyncDisposable {
	/** Added to the clip's times on the wire, modulo 2^32. May be changed at any moment. */
	shiftMs: number;
	/** Resolves when it has sent all or was stopped; rejects when the line broke. */
	readonly ended: Promise<void>;
	readonly #publisher: RtmpPublisher;
	readonly #startedAtMs = performance.now();
	#tags: readonly FlvTag[];
	/** When the clip began, counted from the start of publishing. */
	#clipAtMs = 0;
	#stopped = false;

	private constructor(publisher: RtmpPublisher, tags: readonly FlvTag[], shiftMs: number) {
		this.#publisher = publisher;
		this.#tags = tags;
		this.shiftMs = shiftMs;
		this.ended = this.#run();
		// Who does not ask how it ended sees it in what is received.
		this.ended.catch(() => {});
	}

	/** @param url without the key */
	static async start(
		url: string,
		streamKey: string,
		tags: readonly FlvTag[],
		options: { readonly shiftMs?: number } = {},
	): Promise<PacedPublisher> {
		return new PacedPublisher(await connectPublisher(url, streamKey), tags, options.shiftMs ?? 0);
	}

	/** Time since the start, which the times on the wire follow but for the shift. */
	get elapsedMs(): number {
		return performance.now() - this.#startedAtMs;
	}

	/** Goes on with another clip from its beginning, headers and all. */
	switchTo(tags: readonly FlvTag[]): void {
		this.#clipAtMs = Math.round(this.elapsedMs);
		this.#tags = tags;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#stopped = true;
		await this.#publisher.close({ final: true });
		await this.ended.catch(() => {});
	}

	async #run(): Promise<void> {
		let tags = this.#tags;
		for (let index = 0; !this.#stopped; index++) {
			if (tags !== this.#tags) {
				tags = this.#tags;
				index = 0;
			}
			const tag = tags[index];
			if (tag === undefined) {
				return;
			}
			const mediaMs = this.#clipAtMs + tag.timestampMs;
			const waitMs = mediaMs - this.elapsedMs;
			if (waitMs > 1) {
				await sleep(waitMs);
			}
			if (tags === this.#tags && !this.#stopped) {
				await this.#publisher.sendTag({ ...tag, timestampMs: wrapMs(mediaMs + this.shiftMs) });
			}
		}
	}
}
