import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { AckPacer } from "../../egress/ack-pacer.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-reader.ts";
import { RtmpAcceptor } from "../../rtmp/acceptor.ts";
import { socketTransport } from "../../runner/socket-transport.ts";
import { ACK_EVERY_MS, type MediaAck } from "../../worker/protocol/media-socket.ts";
import { monotonicMs, readClock } from "./clocked-body.ts";
import type { Heard, Window } from "./delivery.ts";
import { STUCK_KEY_PREFIX, type Subscription } from "./subscription.ts";
import { answerCalls } from "./thread-calls.ts";

/** What was sent in the window and has not come so long after it is lost. */
const GRACE_MS = 500;

/** Notes when what was sent in the window came. */
class HeardLog {
	readonly id: string;
	#window: Window = { fromMs: 0, untilMs: 0 };
	#delaysMs: number[] = [];
	#bytes = 0;
	lastMs = Number.NEGATIVE_INFINITY;

	constructor(id: string) {
		this.id = id;
	}

	begin(window: Window): void {
		this.#window = window;
		this.#delaysMs = [];
		this.#bytes = 0;
	}

	take(tag: FlvTag, bytes: number): void {
		const nowMs = monotonicMs();
		const { sentAtMs } = readClock(tag) ?? {};
		if (sentAtMs === undefined) {
			return;
		}
		this.lastMs = nowMs;
		if (sentAtMs >= this.#window.fromMs && sentAtMs < this.#window.untilMs) {
			this.#delaysMs.push(nowMs - sentAtMs);
			this.#bytes += bytes;
		}
	}

	get heard(): Heard {
		return { id: this.id, delaysMs: Float64Array.from(this.#delaysMs), bytes: this.#bytes };
	}
}

const logs = new Map<string, HeardLog>();
const failures: string[] = [];

function logOf(id: string): HeardLog {
	const log = logs.get(id) ?? new HeardLog(id);
	logs.set(id, log);
	return log;
}

async function subscribe({ id, url, token, acknowledges, stuck }: Subscription): Promise<void> {
	const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
	const socket = new WebSocket(url, { headers, perMessageDeflate: false });
	if (!stuck) {
		listen(socket, logOf(id), acknowledges);
	}
	await once(socket, "open");
	socket.on("error", (error) => failures.push(`${id}: ${error.message}`));
	if (stuck) {
		socket.pause();
	} else {
		socket.on("close", (code, reason) => failures.push(`${id}: closed with ${code} ${String(reason)}`));
	}
}

function listen(socket: WebSocket, log: HeardLog, acknowledges: boolean): void {
	const pacer = new AckPacer();
	const acknowledge = (ack: MediaAck | undefined) => {
		if (acknowledges && ack !== undefined && socket.readyState === WebSocket.OPEN) {
			socket.send(JSON.stringify(ack));
		}
	};
	socket.on("message", (data: Buffer, isBinary) => {
		if (isBinary && !isFlvHeader(data)) {
			log.take(readSingleTag(data), data.byteLength);
			acknowledge(pacer.took(performance.now()));
		}
	});
	setInterval(() => acknowledge(pacer.due(performance.now())), ACK_EVERY_MS);
}

const server = createServer({ noDelay: true }, (socket: Socket) => {
	const acceptor = new RtmpAcceptor(socketTransport(socket), {
		onPublish: async ({ streamKey }) => {
			const stuck = streamKey.startsWith(STUCK_KEY_PREFIX);
			const log = stuck ? undefined : logOf(streamKey);
			return {
				onTag: (tag) => (log === undefined ? new Promise<never>(() => {}) : log.take(tag, tag.body.byteLength)),
				onEnd: (reason) => {
					if (!stuck) {
						failures.push(`${streamKey}: ${reason}`);
					}
				},
			};
		},
	});
	void acceptor.run();
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const calls = {
	rtmpPort: () => {
		const address = server.address();
		if (address === null || typeof address === "string") {
			throw new Error(`listeners: expected a port, got ${address}`);
		}
		return address.port;
	},
	subscribe,
	/** Those who have heard anything. */
	hearing: () => [...logs.values()].filter(({ lastMs }) => lastMs > 0).map(({ id }) => id),
	/** How long nobody has heard anything. */
	silentMs: () => monotonicMs() - Math.max(...[...logs.values()].map(({ lastMs }) => lastMs)),
	/** What each heard of what is sent in the window, which begins later than now. */
	measure: async (window: Window) => {
		for (const log of logs.values()) {
			log.begin(window);
		}
		await sleep(window.untilMs - monotonicMs() + GRACE_MS);
		if (failures.length > 0) {
			throw new Error(`listeners: expected to listen on, got ${failures.join("; ")}`);
		}
		return [...logs.values()].map((log) => log.heard);
	},
};
export type ListenerCalls = typeof calls;
answerCalls<ListenerCalls>(calls);
