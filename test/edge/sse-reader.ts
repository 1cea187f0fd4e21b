import type { BroadcastEvent } from "../../worker/protocol/broadcast-events.ts";
import { until } from "./api-client.ts";

/** The client's end of a stream of server-sent events, read as it comes. */
export class SseReader {
	readonly events: { readonly id: string; readonly event: string; readonly data: BroadcastEvent }[] = [];
	comments = 0;
	/** How it ended, once it has. */
	ended: "closed" | "broken" | undefined;
	readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

	constructor(response: Response) {
		if (response.body === null || response.status !== 200) {
			throw new Error(`test: expected a stream, got status ${response.status}`);
		}
		this.#reader = response.body.getReader();
		void this.#read();
	}

	types(): string[] {
		return this.events.map(({ event }) => event);
	}

	take(count: number): Promise<true> {
		return until(`${count} events`, () => (this.events.length >= count ? true : undefined));
	}

	ending(): Promise<"closed" | "broken"> {
		return until("the stream to end", () => this.ended);
	}

	async cancel(): Promise<void> {
		await this.#reader.cancel();
	}

	async #read(): Promise<void> {
		const decoder = new TextDecoder();
		let text = "";
		try {
			for (;;) {
				const { done, value } = await this.#reader.read();
				if (done) {
					this.ended = "closed";
					return;
				}
				text += decoder.decode(value, { stream: true });
				const blocks = text.split("\n\n");
				text = blocks.pop() ?? "";
				for (const block of blocks) {
					this.#take(block);
				}
			}
		} catch {
			this.ended = "broken";
		}
	}

	#take(block: string): void {
		const fields = new Map(
			block.split("\n").map((line) => [line.split(": ", 1)[0] ?? "", line.replace(/^[^:]*: ?/, "")]),
		);
		const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
		if (id !== undefined && event !== undefined && data !== undefined) {
			this.events.push({ id, event, data: JSON.parse(data) as BroadcastEvent });
		} else if (block.startsWith(":")) {
			this.comments++;
		}
	}
}
