import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../egress/clock.ts";
import { type EgressCarryOver, EgressSession } from "../../egress/egress-session.ts";
import { isActive } from "../../egress/egress-state.ts";
import { RouterSubscription } from "../../egress/router-subscription.ts";
import type { Env } from "../env.ts";
import type { EgressConfig, EgressRpc, EgressStatus } from "../protocol/object-rpc.ts";
import { ChangeReporter } from "../router/change-reporter.ts";
import { socketDial } from "./socket-dial.ts";

/** An object that was lost and that nobody calls is woken, and goes on publishing, at most this much later. */
const ALARM_EVERY_MS = 10_000;

/** What survives eviction. */
interface StoredEgress {
	readonly config: EgressConfig;
	readonly status: EgressStatus;
	/** The destination has held a session, and so knows the key. */
	readonly held: boolean;
	/** Time at the destination at `savedAtMs`; absent when nothing was ever sent. */
	readonly timeMs?: number;
	readonly savedAtMs: number;
}

interface Running {
	readonly session: EgressSession;
	readonly subscription: RouterSubscription;
}

const NEVER_STARTED: EgressStatus = {
	state: "stopped",
	bytes: 0,
	reconnects: 0,
	droppedTags: 0,
	queueMs: 0,
	attempts: 0,
};

/** Durable Object: publishes one program to one destination. All decisions are in {@link EgressSession}. */
export class Egress extends DurableObject<Env> implements EgressRpc {
	readonly #reporter: ChangeReporter<EgressStatus>;
	#stored: StoredEgress | undefined;
	#running: Running | undefined;
	/** The last start or stop asked for: they are done one after another. */
	#turn: Promise<void> = Promise.resolve();

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.#reporter = new ChangeReporter(
			(status) => this.#tellBroadcast(status),
			(delayMs, action) => setTimeout(action, delayMs),
		);
		state.blockConcurrencyWhile(async () => {
			this.#stored = await state.storage.get<StoredEgress>("egress");
			if (this.#stored !== undefined && isActive(this.#stored.status.state)) {
				this.#run(this.#stored.config, carryOver(this.#stored, Date.now()));
			}
		});
	}

	start(config: EgressConfig): Promise<void> {
		return this.#inTurn(async () => {
			const active = this.#running !== undefined && isActive(this.#status().state);
			if (active && this.#stored !== undefined && sameConfig(this.#stored.config, config)) {
				return;
			}
			await this.#end();
			this.#stored = { config, status: NEVER_STARTED, held: false, savedAtMs: Date.now() };
			this.#run(config);
			await this.#keep();
		});
	}

	/** What was lost goes on in the constructor, which any call runs; this one also sees to it that an alarm is set. */
	async resume(): Promise<void> {
		await this.#keep();
	}

	stop(_reason: string): Promise<void> {
		return this.#inTurn(async () => {
			await this.#end();
			await this.ctx.storage.deleteAlarm();
		});
	}

	async status(): Promise<EgressStatus> {
		return this.#status();
	}

	/** Keeps what an eviction would lose. The object that an alarm wakes has resumed before this is called. */
	override async alarm(): Promise<void> {
		await this.#keep();
	}

	async #keep(): Promise<void> {
		if (isActive(this.#status().state)) {
			await this.#save();
			await this.ctx.storage.setAlarm(Date.now() + ALARM_EVERY_MS);
		}
	}

	#status(): EgressStatus {
		return this.#running?.session.status() ?? this.#stored?.status ?? NEVER_STARTED;
	}

	#run(config: EgressConfig, carriedOver?: EgressCarryOver): void {
		const session = new EgressSession(config, {
			dial: socketDial({ allowPrivate: this.env.ALLOW_PRIVATE_DESTINATIONS === "1" }),
			clock: systemClock,
			random: Math.random,
			onChange: (status) => this.#changed(session, status),
			...(carriedOver !== undefined && { carryOver: carriedOver }),
		});
		const subscription = new RouterSubscription({
			open: () => this.#subscribe(config),
			clock: systemClock,
			random: Math.random,
			isOnAir: () => session.status().state === "live",
			onMessage: (message) => session.push(message),
			onOpen: () => session.resubscribed(),
			onEnded: (reason) => this.ctx.waitUntil(this.stop(reason)),
		});
		this.#running = { session, subscription };
		session.start();
	}

	/** Ends publishing and keeps the last figures. */
	async #end(): Promise<void> {
		if (this.#stored === undefined) {
			return;
		}
		this.#running?.subscription.close();
		await this.#running?.session.stop();
		this.#stored = { ...this.#stored, status: { ...this.#status(), state: "stopped" } };
		this.#running = undefined;
		await this.ctx.storage.put("egress", this.#stored);
	}

	#inTurn(work: () => Promise<void>): Promise<void> {
		const turn = this.#turn.then(work);
		this.#turn = turn.catch(() => {
			// Whoever asked has been told; the next in turn starts afresh.
		});
		return turn;
	}

	#changed(session: EgressSession, status: EgressStatus): void {
		if (this.#running !== undefined && this.#running.session !== session) {
			return;
		}
		this.#reporter.report("status", status);
		if (status.state === "refused") {
			this.#running?.subscription.close();
		}
		this.ctx.waitUntil(this.#save());
	}

	async #save(): Promise<void> {
		const session = this.#running?.session;
		if (this.#stored === undefined || session === undefined) {
			return;
		}
		const { timeMs, held } = session;
		const { config } = this.#stored;
		this.#stored = {
			config,
			status: session.status(),
			held,
			savedAtMs: Date.now(),
			...(timeMs !== undefined && { timeMs }),
		};
		await this.ctx.storage.put("egress", this.#stored);
	}

	async #subscribe({ stream, broadcastId, destinationId }: EgressConfig): Promise<WebSocket> {
		const { ROUTER } = this.env;
		const query = new URLSearchParams({ stream, ack: "1", group: "1", egress: destinationId });
		const router = ROUTER.get(ROUTER.idFromName(broadcastId));
		const response = await router.fetch(`https://router/subscribe?${query}`, { headers: { Upgrade: "websocket" } });
		const socket = response.webSocket;
		if (socket === null) {
			throw new Error(`egress: expected a WebSocket from the Router, got status ${response.status}`);
		}
		socket.binaryType = "arraybuffer";
		socket.accept();
		return socket;
	}

	async #tellBroadcast(status: EgressStatus): Promise<void> {
		const { BROADCAST } = this.env;
		if (this.#stored !== undefined) {
			const { broadcastId, destinationId } = this.#stored.config;
			await BROADCAST.get(BROADCAST.idFromName(broadcastId)).egressChanged(destinationId, status);
		}
	}
}

function sameConfig(a: EgressConfig, b: EgressConfig): boolean {
	const keys = Object.keys({ ...a, ...b }) as (keyof EgressConfig)[];
	return keys.every((key) => a[key] === b[key]);
}

/** Where a destination's session goes on after its object was lost: its time went on meanwhile. */
function carryOver({ status, held, timeMs, savedAtMs }: StoredEgress, nowMs: number): EgressCarryOver {
	const { bytes, reconnects, droppedTags } = status;
	const awayMs = Math.max(0, nowMs - savedAtMs);
	return { ...(timeMs !== undefined && { firstMs: timeMs + awayMs }), held, bytes, reconnects, droppedTags };
}
