import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { CLOSE, closeReason } from "../protocol/close-codes.ts";
import { MEDIA_SUBPROTOCOL } from "../protocol/media-socket.ts";
import type { RouterRpc, RouterStats, StreamChange } from "../protocol/object-rpc.ts";
import { STREAM_NAMES, type StreamName } from "../protocol/roles.ts";
import { ChangeReporter } from "./change-reporter.ts";
import { LiveStream } from "./live-stream.ts";
import { parseSocketRequest, type SocketRequest } from "./socket-request.ts";
import { SocketSink } from "./socket-sink.ts";

const TICK_EVERY_MS = 500;
/** While a stream is live an alarm looks this often whether an eviction has cut it off without anyone noticing. */
const ALARM_EVERY_MS = 15_000;
/** Publishers reconnect within this after an eviction; only then is a stream that was live reported lost. */
const RECONNECT_GRACE_MS = 6_000;

/** What survives eviction. Sockets and media do not: clients reconnect. */
interface StoredRouter {
	readonly broadcastId: string;
	/** Why, once the broadcast has ended. */
	readonly ended?: string;
	/** Highest fence that has published each stream: a compositor with a lower one has been replaced. */
	readonly fences: Partial<Record<StreamName, number>>;
	/** Streams last reported live. */
	readonly live: readonly StreamName[];
}

