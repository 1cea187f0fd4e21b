import type { Clock } from "../../../egress/clock.ts";
import type { Dial } from "../../../egress/destination-line.ts";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import type { PublishRequest } from "../../../rtmp/acceptor.ts";
import type { ByteTransport } from "../../../rtmp/transport.ts";
import type { RtmpUrl } from "../../../rtmp/url.ts";
import { CollectingAcceptor } from "../../support/rtmp/collecting-sink.ts";
import { memoryLine } from "./memory-line.ts";

/** How a destination takes one connection. */
export type Manner =
	| { readonly kind: "accept" }
	/** Answers TCP and says nothing. */
	| { readonly kind: "silent" }
	| { readonly kind: "unreachable" }
	/** Throws from the acceptor's decision. */
	| { readonly kind: "reject"; readonly error: Error }
	/** Takes this many tags and then no more, without closing. */
	| { readonly kind: "stuck-after"; readonly tags: number; readonly go?: Promise<void> };

/** An RTMP server in memory. Each dial is one connection, taken in the manner next in line; the last manner goes on for ever. */
export class FakeDestination {
	readonly sessions: CollectingAcceptor[] = [];
	readonly dialled: RtmpUrl[] = [];
	readonly dialledAtMs: number[] = [];
	readonly #manners: Manner[];
	readonly #clock: Clock;

	constructor(clock: Clock, ...manners: Manner[]) {
		this.#clock = clock;
		this.#manners = manners.length === 0 ? [{ kind: "accept" }] : manners;
	}

	readonly dial: Dial = async (url) => {
		this.dialled.push(url);
		this.dialledAtMs.push(this.#clock.nowMs());
		const manner = this.#manners.length > 1 ? this.#manners.shift() : this.#manners[0];
		if (manner === undefined || manner.kind === "unreachable") {
			throw new Error("connect ECONNREFUSED");
		}
		const [ours, theirs] = memoryLine();
		if (manner.kind !== "silent") {
			this.#accept(theirs, manner);
		}
		return ours;
	};

	/** The session made last. */
	get session(): CollectingAcceptor {
		const last = this.sessions.at(-1);
		if (last === undefined) {
			throw new Error("test: expected a session, got none");
		}
		return last;
	}

	/** What the session made last has been sent, in words. */
	get received(): string[] {
		return this.sessions.length === 0 ? [] : this.session.tags.map(inWords);
	}

	#accept(transport: ByteTransport, manner: Manner): void {
		const session: CollectingAcceptor = new CollectingAcceptor(transport, {
			timers: this.#clock,
			idleTimeoutMs: Number.POSITIVE_INFINITY,
			onPublish: async (request: PublishRequest) => {
				session.requests.push(request);
				if (manner.kind === "reject") {
					throw manner.error;
				}
				const sink = session.sink();
				return {
					onTag: (tag) => {
						sink.onTag(tag);
						const stuck = manner.kind === "stuck-after" && session.tags.length >= manner.tags;
						return stuck ? (manner.go ?? new Promise<void>(() => {})) : undefined;
					},
					onEnd: (reason) => sink.onEnd(reason),
				};
			},
		});
		this.sessions.push(session);
	}
}

export function inWords({ type, timestampMs, body }: FlvTag): string {
	switch (type) {
		case TAG_TYPE.script:
			return "metadata";
		case TAG_TYPE.audio:
			return `${body[1] === 0 ? "audio-config" : "audio"}@${timestampMs}`;
		case TAG_TYPE.video: {
			const name = body[0] === 0x17 ? "key" : "inter";
			return `${body[1] === 0 ? "video-config" : name}@${timestampMs}`;
		}
	}
}
