import type { PersonId } from "../../protocol/roles.ts";
import { type Outbox, type StoredEvent, shownEvent } from "./outbox.ts";

/** Dashboards of one show's crew; each costs its object a line. */
export const MAX_EVENT_STREAMS = 32;
/** Under the minute after which proxies take a line for dead. */
export const HEARTBEAT_MS = 15_000;
/** Who takes nothing for so long has gone, or can never catch up; they come back with `Last-Event-ID`. */
export const STALLED_AFTER_MS = 30_000;
/** What may wait in a stream for its reader; the rest waits in the outbox. */
const MAX_QUEUED_BYTES = 64 * 1024;
/** Events read at a time. */
const PAGE = 50;
/** How soon a browser comes back after its line was cut. */
const RECONNECT_MS = 2_000;

const encoder = new TextEncoder();

/** For whom a stream is, as far as their credentials may be made worthless meanwhile; the admin's never are. */
export interface StreamReader {
	readonly person: PersonId;
	readonly credentialsVersion: number;
}

interface OpenStream {
	readonly controller: ReadableStreamDefaultController<Uint8Array>;
	readonly reader: StreamReader | undefined;
	/** The last event that was put into it. */
	sequence: number;
	/** Since when it has been full. */
	fullSinceMs: number | undefined;
	isFilling: boolean;
}

/**
 * The events of a broadcast as server-sent events (HTML Standard §9.2). Each stream reads the outbox at its reader's speed, so that a slow one
 * costs no memory, and one that comes again misses nothing that is still kept.
 */
export class EventStreams {
	readonly #outbox: Outbox;
	readonly #broadcastId: () => string;
	readonly #streams = new Set<OpenStream>();

	constructor(outbox: Outbox, broadcastId: () => string) {
		this.#outbox = outbox;
		this.#broadcastId = broadcastId;
	}

	get count(): number {
		return this.#streams.size;
	}

	/** The stream of what came after an event; whether there is room for one more is asked before. */
	open(after: number, reader: StreamReader | undefined): ReadableStream<Uint8Array> {
		let stream: OpenStream | undefined;
		return new ReadableStream<Uint8Array>(
			{
				start: (controller) => {
					stream = { controller, reader, sequence: after, fullSinceMs: undefined, isFilling: false };
					this.#streams.add(stream);
					controller.enqueue(encoder.encode(`retry: ${RECONNECT_MS}\n\n`));
				},
				pull: () => {
					if (stream !== undefined && this.#streams.has(stream)) {
						stream.fullSinceMs = undefined;
						this.#fill(stream);
					}
				},
				cancel: () => {
					if (stream !== undefined) {
						this.#streams.delete(stream);
					}
				},
			},
			{ highWaterMark: MAX_QUEUED_BYTES, size: ({ byteLength }) => byteLength },
		);
	}

	/** There is something new in the outbox. */
	notify(): void {
		for (const stream of this.#streams) {
			this.#fill(stream);
		}
	}

	/** A sign of life in every stream; those whose reader shows none are cut. To be called every {@link HEARTBEAT_MS}. */
	beat(nowMs: number): void {
		for (const stream of this.#streams) {
			if (hasRoom(stream)) {
				stream.fullSinceMs = undefined;
				stream.controller.enqueue(encoder.encode(":\n\n"));
			} else {
				stream.fullSinceMs ??= nowMs;
				if (nowMs - stream.fullSinceMs >= STALLED_AFTER_MS) {
					this.#streams.delete(stream);
					stream.controller.error(new Error("events: expected the stream to be read, got no reading"));
				}
			}
		}
	}

	/** Ends the streams of those whose credentials do not count any more. */
	endOutdated(counts: (reader: StreamReader) => boolean): void {
		for (const stream of this.#streams) {
			if (stream.reader !== undefined && !counts(stream.reader)) {
				this.#end(stream);
			}
		}
	}

	/** Nothing comes any more: each is given what it has room for, and ends. */
	endAll(): void {
		for (const stream of this.#streams) {
			this.#fill(stream);
			this.#end(stream);
		}
	}

	#end(stream: OpenStream): void {
		this.#streams.delete(stream);
		stream.controller.close();
	}

	/** Putting something into a stream whose reader waits asks for more within the call: that is for the loop that goes on. */
	#fill(stream: OpenStream): void {
		if (stream.isFilling) {
			return;
		}
		stream.isFilling = true;
		for (let isMore = true; isMore && hasRoom(stream); ) {
			const page = this.#outbox.read({ after: stream.sequence }, PAGE);
			for (const event of page) {
				stream.controller.enqueue(encoder.encode(sseText(this.#broadcastId(), event)));
				stream.sequence = event.sequence;
			}
			isMore = page.length === PAGE;
		}
		stream.isFilling = false;
	}
}

function hasRoom({ controller }: OpenStream): boolean {
	return (controller.desiredSize ?? 0) > 0;
}

function sseText(broadcastId: string, event: StoredEvent): string {
	return `id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(shownEvent(broadcastId, event))}\n\n`;
}
