import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { WebSocket } from "ws";
import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import { RtmpPublisher } from "../../rtmp/publisher.ts";
import { parseRtmpUrl } from "../../rtmp/url.ts";
import { socketTransport } from "../../runner/socket-transport.ts";
import { audioConfig, videoConfig } from "../../test/unit/worker-media/wsflv-fixtures.ts";
import { publisherAckSchema } from "../../worker/protocol/media-socket.ts";
import { burnClock, type ClockedKind, clockedBody, monotonicMs } from "./clocked-body.ts";
import type { Window } from "./delivery.ts";
import { answerCalls } from "./thread-calls.ts";

/** How a publisher reaches what it is to be relayed by. */
export type PublishWay =
	| {
			readonly kind: "websocket";
			readonly url: string;
			readonly token?: string;
			/** It is told how much of what it sent was taken. */
			readonly acknowledged: boolean;
	  }
	| { readonly kind: "rtmp"; readonly url: string; readonly streamKey: string };

export interface PublisherPlan {
	readonly way: PublishWay;
	/** Of one WS-FLV message, framing and all. */
	readonly messageBytes: number;
}

const FRAMING_BYTES = 15;
/** A late joiner begins at a key frame, and so does one that was skipped. */
const KEY_FRAME_EVERY_MS = 500;
/** More than this unsent and it waits, and so does not come up to its pace. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
const LOOK_EVERY_MS = 1;
const IDLE_WITHIN_MS = 20_000;

interface Line {
	readonly unsentBytes: number;
	/** Everything sent has been taken, as far as the other side tells. */
	readonly isIdle: boolean;
	/** Throws once it is broken. */
	send(tag: FlvTag): void;
}

class WebSocketLine implements Line {
	readonly #socket: WebSocket;
	readonly #acknowledged: boolean;
	#messages = 0;
	#taken = 0;
	#closed: string | undefined;

	private constructor(socket: WebSocket, acknowledged: boolean) {
		this.#socket = socket;
		this.#acknowledged = acknowledged;
		socket.on("message", (data, isBinary) => {
			const word: unknown = isBinary ? undefined : JSON.parse(String(data));
			const ack = publisherAckSchema.safeParse(word);
			this.#taken = ack.success ? ack.data.messages : this.#taken;
		});
		socket.on("close", (code, reason) => {
			this.#closed = `closed with ${code} ${String(reason)}`;
		});
		socket.on("error", (error) => {
			this.#closed ??= error.message;
		});
	}

	static async open({ url, token, acknowledged }: PublishWay & { readonly kind: "websocket" }): Promise<WebSocketLine> {
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
		const socket = new WebSocket(url, { headers, perMessageDeflate: false });
		await once(socket, "open");
		const line = new WebSocketLine(socket, acknowledged);
		line.#sendBytes(flvHeader());
		return line;
	}

	get unsentBytes(): number {
		return this.#socket.bufferedAmount;
	}

	get isIdle(): boolean {
		return this.unsentBytes === 0 && (!this.#acknowledged || this.#taken === this.#messages);
	}

	send(tag: FlvTag): void {
		this.#sendBytes(flvTagBytes(tag));
	}

	#sendBytes(bytes: Uint8Array): void {
		if (this.#closed !== undefined) {
			throw new Error(`publisher: expected an open socket, got one that is ${this.#closed}`);
		}
		this.#messages += 1;
		this.#socket.send(bytes);
	}
}

class RtmpLine implements Line {
	readonly #publisher: RtmpPublisher;
	#unsentBytes = 0;
	#failure: unknown;

	private constructor(publisher: RtmpPublisher) {
		this.#publisher = publisher;
	}

	static async open({ url, streamKey }: PublishWay & { readonly kind: "rtmp" }): Promise<RtmpLine> {
		const parsed = parseRtmpUrl(url, streamKey);
		const socket = connect({ host: parsed.host, port: parsed.port, noDelay: true, allowHalfOpen: true });
		await once(socket, "connect");
		return new RtmpLine(await RtmpPublisher.connect(socketTransport(socket), { url: parsed }));
	}

	get unsentBytes(): number {
		return this.#unsentBytes;
	}

	get isIdle(): boolean {
		return this.#unsentBytes === 0;
	}

