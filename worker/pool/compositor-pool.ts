import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { answerClose } from "../answer-close.ts";
import { randomCode } from "../auth/random-id.ts";
import type { Env } from "../env.ts";
import { createLog } from "../log.ts";
import { CLOSE, type CloseKind, closeReason } from "../protocol/close-codes.ts";
import type { EgressJob, EgressJobAnswer, EgressJobName } from "../protocol/egress-jobs.ts";
import type { CompositorPoolRpc, LeaseAnswer, LeaseRequest, LeaseStanding, PoolStats } from "../protocol/object-rpc.ts";
import { type RunnerMessage, runnerMessageSchema } from "../protocol/pool-messages.ts";
import { EgressBook, type EgressBookState, type EgressEffect } from "./egress-book.ts";
import { LeaseBook, MAX_RUNNERS, type PoolEffect } from "./lease-book.ts";
import type { LeaseBookState } from "./lease-records.ts";

const BOOK_KEY = "book";
const EGRESS_BOOK_KEY = "egress-book";
const LEASE_ID_LENGTH = 16;
/** A heartbeat of 256 leases is under 32 KiB. */
const MAX_RUNNER_MESSAGE_BYTES = 64 * 1024;

const log = createLog("pool");

/** Which runner a socket belongs to, once it has said hello; survives hibernation. */
const attachmentSchema = z.object({ runnerId: z.string().optional() });

