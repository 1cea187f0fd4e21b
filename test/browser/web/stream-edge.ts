import type { IncomingMessage, ServerResponse } from "node:http";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, isFlvHeader, readSingleTag } from "../../../media/flv/tag-writer.ts";
import { type EdgeConnection, FakeEdge } from "../page/fake-edge.ts";

/** The edge as a stream leg sees it: one broadcast that can be asked for, and a media socket. In the hands of a test. */

export interface EdgeFormat {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrate: number;
}

export const HD: EdgeFormat = { width: 1280, height: 720, frameRate: 30, videoBitrate: 3_000_000 };
export const SMALL: EdgeFormat = { width: 640, height: 360, frameRate: 30, videoBitrate: 800_000 };

/** One message of a publisher, and when it was here. */
export interface Received {
	readonly atMs: number;
	readonly message: Uint8Array | string;
}

export interface StreamEdge {
	readonly edge: FakeEdge;
	/** Of each connection. */
	readonly received: Received[][];
}

export async function openStreamEdge(
	format: EdgeFormat,
	handlers: {
		onConnection?(connection: EdgeConnection, index: number): void;
		onMessage?(connection: EdgeConnection, index: number): void;
		/** HTTP status and body in place of the broadcast's. */
		answer?(): { readonly status: number; readonly body: unknown } | undefined;
	} = {},
): Promise<StreamEdge> {
	const received: Received[][] = [];
	const edge = await FakeEdge.open({
		onConnection: (connection, index) => {
			received[index] = [];
			handlers.onConnection?.(connection, index);
		},
		onMessage: (connection, index) => {
			const message = connection.messages.at(-1);
			if (message !== undefined) {
				received[index]?.push({ atMs: performance.now(), message });
			}
			handlers.onMessage?.(connection, index);
		},
		onRequest: (request, response) => answer(request, response, format, handlers.answer?.()),
	});
	return { edge, received };
}

function answer(
	request: IncomingMessage,
	response: ServerResponse,
	format: EdgeFormat,
	instead: { readonly status: number; readonly body: unknown } | undefined,
): void {
	response.setHeader("access-control-allow-origin", "*");
	response.setHeader("access-control-allow-headers", "authorization");
	if (request.method === "OPTIONS") {
		response.end();
		return;
	}
	response.statusCode = instead?.status ?? 200;
	response.setHeader("content-type", "application/json");
	response.end(JSON.stringify(instead?.body ?? { id: "b1", ...format }));
}

export interface ReceivedTag {
	readonly atMs: number;
	readonly tag: FlvTag;
}

/** The tags among what was received. */
export function tagsOf(received: readonly Received[]): ReceivedTag[] {
	return received.flatMap(({ atMs, message }) =>
		typeof message === "string" || isFlvHeader(message) ? [] : [{ atMs, tag: readSingleTag(message) }],
	);
}

/** The text messages, parsed. */
export function textsOf(received: readonly Received[]): unknown[] {
	return received.flatMap(({ message }) => (typeof message === "string" ? [JSON.parse(message)] : []));
}

/** What came in, as a file. */
export function flvOf(received: readonly Received[]): Uint8Array {
	return Buffer.concat(received.flatMap(({ message }) => (typeof message === "string" ? [] : [message])));
}

/** Hands what a person publishes on to those who subscribe: configurations, the group of pictures so far, then everything as it comes. */
export class Relay {
	readonly #subscribers = new Set<EdgeConnection>();
	#configs = new Map<string, Uint8Array>();
	#group: (Uint8Array | string)[] = [];

	take(connection: EdgeConnection): void {
		if (connection.path.includes("direction=subscribe")) {
			connection.socket.send(flvHeader());
			for (const message of [...this.#configs.values(), ...this.#group]) {
				connection.socket.send(message);
			}
			this.#subscribers.add(connection);
		}
	}

	pass(connection: EdgeConnection): void {
		const message = connection.messages.at(-1);
		if (!connection.path.includes("direction=publish") || message === undefined) {
			return;
		}
		if (typeof message !== "string") {
			if (isFlvHeader(message)) {
				return;
			}
			const kind = tagKind(readSingleTag(message));
			if (kind.endsWith("-config")) {
				this.#configs.set(kind, message);
			} else if (kind === "video-key") {
				this.#group = [message];
			} else {
				this.#group.push(message);
			}
		}
		for (const { socket } of this.#subscribers) {
			socket.send(message);
		}
	}
}
