import { createHash } from "node:crypto";
import { WebSocket } from "ws";
import type { FlvTag } from "../../media/flv/tag.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-reader.ts";
import type { LocalSystem } from "../../scripts/local-system.ts";
import type { StreamName } from "../../worker/protocol/roles.ts";
import { isPicture } from "./measured-part.ts";

/** Hears a stream of the Router's as any subscriber does, and notes when each picture came. */
export class RouterTap implements Disposable {
	readonly #socket: WebSocket;
	/** By the picture's bytes: one that is like the last has the same as others of its kind. */
	readonly #heardAtMs = new Map<string, number[]>();
	#firstAtMs: number | undefined;

	private constructor(socket: WebSocket) {
		this.#socket = socket;
		socket.on("message", (data, isBinary) => {
			const bytes = new Uint8Array(data as Buffer);
			if (isBinary && !isFlvHeader(bytes)) {
				this.#hear(readSingleTag(bytes), performance.now());
			}
		});
	}

	static async open(system: LocalSystem, broadcastId: string, stream: StreamName): Promise<RouterTap> {
		const path = `/api/broadcasts/${broadcastId}/media/${stream}?direction=subscribe`;
		const socket = new WebSocket(`${system.apiUrl.replace(/^http/, "ws")}${path}`, {
			headers: { Authorization: `Bearer ${system.adminToken}` },
			perMessageDeflate: false,
		});
		const tap = new RouterTap(socket);
		await new Promise<void>((resolve, reject) => {
			socket.once("open", () => resolve());
			socket.once("error", reject);
		});
		return tap;
	}

	/** When the first picture of all came. */
	get firstAtMs(): number | undefined {
		return this.#firstAtMs;
	}

	/** When this very picture came: by its bytes, which go through the Router as they are, and of several with the same the one nearest to `aboutMs`. */
	heardAtMs({ body }: Pick<FlvTag, "body">, aboutMs: number): number | undefined {
		return nearest(this.#heardAtMs.get(digestOf(body)) ?? [], aboutMs);
	}

	[Symbol.dispose](): void {
		this.#socket.terminate();
	}

	#hear(tag: FlvTag, nowMs: number): void {
		if (!isPicture(tag)) {
			return;
		}
		this.#firstAtMs ??= nowMs;
		const digest = digestOf(tag.body);
		this.#heardAtMs.set(digest, [...(this.#heardAtMs.get(digest) ?? []), nowMs]);
	}
}

/** Of those times, the one that is nearest to `aboutMs`; `undefined` of none. */
export function nearest(timesMs: readonly number[], aboutMs: number): number | undefined {
	return timesMs.reduce<number | undefined>(
		(best, each) => (best === undefined || Math.abs(each - aboutMs) < Math.abs(best - aboutMs) ? each : best),
		undefined,
	);
}

function digestOf(body: Uint8Array): string {
	return createHash("sha1").update(body).digest("base64");
}
