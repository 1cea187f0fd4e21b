import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../egress/clock.ts";
import { isActive } from "../../egress/egress-state.ts";
import { SealingError } from "../auth/sealing.ts";
import type { Env } from "../env.ts";
import { createLog } from "../log.ts";
import type {
	DestinationTestReport,
	EgressCarryOver,
	EgressRunnerWord,
	PublishTarget,
} from "../protocol/egress-jobs.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { EgressConfig, EgressRpc } from "../protocol/object-rpc.ts";
import { ChangeReporter } from "../router/change-reporter.ts";
import { openedTarget, sameConfig } from "./destination-address.ts";
import { EdgePublication } from "./edge-publication.ts";
import type { Publication } from "./publication.ts";
import { acquireRunner, releaseRunner } from "./runner-job.ts";
import { RunnerPublication } from "./runner-publication.ts";
import { socketDial } from "./socket-dial.ts";
import { carryOver, keepEgress, loadEgress, NEVER_STARTED, type StoredEgress } from "./stored-egress.ts";
import { TestBench } from "./test-bench.ts";

const log = createLog("egress");

/** An object that was lost and that nobody calls is woken, and goes on publishing, at most this much later. */
const ALARM_EVERY_MS = 10_000;

/**
 * Durable Object: publishes one program to one destination, from here or by a runner. All decisions are in {@link EdgePublication} and
 * {@link RunnerPublication}. The destination's address is stored sealed, and opened to be dialled.
 */
export class Egress extends DurableObject<Env> implements EgressRpc {
	readonly #reporter: ChangeReporter<EgressStatus>;
	readonly #bench: TestBench;
	#stored: StoredEgress | undefined;
	#running: Publication | undefined;
	/** The last start or stop asked for: they are done one after another. */
	#turn: Promise<void> = Promise.resolve();

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.#reporter = new ChangeReporter(
			(status) => this.#tellBroadcast(status),
			(delayMs, action) => setTimeout(action, delayMs),
		);
		this.#bench = new TestBench({ env, dial: this.#dial() });
		state.blockConcurrencyWhile(async () => {
			this.#stored = await loadEgress(state.storage, env).catch(ignoredSealing);
			if (this.#stored !== undefined && isActive(this.#stored.status.state)) {
				await this.#run(this.#stored, carryOver(this.#stored, Date.now()));
			}
		});
	}

	start(config: EgressConfig): Promise<void> {
		return this.#inTurn(async () => {
			const active = this.#running !== undefined && isActive(this.#status().state);
			if (active && this.#stored !== undefined && (await sameConfig(this.#stored.config, config, this.env))) {
				return;
			}
			await this.#end();
			const { fence } = this.#stored ?? {};
			this.#stored = {
				config,
				status: NEVER_STARTED,
				held: false,
				savedAtMs: Date.now(),
				...(fence !== undefined && { fence }),
			};
			await this.#run(this.#stored);
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

	async runnerStatus(word: EgressRunnerWord): Promise<void> {
		this.#bench.hear(word);
		if (this.#running instanceof RunnerPublication) {
			this.#running.hear(word);
		}
	}

	async testDestination(config: EgressConfig): Promise<DestinationTestReport> {
		return await this.#bench.test(config);
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
		return this.#running?.status() ?? this.#stored?.status ?? NEVER_STARTED;
	}

	async #run(stored: StoredEgress, carriedOver?: EgressCarryOver): Promise<void> {
		const { config } = stored;
		let target: PublishTarget;
		try {
			target = await openedTarget(config, this.env);
		} catch (error) {
			// Without its address nothing can be tried, and what the error says holds nothing of it.
			const lastError = error instanceof Error ? error.message : "egress: expected a sealed address, got none";
			this.#stored = { ...stored, status: { ...stored.status, state: "refused", lastError } };
			await keepEgress(this.ctx.storage, this.#stored);
			this.#reporter.report("status", this.#stored.status);
			return;
		}
		const publication: EdgePublication | RunnerPublication =
			config.via === "runner"
				? this.#byRunner(stored, target, carriedOver, (status) => this.#changed(publication, status))
				: this.#fromHere(config, target, carriedOver, (status) => this.#changed(publication, status));
		this.#running = publication;
		publication.start();
	}

	#fromHere(
		config: EgressConfig,
		target: PublishTarget,
		carriedOver: EgressCarryOver | undefined,
		onChange: (status: EgressStatus) => void,
	): EdgePublication {
		return new EdgePublication(target, {
			dial: this.#dial(),
			clock: systemClock,
			random: Math.random,
			...(carriedOver !== undefined && { carryOver: carriedOver }),
			subscribe: () => this.#subscribe(config),
			onChange,
			onEnded: (reason) => this.ctx.waitUntil(this.stop(reason)),
		});
	}

	#byRunner(
		{ config, fence = 0 }: StoredEgress,
		target: PublishTarget,
		carriedOver: EgressCarryOver | undefined,
		onChange: (status: EgressStatus) => void,
	): RunnerPublication {
		const { broadcastId, destinationId, stream } = config;
		const jobId = `${broadcastId}/${destinationId}`;
		return new RunnerPublication({
			pool: {
				acquire: (ours, carried) =>
					acquireRunner(this.env, {
						jobId,
						fence: ours,
						work: "publish",
						broadcastId,
						stream,
						target,
						carryOver: carried,
					}),
				release: (ours) => releaseRunner(this.env, { jobId, fence: ours }),
			},
			clock: systemClock,
			random: Math.random,
			fence,
			resumes: carriedOver !== undefined,
			...(carriedOver !== undefined && { carryOver: carriedOver }),
			keepFence: async (next) => {
				if (this.#stored !== undefined) {
					this.#stored = { ...this.#stored, fence: next };
					await keepEgress(this.ctx.storage, this.#stored);
				}
			},
			onChange,
			onEnded: (reason) => this.ctx.waitUntil(this.stop(reason)),
		});
	}

	#dial() {
		return socketDial({ allowPrivate: this.env.ALLOW_PRIVATE_DESTINATIONS === "1" });
	}

	/** Ends publishing and keeps the last figures. */
	async #end(): Promise<void> {
		if (this.#stored === undefined) {
			return;
		}
		await this.#running?.stop();
		this.#stored = { ...this.#stored, status: { ...this.#status(), state: "stopped" } };
		this.#running = undefined;
		await keepEgress(this.ctx.storage, this.#stored);
	}

	#inTurn(work: () => Promise<void>): Promise<void> {
		const turn = this.#turn.then(work);
		this.#turn = turn.catch(() => {
			// Whoever asked has been told; the next in turn starts afresh.
		});
		return turn;
	}

	#changed(publication: Publication, status: EgressStatus): void {
		if (this.#running !== undefined && this.#running !== publication) {
			return;
		}
		this.#reporter.report("status", status);
		this.ctx.waitUntil(this.#save());
	}

	async #save(): Promise<void> {
		const publication = this.#running;
		if (this.#stored === undefined || publication === undefined) {
			return;
		}
		const { timeMs, held } = publication;
		const { config, fence } = this.#stored;
		this.#stored = {
			config,
			status: publication.status(),
			held,
			savedAtMs: Date.now(),
			...(timeMs !== undefined && { timeMs }),
			...(fence !== undefined && { fence }),
		};
		await keepEgress(this.ctx.storage, this.#stored);
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

/** An open address of an older version stays as it is, and goes on once there is a key to seal it with. */
function ignoredSealing(error: unknown): undefined {
	if (!(error instanceof SealingError)) {
		throw error;
	}
	log.error("a destination is not published to", { error });
}
