import { DurableObject } from "cloudflare:workers";
import { MS_PER_SECOND } from "../../media/units.ts";
import type { Env } from "../env.ts";
import { createLog } from "../log.ts";
import { CLOSE, closeReason } from "../protocol/close-codes.ts";
import { type CompositeLegs, MEDIA_SUBPROTOCOL } from "../protocol/media-socket.ts";
import type { ProgramPlan, ProgramSource, RouterRpc, RouterStats, StreamChange } from "../protocol/object-rpc.ts";
import {
	MAIN_COMPOSITE_STREAM,
	MAIN_PROGRAM_STREAM,
	PUBLISHED_STREAM_NAMES,
	type PublishedStreamName,
	type StreamName,
	type TokenClaim,
} from "../protocol/roles.ts";
import { ChangeReporter } from "./change-reporter.ts";
import type { Fanout } from "./fanout.ts";
import { LegSleep } from "./leg-sleep.ts";
import { LiveStream } from "./live-stream.ts";
import { passthroughRefusal } from "./passthrough.ts";
import { ProgramStream } from "./program-stream.ts";
import { type BroadcastReport, reportKey, tellBroadcast } from "./report.ts";
import {
	type PublishRequest,
	parseSocketRequest,
	type SocketRequest,
	type SubscribeRequest,
} from "./socket-request.ts";
import { onGone, SocketSink } from "./socket-sink.ts";
import type { SourceId } from "./splicer/choose-source.ts";
import type { StoredRouter } from "./stored-router.ts";
import type { StreamTag } from "./stream-tag.ts";

/** Often enough to hold twice a second and to see within a tenth of that that a source has stopped. */
const TICK_EVERY_MS = 50;
/** While a stream or the program is live an alarm looks this often whether an eviction has cut it off without anyone noticing. */
const ALARM_EVERY_MS = 15_000;
/** Publishers reconnect within this after an eviction; only then is a stream that was live reported lost. */
const RECONNECT_GRACE_MS = 6_000;
/** Larger key frames are not kept for a hold that outlives the object: a stored value has room for 2 MiB. */
const MAX_STORED_PICTURE_BYTES = 1_500_000;
/** A destination that unsubscribes because it was stopped is not to be woken before it could say so. */
const WAKE_EGRESS_AFTER_MS = 250;

/** What the program can be made of. */
const SOURCE_OF: Readonly<Partial<Record<PublishedStreamName, SourceId>>> = {
	host: "host",
	[MAIN_COMPOSITE_STREAM]: "composite",
};

