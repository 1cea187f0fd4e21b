import type { Transformer } from "../../../../compositor-page/real-time/tap.ts";

export interface MadeFrame {
	readonly kind: "audio" | "video";
	readonly type?: "key" | "delta";
	readonly data: Uint8Array;
	readonly mimeType: string;
	readonly metadata: Readonly<Record<string, unknown>>;
}

/** One receiver's frames in the hands of a test, instead of WebRTC's. */
export class FakeTransformer implements Transformer {
	readonly readable: Transformer["readable"];
	readonly writable: Transformer["writable"];
	/** What was written on, by the bytes it had then. */
	readonly written: Uint8Array[] = [];
	keyFrameRequests = 0;
	#controller: ReadableStreamDefaultController | undefined;

	constructor() {
		this.readable = new ReadableStream({
			start: (controller) => {
				this.#controller = controller;
			},
		});
		this.writable = new WritableStream({
			write: (frame) => {
				this.written.push(new Uint8Array(frame.data));
			},
		});
	}

	sendKeyFrameRequest(): Promise<unknown> {
		this.keyFrameRequests += 1;
		return Promise.resolve();
	}

	/** Resolves when it was taken. */
	async bring(...frames: readonly MadeFrame[]): Promise<void> {
		for (const { type, data, mimeType, metadata } of frames) {
			const timestamp = Number(metadata.rtpTimestamp);
			const encoded = {
				...(type === undefined ? {} : { type }),
				...{ data: data.slice().buffer, timestamp, getMetadata: () => ({ mimeType, ...metadata }) },
			};
			this.#controller?.enqueue(encoded);
		}
		await new Promise((resolve) => setTimeout(resolve));
	}

	end(): void {
		this.#controller?.close();
	}
}