/** The runners connected and who runs what. A shell: what it decides is decided in LeaseBook and EgressBook. */
export class CompositorPool extends DurableObject<Env> implements CompositorPoolRpc {
	#book = new LeaseBook();
	#egresses = new EgressBook();
	#alarmAtMs: number | undefined;

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.ctx.blockConcurrencyWhile(async () => {
			const stored = await this.ctx.storage.get<LeaseBookState>(BOOK_KEY);
			const connected = this.#connectedRunners();
			this.#book = new LeaseBook(stored, connected, Date.now());
			const egresses = await this.ctx.storage.get<EgressBookState>(EGRESS_BOOK_KEY);
			this.#egresses = new EgressBook(egresses, connected, Date.now());
			this.#alarmAtMs = (await this.ctx.storage.getAlarm()) ?? undefined;
			await this.#settle();
		});
	}

	async acquire(request: LeaseRequest): Promise<LeaseAnswer> {
		const answer = this.#book.acquire(request, randomCode(LEASE_ID_LENGTH), Date.now());
		await this.#settle();
		const { broadcastId, requestId, fence } = request;
		log.info("a compositor was asked for", { requestId, broadcastId, fence, ...answer });
		return answer;
	}

	async release(leaseId: string, _reason: string): Promise<void> {
		this.#book.release(leaseId, Date.now());
		await this.#settle();
	}

	async standing(leaseId: string): Promise<LeaseStanding> {
		return this.#book.standing(leaseId);
	}

	async acquireEgress(job: EgressJob): Promise<EgressJobAnswer> {
		const answer = this.#egresses.acquire(job, Date.now());
		await this.#settle();
		return answer;
	}

	async releaseEgress(job: EgressJobName): Promise<void> {
		this.#egresses.release(job);
		await this.#settle();
	}

	async stats(): Promise<PoolStats> {
		return this.#book.stats(Date.now());
	}

	/** The runner socket, authorised by the route. */
	override async fetch(_request: Request): Promise<Response> {
		if (this.ctx.getWebSockets().length >= 2 * MAX_RUNNERS) {
			return new Response(`pool: expected at most ${2 * MAX_RUNNERS} sockets, got one more`, { status: 503 });
		}
		const { 0: client, 1: server } = new WebSocketPair();
		server.serializeAttachment({});
		this.ctx.acceptWebSocket(server);
		return new Response(null, { status: 101, webSocket: client });
	}

	override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
		const parsed = parseMessage(message);
		if (typeof parsed === "string") {
			close(socket, "badMedia", parsed);
			return;
		}
		if (parsed.type === "hello") {
			this.#hello(socket, parsed);
		} else {
			const runnerId = runnerOf(socket);
			if (runnerId === undefined) {
				close(socket, "forbidden", `pool: expected hello first, got ${parsed.type}`);
				return;
			}
			this.#report(runnerId, parsed);
		}
		await this.#settle();
	}

	override async webSocketClose(socket: WebSocket): Promise<void> {
		answerClose(socket);
		await this.#socketGone(socket);
	}

	override async webSocketError(socket: WebSocket, error: unknown): Promise<void> {
		log.warn("a runner's socket broke", { error });
		await this.#socketGone(socket);
	}

	override async alarm(): Promise<void> {
		this.#alarmAtMs = undefined;
		this.#book.expire(Date.now());
		this.#egresses.expire(Date.now());
		await this.#settle();
	}

	#hello(socket: WebSocket, hello: Extract<RunnerMessage, { type: "hello" }>): void {
		const older = this.#socketsOf(hello.runnerId).filter((other) => other !== socket);
		if (this.#book.hello(hello, Date.now()) === "full") {
			close(socket, "stalled", `pool: expected at most ${MAX_RUNNERS} runners, got one more`);
			return;
		}
		this.#egresses.hello(hello, Date.now());
		socket.serializeAttachment({ runnerId: hello.runnerId });
		for (const other of older) {
			other.serializeAttachment({});
			close(other, "takenOver", "pool: the same runner connected again");
		}
	}

	#report(runnerId: string, message: Exclude<RunnerMessage, { type: "hello" }>): void {
		switch (message.type) {
			case "heartbeat":
				this.#book.heartbeat(runnerId, message, Date.now());
				this.#egresses.heard(runnerId, Date.now());
				return;
			case "released":
				this.#book.released(runnerId, message.leaseId, message.reason, Date.now());
				return;
			case "egress-status":
			case "egress-tested":
			case "egress-lost":
				this.#egresses.report(runnerId, message, Date.now());
		}
	}

	async #socketGone(socket: WebSocket): Promise<void> {
		const runnerId = runnerOf(socket);
		if (runnerId !== undefined && !this.#socketsOf(runnerId).some((other) => other !== socket)) {
			this.#book.gone(runnerId, Date.now());
			this.#egresses.gone(runnerId, Date.now());
			await this.#settle();
		}
	}

	/** Stores what changed, does what the book wants, and sees to being woken at its next deadline. */
	async #settle(): Promise<void> {
		if (this.#book.takeChanged()) {
			await this.ctx.storage.put(BOOK_KEY, this.#book.state());
		}
		if (this.#egresses.takeChanged()) {
			await this.ctx.storage.put(EGRESS_BOOK_KEY, this.#egresses.state());
		}
		for (const effect of [...this.#book.takeEffects(), ...this.#egresses.takeEffects()]) {
			this.#carryOut(effect);
		}
		const deadlines = [this.#book.nextDeadlineMs(), this.#egresses.nextDeadlineMs()];
		const deadlineMs = deadlines.filter((ms) => ms !== undefined).sort((a, b) => a - b)[0];
		// A deadline that moved back is found out when the alarm rings: setting it at each heartbeat would be a write each.
		if (deadlineMs !== undefined && (this.#alarmAtMs === undefined || deadlineMs < this.#alarmAtMs)) {
			this.#alarmAtMs = deadlineMs;
			await this.ctx.storage.setAlarm(deadlineMs);
		}
	}

	#carryOut(effect: PoolEffect | EgressEffect): void {
		switch (effect.kind) {
			case "send":
				for (const socket of this.#socketsOf(effect.runnerId)) {
					socket.send(JSON.stringify(effect.message));
				}
				return;
			case "tell":
				// Not awaited, since the broadcast may be waiting for an answer of ours; it asks again if it does not hear.
				this.ctx.waitUntil(
					this.env.BROADCAST.getByName(effect.broadcastId)
						.leaseChanged(effect.change)
						.catch((error: unknown) =>
							log.warn("a broadcast could not be told of its lease", { broadcastId: effect.broadcastId, error }),
						),
				);
				return;
			case "tell-egress":
				// As above: an Egress that misses a word asks again within half a minute, and has its next report within a second.
				this.ctx.waitUntil(
					this.env.EGRESS.getByName(effect.jobId)
						.runnerStatus(effect.word)
						.catch((error: unknown) =>
							log.warn("an egress could not be told of its runner", { jobId: effect.jobId, error }),
						),
				);
				return;
			case "hang-up":
				for (const socket of this.#socketsOf(effect.runnerId)) {
					close(socket, "stalled", "pool: expected a heartbeat a second, got none");
				}
		}
	}

	#socketsOf(runnerId: string): WebSocket[] {
		return this.ctx
			.getWebSockets()
			.filter((socket) => socket.readyState === WebSocket.OPEN && runnerOf(socket) === runnerId);
	}

	#connectedRunners(): ReadonlySet<string> {
		const open = this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
		return new Set(open.map(runnerOf).filter((runnerId) => runnerId !== undefined));
	}
}

function runnerOf(socket: WebSocket): string | undefined {
	return attachmentSchema.parse(socket.deserializeAttachment()).runnerId;
}

/** The message, or why it is none. */
function parseMessage(message: string | ArrayBuffer): RunnerMessage | string {
	if (typeof message !== "string") {
		return `pool: expected JSON text, got ${message.byteLength} bytes of binary`;
	}
	if (message.length > MAX_RUNNER_MESSAGE_BYTES) {
		return `pool: expected at most ${MAX_RUNNER_MESSAGE_BYTES} bytes, got ${message.length}`;
	}
	try {
		return (
			runnerMessageSchema.safeParse(JSON.parse(message)).data ??
			"pool: expected hello, heartbeat, released or word of an egress, got other fields"
		);
	} catch (error) {
		if (error instanceof SyntaxError) {
			return "pool: expected JSON, got other text";
		}
		throw error;
	}
}

function close(socket: WebSocket, kind: CloseKind, reason: string): void {
	socket.close(CLOSE[kind].code, closeReason(reason));
}