/** Durable Object: the media plane of one broadcast. Streams and sockets are joined here; all decisions are in {@link LiveStream}. */
export class Router extends DurableObject<Env> implements RouterRpc {
	readonly #streams: Readonly<Record<PublishedStreamName, LiveStream>>;
	readonly #program: ProgramStream;
	readonly #toBroadcast: ChangeReporter<BroadcastReport>;
	readonly #toEgress: ChangeReporter<string>;
	readonly #wokeMs = Date.now();
	#stored: StoredRouter | undefined;
	readonly #sleep = new LegSleep();
	#ticker: ReturnType<typeof setInterval> | undefined;
	#subscriberCount = 0;
	#saidHoldExpired = false;
	/** Those of people who may be cut off, and by what they came in. */
	readonly #subscribers = new Map<WebSocket, TokenClaim>();
	/** By which credentials the present publisher of each stream came; 0 where it has none. */
	readonly #publishedBy = new Map<PublishedStreamName, number>();

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		const after = (delayMs: number, action: () => void) => void setTimeout(action, delayMs);
		this.#toBroadcast = new ChangeReporter((report) => this.#tellBroadcast(report), after);
		this.#toEgress = new ChangeReporter((destinationId) => this.#wakeEgress(destinationId), after);
		this.#streams = {
			host: this.#liveStream("host", (tag, nowMs) => this.#program.push("host", tag, nowMs)),
			guest: this.#liveStream("guest"),
			"guest-2": this.#liveStream("guest-2"),
			"guest-3": this.#liveStream("guest-3"),
			"guest-4": this.#liveStream("guest-4"),
			[MAIN_COMPOSITE_STREAM]: this.#liveStream(
				MAIN_COMPOSITE_STREAM,
				(tag, nowMs) => this.#program.push("composite", tag, nowMs),
				({ realTime }, nowMs) => {
					this.#sleep.legs(realTime, nowMs);
					this.#lookAtSleep(nowMs);
				},
			),
		};
		this.#program = new ProgramStream({
			onSource: (source) => this.#sourceChanged(source),
			onHold: (keyFrame) => this.#keepPicture(keyFrame),
			onKeyFrameRequest: (request) => this.#streams[MAIN_COMPOSITE_STREAM].tellPublisher(JSON.stringify(request)),
		});
		state.blockConcurrencyWhile(async () => {
			this.#stored = await state.storage.get<StoredRouter>("router");
			if (this.#stored?.plan?.onAir && this.#stored.ended === undefined) {
				await this.#resume(this.#stored.plan);
			}
		});
	}

	async open(config: { readonly broadcastId: string }): Promise<void> {
		if (this.#stored === undefined) {
			await this.#store({ broadcastId: config.broadcastId, fence: 0, live: [] });
		}
	}

	async plan(plan: ProgramPlan): Promise<void> {
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			return;
		}
		const stored = this.#store({ ...this.#stored, plan });
		this.#apply(plan);
		await stored;
		await this.#scheduleAlarm();
	}

	async end(reason: string): Promise<void> {
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			return;
		}
		const stored = this.#store({ ...this.#stored, ended: reason, live: [] });
		for (const stream of Object.values(this.#streams)) {
			stream.end(reason);
		}
		this.#program.end(reason);
		this.#stopTicking();
		await stored;
		await this.ctx.storage.delete("picture");
		await this.ctx.storage.deleteAlarm();
	}

	async stats(): Promise<RouterStats> {
		const nowMs = Date.now();
		const streams = Object.values(this.#streams).filter((stream) => stream.wasUsed);
		const program = this.#program.programStats(nowMs);
		const isProgramUsed = program.source !== "none" || this.#program.fanout.hasSubscribers;
		return {
			streams: [
				...streams.map((stream) => stream.stats(nowMs)),
				...(isProgramUsed ? [this.#program.stats(nowMs)] : []),
			],
			program,
		};
	}

	async disconnect(people: readonly TokenClaim[], reason: string): Promise<void> {
		if (this.#stored === undefined) {
			return;
		}
		const now = Object.fromEntries(people.map(({ person, credentialsVersion }) => [person, credentialsVersion]));
		const stored = this.#store({ ...this.#stored, credentials: { ...this.#stored.credentials, ...now } });
		for (const { person, credentialsVersion } of people) {
			if (person !== "viewer" && (this.#publishedBy.get(person) ?? 0) < credentialsVersion) {
				this.#streams[person].closePublisher("unauthorized", reason, Date.now());
			}
		}
		for (const [socket, { person, credentialsVersion }] of this.#subscribers) {
			if (people.some((each) => each.person === person && credentialsVersion < each.credentialsVersion)) {
				socket.close(CLOSE.unauthorized.code, closeReason(reason));
			}
		}
		await stored;
	}

	override async fetch(request: Request): Promise<Response> {
		if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
			return new Response("router: expected a WebSocket upgrade", { status: 426 });
		}
		const asked = parseSocketRequest(new URL(request.url));
		if (asked === undefined) {
			return new Response("router: expected /publish or /subscribe with a stream that exists", { status: 404 });
		}
		if (asked.direction === "subscribe" && !this.#fanout(asked.stream).hasRoomFor({ acknowledges: asked.ack })) {
			return new Response("router: this stream has as many subscribers as it can take", { status: 503 });
		}
		const pair = new WebSocketPair();
		pair[1].binaryType = "arraybuffer";
		pair[1].accept();
		if (this.#stored === undefined || this.#stored.ended !== undefined) {
			const reason = this.#stored?.ended ?? "this broadcast is not open";
			pair[1].close(CLOSE.ended.code, closeReason(reason));
		} else if (isOutdated(asked, this.#stored.credentials)) {
			// It was good when the Worker looked, and was made worthless on its way here.
			pair[1].close(CLOSE.unauthorized.code, "auth: what it came with was made worthless");
		} else if (asked.direction === "publish") {
			this.#joinPublisher(pair[1], asked, this.#stored);
		} else {
			this.#joinSubscriber(pair[1], asked);
		}
		const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(/,\s*/) ?? [];
		const headers = offered.includes(MEDIA_SUBPROTOCOL) ? { "Sec-WebSocket-Protocol": MEDIA_SUBPROTOCOL } : {};
		return new Response(null, { status: 101, webSocket: pair[0], headers });
	}

	/** Reports streams that an eviction cut off and whose publishers have not come back, and a hold that has lasted too long. */
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
		for (const name of PUBLISHED_STREAM_NAMES) {
			if (stored.live.includes(name) && this.#streams[name].state !== "live") {
				this.#changed({ stream: name, state: "idle" });
			}
		}
		this.#checkHold(Date.now());
		await this.#scheduleAlarm();
	}

	/** Takes up what an earlier life of the object was doing: its program goes on with the picture it held, if it held one. */
	async #resume(plan: ProgramPlan): Promise<void> {
		this.#apply(plan, true);
		const keyFrame = await this.ctx.storage.get<StreamTag>("picture");
		if (keyFrame !== undefined) {
			this.#program.restore(keyFrame, Date.now());
		}
		this.#toBroadcast.report("restarted", { kind: "restarted" });
		await this.#scheduleAlarm();
	}

	#apply(plan: ProgramPlan, resumes = false): void {
		const nowMs = Date.now();
		const composite = this.#streams[MAIN_COMPOSITE_STREAM];
		if ((this.#stored?.fence ?? 0) < plan.minFence && composite.hasPublisher) {
			composite.closePublisher("takenOver", `compositor: expected fence ${plan.minFence} or higher`, nowMs);
			this.#program.gone("composite", nowMs);
		}
		this.#program.plan(plan, nowMs, resumes);
		this.#program.setHostFit(this.#hostUnfit === undefined);
		this.#lookAtSleep(nowMs);
		const { host } = this.#streams;
		if (host.state === "live") {
			this.#changed(this.#described({ stream: "host", state: "live", ...host.facts.size }));
		}
		this.#startTicking();
	}

	#joinPublisher(
		socket: WebSocket,
		{ stream: name, fence, session, sleeps, ack, ver = 0 }: PublishRequest,
		stored: StoredRouter,
	): void {
		const isComposite = name === MAIN_COMPOSITE_STREAM;
		const lowest = isComposite ? Math.max(stored.fence, stored.plan?.minFence ?? 0) : 0;
		if (fence < lowest) {
			socket.close(CLOSE.takenOver.code, closeReason(`publisher: expected fence ${lowest} or higher, got ${fence}`));
			return;
		}
		if (isComposite && fence > stored.fence) {
			this.#storeInBackground({ ...stored, fence });
		}
		this.#publishedBy.set(name, ver);
		const stream = this.#streams[name];
		const publisher = stream.publish(new SocketSink(socket), Date.now(), { session, sleeps, acknowledged: ack });
		if (isComposite) {
			this.#sleep.forget();
			this.#lookAtSleep(Date.now());
		} else if (name === "host") {
			this.#sleep.publisherCame();
		}
		socket.addEventListener("message", (event) => {
			stream.publisherMessage(publisher, event.data, Date.now());
		});
		onGone(socket, () => {
			const nowMs = Date.now();
			stream.publisherGone(publisher, nowMs);
			const source = SOURCE_OF[name];
			if (source !== undefined && !stream.hasPublisher) {
				this.#program.gone(source, nowMs);
				this.#lookAtSleep(nowMs);
			}
		});
		this.#startTicking();
	}

	/** Has the host's stream sleep while it is not needed, and wake before it is missed. */
	#lookAtSleep(nowMs: number): void {
		const { source, sinceMs } = this.#program.programStats(nowMs);
		const compositeSilentMs = this.#streams[MAIN_COMPOSITE_STREAM].silentMs(nowMs);
		const situation = { plan: this.#stored?.plan, source, sourceForMs: sinceMs, compositeSilentMs };
		const change = this.#sleep.look(situation, nowMs);
		if (change !== undefined && !this.#streams.host.setAsleep(change === "sleep", nowMs)) {
			// Nobody there who could.
			this.#sleep.publisherCame();
		}
	}

	#joinSubscriber(socket: WebSocket, { stream: name, ack, group, egress, as, ver = 0 }: SubscribeRequest): void {
		if (as !== undefined) {
			this.#subscribers.set(socket, { person: as, credentialsVersion: ver });
		}
		const fanout = this.#fanout(name);
		const id = egress === undefined ? `subscriber-${++this.#subscriberCount}` : `egress-${egress}`;
		const options = { id, acknowledges: ack, withGroup: group };
		const subscriber = fanout.subscribe(new SocketSink(socket), options, Date.now());
		socket.addEventListener("message", (event) => {
			fanout.subscriberMessage(subscriber, event.data, Date.now());
		});
		onGone(socket, () => {
			fanout.subscriberGone(subscriber);
			this.#subscribers.delete(socket);
			if (egress !== undefined) {
				setTimeout(() => this.#toEgress.report(egress, egress), WAKE_EGRESS_AFTER_MS);
			}
		});
		this.#startTicking();
	}

	#liveStream(
		stream: PublishedStreamName,
		onTag?: (tag: StreamTag, nowMs: number) => void,
		onLegs?: (legs: CompositeLegs, nowMs: number) => void,
	): LiveStream {
		return new LiveStream({
			stream,
			onChange: (change) => this.#streamChanged(change),
			...(onTag !== undefined && { onTag }),
			...(onLegs !== undefined && { onLegs }),
		});
	}

	#fanout(name: StreamName): Fanout {
		return name === MAIN_PROGRAM_STREAM ? this.#program.fanout : this.#streams[name].fanout;
	}

	#tick(): void {
		const nowMs = Date.now();
		const streams = Object.values(this.#streams);
		for (const stream of streams) {
			stream.tick(nowMs);
		}
		this.#program.tick(nowMs);
		this.#lookAtSleep(nowMs);
		this.#checkHold(nowMs);
		if (!this.#program.needsTicks && !streams.some((stream) => stream.needsTicks)) {
			this.#stopTicking();
		}
	}

	#startTicking(): void {
		this.#ticker ??= setInterval(() => this.#tick(), TICK_EVERY_MS);
	}

	#stopTicking(): void {
		clearInterval(this.#ticker ?? null);
		this.#ticker = undefined;
	}

	/** Word of a stream, which may change what the program can be made of. */
	#streamChanged(change: StreamChange): void {
		if (change.stream === "host" && change.state === "live") {
			this.#program.setHostFit(this.#hostUnfit === undefined);
		}
		if (change.state === "idle" && change.stream === MAIN_COMPOSITE_STREAM) {
			this.#program.gone("composite", Date.now());
		}
		this.#changed(this.#described(change));
	}

	/** Why the host cannot be passed through; `undefined` where they can, or where there is no plan to judge them by. */
	get #hostUnfit(): string | undefined {
		const plan = this.#stored?.plan;
		return plan && passthroughRefusal(this.#streams.host.facts, plan);
	}

	#described(change: StreamChange): StreamChange {
		const isHost = change.stream === "host" && change.state === "live";
		const unfit = isHost ? this.#hostUnfit : undefined;
		const isComposite = change.stream === MAIN_COMPOSITE_STREAM;
		return {
			...change,
			...(unfit !== undefined && { unfit }),
			...(isComposite && { fence: this.#stored?.fence ?? 0 }),
		};
	}

	#changed(change: StreamChange): void {
		const stored = this.#stored;
		if (stored === undefined || stored.ended !== undefined) {
			return;
		}
		const others = stored.live.filter((name) => name !== change.stream);
		const live = change.state === "live" ? [...others, change.stream] : others;
		if (live.length !== stored.live.length) {
			this.#storeInBackground({ ...stored, live });
		}
		this.#report({ kind: "stream", change });
		this.ctx.waitUntil(this.#scheduleAlarm());
	}

	#sourceChanged(source: ProgramSource): void {
		const stored = this.#stored;
		if (stored === undefined || stored.ended !== undefined) {
			return;
		}
		const { sourceLostAtMs, ...rest } = stored;
		if (source === "hold") {
			this.#storeInBackground({ ...rest, sourceLostAtMs: sourceLostAtMs ?? Date.now() });
		} else if (sourceLostAtMs !== undefined) {
			this.#storeInBackground(rest);
			this.ctx.storage.delete("picture", { allowUnconfirmed: true }).catch(warnOfStorage);
		}
		if (!stored.live.includes(MAIN_PROGRAM_STREAM) && source !== "none") {
			this.#changed({ stream: MAIN_PROGRAM_STREAM, state: "live" });
		}
		this.#report({ kind: "program", change: { source } });
	}

	#keepPicture(keyFrame: StreamTag): void {
		if (keyFrame.message.byteLength <= MAX_STORED_PICTURE_BYTES) {
			this.ctx.storage.put("picture", keyFrame, { allowUnconfirmed: true }).catch(warnOfStorage);
		}
	}

	/** The hold, or the time without a program since the object was lost, has an end. */
	#checkHold(nowMs: number): void {
		const { plan, sourceLostAtMs, live = [] } = this.#stored ?? {};
		if (plan?.onAir !== true || !live.includes(MAIN_PROGRAM_STREAM)) {
			return;
		}
		const lostMs = sourceLostAtMs === undefined ? this.#program.withoutSourceMs(nowMs) : nowMs - sourceLostAtMs;
		const expired = lostMs > plan.holdSeconds * MS_PER_SECOND;
		if (expired && !this.#saidHoldExpired) {
			this.#report({ kind: "hold-expired" });
		}
		this.#saidHoldExpired = expired;
	}

	#report(report: BroadcastReport): void {
		this.#toBroadcast.report(reportKey(report), report);
	}

	async #scheduleAlarm(): Promise<void> {
		const { ended, live = [], plan } = this.#stored ?? {};
		if (ended === undefined && (live.length > 0 || plan?.onAir)) {
			await this.ctx.storage.setAlarm(Date.now() + ALARM_EVERY_MS);
		}
	}

	async #tellBroadcast(report: BroadcastReport): Promise<void> {
		const { BROADCAST } = this.env;
		if (this.#stored !== undefined && this.#stored.ended === undefined) {
			await tellBroadcast(BROADCAST.get(BROADCAST.idFromName(this.#stored.broadcastId)), report);
		}
	}

	/** Only a call wakes an object that was lost, and nobody else knows that it was. */
	async #wakeEgress(destinationId: string): Promise<void> {
		const { EGRESS } = this.env;
		if (this.#stored?.plan?.onAir && this.#stored.ended === undefined) {
			await EGRESS.get(EGRESS.idFromName(`${this.#stored.broadcastId}/${destinationId}`)).resume();
		}
	}

	async #store(stored: StoredRouter): Promise<void> {
		this.#stored = stored;
		await this.ctx.storage.put("router", stored);
	}

	/** Without the output gate: media must not wait for a disk. Losing such a write costs a late report or an old compositor's frames. */
	#storeInBackground(stored: StoredRouter): void {
		this.#stored = stored;
		this.ctx.storage.put("router", stored, { allowUnconfirmed: true }).catch(warnOfStorage);
	}
}

const log = createLog("router");

/** Whether what it came with has been made worthless. */
function isOutdated(asked: SocketRequest, credentials: StoredRouter["credentials"]): boolean {
	const person = asked.direction === "publish" ? asked.stream : asked.as;
	const now = person === undefined || person === MAIN_COMPOSITE_STREAM ? undefined : credentials?.[person];
	return asked.ver !== undefined && asked.ver < (now ?? 0);
}

function warnOfStorage(error: unknown): void {
	log.error("could not keep its state", { error });
}