/** Durable Object: the media plane of one broadcast. Streams and sockets are joined here; all decisions are in {@link LiveStream}. */
export class Router extends DurableObject<Env> implements RouterRpc {
	readonly #streams = new Map<StreamName, LiveStream>();
	readonly #reporter: ChangeReporter<StreamChange>;
	readonly #wokeMs = Date.now();
	#stored: StoredRouter | undefined;
	#ticker: ReturnType<typeof setInterval> | undefined;
	#subscriberCount = 0;

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.#reporter = new ChangeReporter(
			(change) => this.#tellBroadcast(change),
			(delayMs, action) => setTimeout(action, delayMs),
		);
		state.blockConcurrencyWhile(async () => {
			this.#stored = await state.storage.get<StoredRouter>("router");
		});
	}

	async open(config: { readonly broadcastId: string }): Promise<void> {
		if (this.#stored === undefined) {
			await this.#store({ broadcastId: config.broadcastId, fences: {}, live: [] });
		}
	}

	async end(reason: string): Promise<void> {
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			return;
		}
		const stored = this.#store({ ...this.#stored, ended: reason, live: [] });
		for (const stream of this.#streams.values()) {
			stream.end(reason);
		}
		this.#streams.clear();
		this.#stopTicking();
		await stored;
		await this.ctx.storage.deleteAlarm();
	}

	async stats(): Promise<RouterStats> {
		const nowMs = Date.now();
		return { streams: [...this.#streams.values()].map((stream) => stream.stats(nowMs)) };
	}

	override async fetch(request: Request): Promise<Response> {
		if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
			return new Response("router: expected a WebSocket upgrade", { status: 426 });
		}
		const asked = parseSocketRequest(new URL(request.url));
		if (asked === undefined) {
			return new Response("router: expected /publish or /subscribe with a stream that exists", { status: 404 });
		}
		if (asked.direction === "subscribe" && !this.#stream(asked.stream).hasRoomFor({ acknowledges: asked.ack })) {
			return new Response("router: this stream has as many subscribers as it can take", { status: 503 });
		}
		const pair = new WebSocketPair();
		pair[1].binaryType = "arraybuffer";
		pair[1].accept();
		this.#join(pair[1], asked);
		const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(/,\s*/) ?? [];
		const headers = offered.includes(MEDIA_SUBPROTOCOL) ? { "Sec-WebSocket-Protocol": MEDIA_SUBPROTOCOL } : {};
		return new Response(null, { status: 101, webSocket: pair[0], headers });
	}

	/** Reports streams that an eviction cut off and whose publishers have not come back. */
	override async alarm(): Promise<void> {
		const stored = this.#stored;
		if (stored === undefined || stored.ended !== undefined) {
			return;
		}
		const awakeMs = Date.now() - this.#wokeMs;
		if (awakeMs < RECONNECT_GRACE_MS) {
			await this.ctx.storage.setAlarm(Date.now() + RECONNECT_GRACE_MS - awakeMs);
			return;
		}
		for (const stream of stored.live) {
			if (this.#streams.get(stream)?.state !== "live") {
				this.#changed({ stream, state: "idle" });
			}
		}
		await this.#scheduleAlarm();
	}

	#join(socket: WebSocket, asked: SocketRequest): void {
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			const reason = this.#stored?.ended ?? "this broadcast is not open";
			socket.close(CLOSE.ended.code, closeReason(reason));
			return;
		}
		if (asked.direction === "publish") {
			this.#joinPublisher(socket, asked.stream, asked.fence, this.#stored);
		} else {
			this.#joinSubscriber(socket, asked.stream, asked.ack, asked.group);
		}
		this.#ticker ??= setInterval(() => this.#tick(), TICK_EVERY_MS);
	}

	#joinPublisher(socket: WebSocket, name: StreamName, fence: number, stored: StoredRouter): void {
		const highest = stored.fences[name] ?? 0;
		if (fence < highest) {
			socket.close(CLOSE.takenOver.code, closeReason(`publisher: expected fence ${highest} or higher, got ${fence}`));
			return;
		}
		if (fence > highest) {
			this.#storeInBackground({ ...stored, fences: { ...stored.fences, [name]: fence } });
		}
		const stream = this.#stream(name);
		const publisher = stream.publish(new SocketSink(socket), Date.now());
		socket.addEventListener("message", (event) => {
			stream.publisherMessage(publisher, event.data, Date.now());
		});
		onGone(socket, () => stream.publisherGone(publisher, Date.now()));
	}

	#joinSubscriber(socket: WebSocket, name: StreamName, acknowledges: boolean, withGroup: boolean): void {
		const stream = this.#stream(name);
		const id = `subscriber-${++this.#subscriberCount}`;
		const subscriber = stream.subscribe(new SocketSink(socket), { id, acknowledges, withGroup }, Date.now());
		socket.addEventListener("message", (event) => {
			stream.subscriberMessage(subscriber, event.data, Date.now());
		});
		onGone(socket, () => stream.subscriberGone(subscriber));
	}

	#stream(name: StreamName): LiveStream {
		let stream = this.#streams.get(name);
		if (stream === undefined) {
			stream = new LiveStream({
				stream: name,
				needsVideo: name === "host" || name === "guest",
				onChange: (change) => this.#changed(change),
			});
			this.#streams.set(name, stream);
		}
		return stream;
	}

	#tick(): void {
		const nowMs = Date.now();
		for (const stream of this.#streams.values()) {
			stream.tick(nowMs);
		}
		if (![...this.#streams.values()].some((stream) => stream.needsTicks)) {
			this.#stopTicking();
		}
	}

	#stopTicking(): void {
		if (this.#ticker !== undefined) {
			clearInterval(this.#ticker);
			this.#ticker = undefined;
		}
	}

	#changed(change: StreamChange): void {
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			return;
		}
		const live = STREAM_NAMES.filter((name) =>
			name === change.stream ? change.state === "live" : this.#stored?.live.includes(name),
		);
		this.#storeInBackground({ ...this.#stored, live });
		this.#reporter.report(change.stream, change);
		this.ctx.waitUntil(this.#scheduleAlarm());
	}

	async #scheduleAlarm(): Promise<void> {
		if (this.#stored !== undefined && this.#stored.live.length > 0) {
			await this.ctx.storage.setAlarm(Date.now() + ALARM_EVERY_MS);
		}
	}

	async #tellBroadcast(change: StreamChange): Promise<void> {
		const { BROADCAST } = this.env;
		if (this.#stored !== undefined && this.#stored.ended === undefined) {
			await BROADCAST.get(BROADCAST.idFromName(this.#stored.broadcastId)).streamChanged(change);
		}
	}

	async #store(stored: StoredRouter): Promise<void> {
		this.#stored = stored;
		await this.ctx.storage.put("router", stored);
	}

	/** Without the output gate: media must not wait for a disk. Losing such a write costs a late report or an old compositor's frames. */
	#storeInBackground(stored: StoredRouter): void {
		this.#stored = stored;
		this.ctx.storage.put("router", stored, { allowUnconfirmed: true }).catch((error: unknown) => {
			console.error("router: could not keep its state:", String(error));
		});
	}
}

function onGone(socket: WebSocket, gone: () => void): void {
	socket.addEventListener("close", () => {
		gone();
		try {
			socket.close();
		} catch {
			// The runtime answers a close frame by itself on newer compatibility dates.
		}
	});
	socket.addEventListener("error", gone);
}
