import { SilenceWatch } from "./silence-watch.ts";
import type { Timers } from "./timers.ts";
import type { ByteTransport } from "./transport.ts";

/**
 * A transport that can fail for our reasons too: when it does, whatever waits on it is let go with that one error, whether or not the
 * transport notices that it was closed.
 */
export class ByteChannel {
	readonly #transport: ByteTransport;
	readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
	readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
	readonly #stall: SilenceWatch;
	readonly #rejectWrites = new Set<(error: Error) => void>();
	#rejectRead: ((error: Error) => void) | undefined;
	#failure: Error | undefined;
	#bytesSent = 0;

	/** @param stallMs how long writes may wait without one of them being taken before the channel fails */
	constructor(transport: ByteTransport, timers: Timers, stallMs: number) {
		this.#transport = transport;
		this.#reader = transport.readable.getReader();
		this.#writer = transport.writable.getWriter();
		// Each write's own promise tells of a failure; these would only tell it again, to no one.
		this.#writer.closed.catch(() => {});
		this.#writer.ready.catch(() => {});
		this.#stall = new SilenceWatch(
			timers,
			stallMs,
			() => this.#rejectWrites.size > 0,
			() => this.fail(new Error(`rtmp: expected the peer to take what was sent within ${stallMs} ms, got no progress`)),
		);
		this.#stall.start();
	}

	/** Bytes the transport has taken. */
	get bytesSent(): number {
		return this.#bytesSent;
	}

	/** Whether someone waits for the peer's bytes. */
	get isReading(): boolean {
		return this.#rejectRead !== undefined;
	}

	/** The next bytes, at least one; `undefined` at the end. One read at a time. */
	async read(): Promise<Uint8Array | undefined> {
		for (;;) {
			const { done, value } = await this.#readOnce();
			if (done) {
				return undefined;
			}
			if (value.length > 0) {
				return value;
			}
		}
	}

	/** Resolves when the transport took the bytes, in order. */
	write(bytes: Uint8Array): Promise<void> {
		return this.#settled(this.#writer.write(bytes), () => {
			this.#bytesSent += bytes.length;
			this.#stall.touch();
		});
	}

	/** Ends our direction once all that was written is out. */
	end(): Promise<void> {
		return this.#settled(this.#writer.close(), () => {});
	}

	/** Drops the connection at once. The first error wins and is what every waiting and later call rejects with. */
	fail(error: Error): void {
		if (this.#failure !== undefined) {
			return;
		}
		this.#failure = error;
		this.#stall.stop();
		this.#rejectRead?.(error);
		for (const reject of this.#rejectWrites) {
			reject(error);
		}
		this.#rejectWrites.clear();
		this.#transport.close();
	}

	#readOnce(): Promise<ReadableStreamReadResult<Uint8Array>> {
		return new Promise((resolve, reject) => {
			if (this.#failure !== undefined) {
				reject(this.#failure);
				return;
			}
			this.#rejectRead = reject;
			this.#reader.read().then(
				(read) => {
					this.#rejectRead = undefined;
					resolve(read);
				},
				(cause: unknown) => {
					this.#rejectRead = undefined;
					reject(new Error("rtmp: expected more from the peer, got a broken connection", { cause }));
				},
			);
		});
	}

	#settled(written: Promise<void>, onTaken: () => void): Promise<void> {
		return new Promise((resolve, reject) => {
			if (this.#failure !== undefined) {
				written.catch(() => {});
				reject(this.#failure);
				return;
			}
			if (this.#rejectWrites.size === 0) {
				this.#stall.touch();
			}
			this.#rejectWrites.add(reject);
			written.then(
				() => {
					this.#rejectWrites.delete(reject);
					onTaken();
					resolve();
				},
				(cause: unknown) => {
					this.#rejectWrites.delete(reject);
					reject(new Error("rtmp: expected the peer to take what was sent, got a broken connection", { cause }));
				},
			);
		});
	}
}