	send(tag: FlvTag): void {
		if (this.#failure !== undefined) {
			throw this.#failure;
		}
		const bytes = tag.body.byteLength;
		this.#unsentBytes += bytes;
		this.#publisher.sendTag(tag).then(
			() => {
				this.#unsentBytes -= bytes;
			},
			(error: unknown) => {
				this.#failure = error;
			},
		);
	}
}

/** Sends pictures and sound in turn, since times rise by whole milliseconds on each track, each with the time of its sending in it. */
class Publisher {
	readonly #line: Line;
	readonly #bodies: Readonly<Record<ClockedKind, Uint8Array>>;
	readonly #startedAtMs = monotonicMs();
	#keyFrameAtMs = Number.NEGATIVE_INFINITY;
	#number = 0;
	#perSecond = 0;
	#pacedFromMs = 0;
	#sentAtPace = 0;
	#window: Window = { fromMs: 0, untilMs: 0 };
	#sentInWindow = 0;
	#failure: unknown;

	constructor(line: Line, messageBytes: number) {
		const bytes = messageBytes - FRAMING_BYTES;
		this.#line = line;
		this.#bodies = {
			key: clockedBody("key", bytes),
			inter: clockedBody("inter", bytes),
			sound: clockedBody("sound", bytes),
		};
		line.send(videoConfig(0));
		line.send(audioConfig(0));
		setInterval(() => this.#catchUp(), LOOK_EVERY_MS);
	}

	pace(perSecond: number): void {
		this.#mustGoOn();
		this.#perSecond = perSecond;
		this.#pacedFromMs = monotonicMs();
		this.#sentAtPace = 0;
	}

	/** How much was sent in the window, which begins later than now. */
	async measure(window: Window): Promise<number> {
		this.#window = window;
		this.#sentInWindow = 0;
		await sleep(window.untilMs - monotonicMs() + LOOK_EVERY_MS);
		this.#mustGoOn();
		return this.#sentInWindow;
	}

	/** Stops, and waits until what was sent has left. */
	async rest(): Promise<void> {
		this.pace(0);
		const giveUpMs = monotonicMs() + IDLE_WITHIN_MS;
		while (!this.#line.isIdle) {
			this.#mustGoOn();
			if (monotonicMs() > giveUpMs) {
				throw new Error(`publisher: expected all to be taken within ${IDLE_WITHIN_MS} ms, got some left over`);
			}
			await sleep(LOOK_EVERY_MS);
		}
	}

	#catchUp(): void {
		const due = Math.floor(((monotonicMs() - this.#pacedFromMs) * this.#perSecond) / 1_000);
		try {
			while (this.#failure === undefined && this.#sentAtPace < due && this.#line.unsentBytes < MAX_UNSENT_BYTES) {
				this.#sendNext();
			}
		} catch (error) {
			this.#failure = error;
		}
	}

	#sendNext(): void {
		const sentAtMs = monotonicMs();
		const kind = this.#nextKind(sentAtMs);
		const type = kind === "sound" ? TAG_TYPE.audio : TAG_TYPE.video;
		const body = this.#bodies[kind];
		burnClock({ type, body }, { number: this.#number, sentAtMs });
		this.#line.send({ type, timestampMs: Math.floor(sentAtMs - this.#startedAtMs), body });
		this.#number += 1;
		this.#sentAtPace += 1;
		this.#sentInWindow += sentAtMs >= this.#window.fromMs && sentAtMs < this.#window.untilMs ? 1 : 0;
	}

	#nextKind(nowMs: number): ClockedKind {
		if (this.#number % 2 === 1) {
			return "sound";
		}
		if (nowMs - this.#keyFrameAtMs < KEY_FRAME_EVERY_MS) {
			return "inter";
		}
		this.#keyFrameAtMs = nowMs;
		return "key";
	}

	#mustGoOn(): void {
		if (this.#failure !== undefined) {
			throw this.#failure;
		}
	}
}

const { way, messageBytes } = workerData as PublisherPlan;
const line = await (way.kind === "websocket" ? WebSocketLine.open(way) : RtmpLine.open(way));
const publisher = new Publisher(line, messageBytes);

const calls = {
	pace: (perSecond: number) => publisher.pace(perSecond),
	measure: (window: Window) => publisher.measure(window),
	rest: () => publisher.rest(),
};
export type PublisherCalls = typeof calls;
answerCalls<PublisherCalls>(calls);
