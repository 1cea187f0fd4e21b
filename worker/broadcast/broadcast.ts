import { DurableObject } from "cloudflare:workers";
import { answerClose } from "../answer-close.ts";
import { plainDestination } from "../api/plain-destination.ts";
import { BroadcastAudienceDesk } from "../audience/audience-desk.ts";
import { randomCode } from "../auth/random-id.ts";
import type { Env } from "../env.ts";
import { IceDesk } from "../ice/ice-desk.ts";
import { limitsOf } from "../limits.ts";
import { createLog } from "../log.ts";
import type { BroadcastPublicRpc, PublicState, PublicView, ReminderCount, ShardCount } from "../protocol/audience.ts";
import type {
	BroadcastCommand,
	BroadcastCommands,
	BroadcastStats,
	BroadcastView,
	CommandContext,
	CommandResult,
	InviteView,
	NewBroadcast,
	TestedDestination,
	WebhookView,
} from "../protocol/broadcast-commands.ts";
import type {
	BroadcastEventsRpc,
	DeadLetter,
	LogPage,
	LogQuery,
	ReplayRange,
	WebhookStatus,
} from "../protocol/broadcast-events.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { BroadcastAnswersRpc, RepeatableRequest, RequestStanding } from "../protocol/idempotency.ts";
import type { BroadcastRpc, EgressConfig, LeaseChange, ProgramChange, StreamChange } from "../protocol/object-rpc.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId, TokenClaim } from "../protocol/roles.ts";
import type { WhipAnswer, WhipPatch, WhipRestart, WhipRpc } from "../protocol/whip.ts";
import { BroadcastControl, notFound } from "./broadcast-control.ts";
import { type BroadcastRecord, personOf } from "./broadcast-record.ts";
import { CallRoom } from "./call-room.ts";
import { destinationConfig, testedDestination } from "./commands/destinations.ts";
import { ControlRoom, MAX_CONTROL_SOCKETS } from "./control-room.ts";
import {
	acceptControlSocket,
	openControlSockets,
	PING_PONG,
	readMember,
	wrapControlSocket,
} from "./control-sockets.ts";
import { remindersDue } from "./events/due-reminders.ts";
import { EventDesk } from "./events/event-desk.ts";
import { eventStreamResponse } from "./events/event-stream-response.ts";
import { HEARTBEAT_MS } from "./events/event-streams.ts";
import { deploymentWebhooks } from "./events/webhook-message.ts";
import { boundWorkRunner, egressOf, routerOf } from "./fellow-objects.ts";
import { RememberedRequests } from "./idempotency.ts";
import { isOver } from "./lifecycle.ts";
import { admittedPeople } from "./presence.ts";
import { restoredRecord } from "./restored-record.ts";
import { withSealedDestinations } from "./sealed-destinations.ts";
import { SharedAlarm } from "./shared-alarm.ts";
import { statsReport } from "./stats-report.ts";
import { type StoredWhipSession, WhipSessions } from "./whip-sessions.ts";

/** 80 bits: nobody guesses whom to send a signal to. */
const CONNECTION_ID_LENGTH = 16;
const RECORD_KEY = "broadcast";
const WHIP_PREFIX = "whip/";
/** RFC 6455 §7.4.1: it is done, or the page was left. */
const GOODBYES: readonly number[] = [1000, 1001];

const log = createLog("broadcast");

/** One broadcast's control plane, named by its id. A shell: what it decides is decided in BroadcastControl and ControlRoom. */
export class Broadcast
	extends DurableObject<Env>
	implements BroadcastRpc, BroadcastCommands, BroadcastPublicRpc, BroadcastEventsRpc, BroadcastAnswersRpc, WhipRpc
{
	#control: BroadcastControl;
	readonly #room: ControlRoom;
	readonly #call: CallRoom;
	#whip: WhipSessions;
	readonly #desk: BroadcastAudienceDesk;
	readonly #requests: RememberedRequests;
	readonly #events: EventDesk;
	readonly #alarm: SharedAlarm;
	/** The broadcast is no more, and some of its events are still to be sent. */
	#isOutlived = false;
	#heartbeat: ReturnType<typeof setInterval> | undefined;
	/** One round of reminders at a time, or some would be told of twice. */
	#reminding: Promise<void> | undefined;

	constructor(state: DurableObjectState, env: Env) {
		super(state, env);
		this.#requests = new RememberedRequests(state.storage.sql);
		this.#control = this.#controlOf(undefined);
		this.#call = new CallRoom({
			sockets: () => openControlSockets(this.ctx),
			record: () => this.#control.record,
			changed: async (word, nowMs) => {
				await this.#control.callChanged(word, nowMs);
				this.#settleLater();
			},
			ice: new IceDesk(env, {
				fetch: (url, init) => fetch(url, init),
				timeout: (ms) => AbortSignal.timeout(ms),
				report: (fault) => log.error(fault, { broadcastId: this.#control.record?.id }),
			}),
			newConnection: () => randomCode(CONNECTION_ID_LENGTH),
			nowMs: Date.now,
			later: (work) => this.ctx.waitUntil(work),
			virtual: {
				signalled: (member, from, signal) => this.#whip.signalled(member, from, signal),
				callChanged: (member, call) => this.#whip.callChanged(member, call),
				over: (member, reason) => this.#whip.over(member, reason),
			},
		});
		this.#whip = this.#whipSessions([]);
		this.#room = new ControlRoom({
			call: this.#call,
			sockets: () => openControlSockets(this.ctx),
			record: () => this.#control.record,
			command: (command, context) => this.command(command, context),
			newDestination: (body) => plainDestination(body, this.#control.record?.id ?? "", this.env),
		});
		this.#desk = new BroadcastAudienceDesk({
			record: () => this.#control.record,
			sql: this.ctx.storage.sql,
			env: this.env,
			shard: (broadcastId, shard) => this.env.AUDIENCE.getByName(`${broadcastId}/${shard}`),
			report: (message, error) => log.warn(message, { broadcastId: this.#control.record?.id, error }),
		});
		this.#events = new EventDesk({
			record: () => this.#control.record,
			sql: this.ctx.storage.sql,
			env: this.env,
			fetch: (input, init) => fetch(input, init),
			after: (ms, action) => {
				const timer = setTimeout(action, ms);
				return () => clearTimeout(timer);
			},
			removeWebhook: async (webhookId) => {
				await this.#control.command({ type: "remove-webhook", webhookId }, { actor: "system" }, Date.now());
			},
			nowMs: Date.now,
			random: Math.random,
			report: (message, error) => log.warn(message, { broadcastId: this.#control.record?.id, error }),
		});
		this.#alarm = new SharedAlarm(this.ctx.storage, () => this.#events.dueMs());
		this.ctx.setWebSocketAutoResponse(PING_PONG);
		const loaded = this.ctx.blockConcurrencyWhile(async () => {
			const stored = await this.ctx.storage.get<BroadcastRecord>(RECORD_KEY);
			this.#control = this.#controlOf(
				stored === undefined ? undefined : restoredRecord(await withSealedDestinations(stored, this.env)),
			);
			this.#isOutlived = stored === undefined && this.#events.holdsAny;
			const sessions = await this.ctx.storage.list<StoredWhipSession>({ prefix: WHIP_PREFIX });
			this.#whip = this.#whipSessions(sessions.values());
			await this.#alarm.load();
			// An object that was lost may not have come to it.
			this.#room.disconnectOutdated();
			await this.#control.callChanged({ kind: "recovered", connections: this.#call.connections() }, Date.now());
			await this.#whip.recovered();
		});
		// After a deploy nobody may come back, and then nothing else would look.
		this.ctx.waitUntil(loaded.then(() => this.#recovered()));
	}

	async create(input: NewBroadcast, context: CommandContext): Promise<Outcome<BroadcastView>> {
		const webhooks = deploymentWebhooks(this.env);
		const outcome = await this.#control.create({ ...input, webhooks }, context, Date.now());
		this.#logCommand(input.id, "create", context, outcome);
		return outcome;
	}

	async command(command: BroadcastCommand, context: CommandContext): Promise<Outcome<CommandResult>> {
		const broadcastId = this.#control.record?.id;
		const outcome = await this.#control.command(command, context, Date.now());
		this.#logCommand(broadcastId, command.type, context, outcome);
		return outcome;
	}

	#logCommand(
		broadcastId: string | undefined,
		command: string,
		context: CommandContext,
		outcome: Outcome<unknown>,
	): void {
		const { actor, requestId } = context;
		log.info("command", {
			requestId,
			broadcastId,
			command,
			actor,
			outcome: outcome.ok ? "done" : outcome.refusal.kind,
		});
	}

	async view(): Promise<Outcome<BroadcastView>> {
		this.ctx.waitUntil(this.#wasRead());
		return this.#control.view();
	}

	async destinationConfig(destinationId: string): Promise<Outcome<EgressConfig>> {
		const record = this.#control.record;
		return record === undefined ? notFound() : destinationConfig(record, destinationId);
	}

	async testedDestination(destinationId: string): Promise<Outcome<TestedDestination>> {
		const record = this.#control.record;
		return record === undefined ? notFound() : testedDestination(record, destinationId);
	}

	async invites(): Promise<Outcome<readonly InviteView[]>> {
		return this.#control.invites();
	}

	async webhooks(): Promise<Outcome<readonly WebhookView[]>> {
		return this.#control.webhooks();
	}

	log(query: LogQuery): Promise<Outcome<LogPage>> {
		return this.#events.log(query);
	}

	webhookStatuses(): Promise<Outcome<readonly WebhookStatus[]>> {
		return this.#events.webhookStatuses();
	}

	deadLetters(webhookId: string): Promise<Outcome<readonly DeadLetter[]>> {
		return this.#events.deadLetters(webhookId);
	}

	async replay(webhookId: string, range: ReplayRange): Promise<Outcome<{ readonly queued: number }>> {
		const outcome = await this.#events.replay(webhookId, range);
		await this.#deliver();
		return outcome;
	}

	async stats(): Promise<Outcome<BroadcastStats>> {
		const record = this.#control.record;
		if (record === undefined) {
			return notFound();
		}
		const ports = {
			controlSockets: () => openControlSockets(this.ctx).length,
			viewers: () => this.#desk.viewers(Date.now()),
			routerStats: () => routerOf(this.env, record.id).stats(),
			egressStatus: (destinationId: string) => egressOf(this.env, record.id, destinationId).status(),
			delay: (ms: number, signal: AbortSignal) => scheduler.wait(ms, { signal }),
		};
		return done(await statsReport(record, this.#room.latestStats(), ports, Date.now()));
	}

	async checkStreamKey(person: PersonId, keyHash: string): Promise<Outcome<number>> {
		return this.#control.checkStreamKey(person, keyHash);
	}

	async checkToken(claim: TokenClaim): Promise<Outcome<null>> {
		return this.#control.checkToken(claim);
	}

	async admit(compositorFence?: number): Promise<Outcome<null>> {
		const record = this.#control.record;
		if (record === undefined) {
			return notFound();
		}
		if (isOver(record.status)) {
			return refused("broadcast-ended", `broadcast: expected one that is not over, got one that is ${record.status}`, {
				expected: ["scheduled", "lobby", "live"],
				found: record.status,
			});
		}
		if (compositorFence !== undefined && compositorFence !== record.lease.fence) {
			return refused("taken-over", `broadcast: expected fence ${record.lease.fence}, got ${compositorFence}`);
		}
		return done(null);
	}

	async streamChanged(change: StreamChange): Promise<void> {
		await this.#control.streamChanged(change, Date.now());
		this.#settleLater();
	}

	async programChanged(change: ProgramChange): Promise<void> {
		await this.#control.programChanged(change, Date.now());
		this.#settleLater();
	}

	async holdExpired(): Promise<void> {
		await this.#control.holdExpired(Date.now());
		this.#settleLater();
	}

	async routerRestarted(): Promise<void> {
		await this.#control.routerRestarted(Date.now());
		this.#settleLater();
	}

	egressChanged(destinationId: string, status: EgressStatus): Promise<void> {
		return this.#control.egressChanged(destinationId, status, Date.now());
	}

	async leaseChanged(change: LeaseChange): Promise<void> {
		await this.#control.leaseChanged(change, Date.now());
		this.#settleLater();
	}

	async beginRequest(request: RepeatableRequest): Promise<RequestStanding> {
		// Where there is no broadcast nothing is kept, but what is to create it.
		return request.creates || this.#control.record !== undefined
			? this.#requests.begin(request, this.#control.record !== undefined, Date.now())
			: { state: "absent" };
	}

	async finishRequest(request: RepeatableRequest, sealedAnswer: string | undefined): Promise<void> {
		this.#requests.finish(request, sealedAnswer, Date.now());
	}

	whipOffer(person: PersonId, credentialsVersion: number, sdp: string): Promise<Outcome<WhipAnswer>> {
		return this.#whip.whipOffer(person, credentialsVersion, sdp);
	}

	whipPatch(patch: WhipPatch): Promise<Outcome<WhipRestart | null>> {
		return this.#whip.whipPatch(patch);
	}

	whipEnd(sessionId: string): Promise<Outcome<null>> {
		return this.#whip.whipEnd(sessionId);
	}

	#whipSessions(stored: Iterable<StoredWhipSession>): WhipSessions {
		const ports = {
			call: () => this.#call,
			members: () => this.#control.record?.call.filter(({ leg }) => leg === "whip") ?? [],
			isAdmitted: (person: PersonId) =>
				this.#control.record !== undefined && admittedPeople(this.#control.record).includes(person),
			store: {
				save: (session: StoredWhipSession) => this.ctx.storage.put(WHIP_PREFIX + session.id, session),
				remove: async (id: string) => void (await this.ctx.storage.delete(WHIP_PREFIX + id)),
			},
			newId: () => randomCode(CONNECTION_ID_LENGTH),
			newEtag: () => randomCode(CONNECTION_ID_LENGTH),
			nowMs: Date.now,
			after: (ms: number, action: () => void) => {
				const timer = setTimeout(action, ms);
				return () => clearTimeout(timer);
			},
			report: (message: string, error: unknown) => log.warn(message, { broadcastId: this.#control.record?.id, error }),
		};
		return new WhipSessions(ports, stored);
	}

	publicView(): Promise<Outcome<PublicView>> {
		return this.#desk.publicView(Date.now());
	}

	audienceCounted(counted: ShardCount): Promise<Outcome<PublicState>> {
		return this.#desk.audienceCounted(counted, Date.now());
	}

	addReminder(contact: string): Promise<Outcome<{ readonly id: string }>> {
		return this.#desk.addReminder(contact, Date.now());
	}

	removeReminder(reminderId: string): Promise<Outcome<null>> {
		return this.#desk.removeReminder(reminderId);
	}

	countReminders(): Promise<Outcome<ReminderCount>> {
		return this.#desk.countReminders(Date.now());
	}

	async #wasRead(): Promise<void> {
		if (await this.#control.wasRead(Date.now())) {
			this.#settleLater();
		}
	}

	async #recovered(): Promise<void> {
		if (this.#control.record?.call.some(({ awaySinceMs }) => awaySinceMs !== undefined)) {
			await this.#control.settle(Date.now());
		}
	}

	/** Who told of something must not wait for what it leads to, since that may be a request to them. */
	#settleLater(): void {
		this.ctx.waitUntil(this.#control.settle(Date.now()));
	}

	/** The control socket or the stream of events, authorised by the route: `/control?role=…[&fence=…]`, `/events[?after=…]`. */
	override async fetch(request: Request): Promise<Response> {
		const url = new URL(request.url);
		if (url.pathname === "/events") {
			const response = eventStreamResponse(url, this.#events, this.#control.record !== undefined);
			if (response.ok) {
				this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS);
			}
			return response;
		}
		const member = readMember(url);
		this.#room.makeRoom(member);
		if (openControlSockets(this.ctx).length >= MAX_CONTROL_SOCKETS) {
			return new Response(`control: expected at most ${MAX_CONTROL_SOCKETS} sockets, got one more`, { status: 503 });
		}
		const { response, socket } = acceptControlSocket(this.ctx, member);
		this.ctx.waitUntil(this.#room.joined(socket, Date.now()));
		return response;
	}

	override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
		await this.#room.received(wrapControlSocket(this.ctx, socket), message, Date.now());
	}

	override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
		answerClose(socket);
		await this.#call.socketClosed(wrapControlSocket(this.ctx, socket), GOODBYES.includes(code), Date.now());
	}

	override async webSocketError(socket: WebSocket, error: unknown): Promise<void> {
		log.warn("a control socket broke", { broadcastId: this.#control.record?.id, error });
		await this.#call.socketClosed(wrapControlSocket(this.ctx, socket), false, Date.now());
	}

	override async alarm(): Promise<void> {
		this.#alarm.forget();
		await this.#call.lookAround(Date.now());
		await this.#control.settle(Date.now());
		await this.#deliver();
	}

	/** Has what is due sent, without waiting for it, and the alarm set for the rest. */
	async #deliver(): Promise<void> {
		const sent = this.#events.run();
		this.ctx.waitUntil(sent.then(() => this.#afterDelivery()));
		await this.#alarm.set();
	}

	async #afterDelivery(): Promise<void> {
		if (this.#isOutlived && this.#events.dueMs() === undefined) {
			// The last word of a broadcast that was deleted has reached everybody.
			await this.#deleteAll();
			return;
		}
		await this.#alarm.set();
	}

	async #deleteAll(): Promise<void> {
		const creation = this.#requests.creation();
		await this.ctx.storage.deleteAlarm();
		await this.ctx.storage.deleteAll();
		this.#desk.storageDeleted();
		this.#requests.storageDeleted(creation);
		this.#events.storageDeleted();
		this.#alarm.forget();
		this.#isOutlived = false;
	}

	#beat(): void {
		this.#events.streams.beat(Date.now());
		if (this.#events.streams.count === 0 && this.#heartbeat !== undefined) {
			clearInterval(this.#heartbeat);
			this.#heartbeat = undefined;
		}
	}

	#controlOf(record: BroadcastRecord | undefined): BroadcastControl {
		return new BroadcastControl(record, {
			store: {
				save: async (next, before, cause) => {
					const stored = this.ctx.storage.put(RECORD_KEY, next);
					this.#events.recordChanged(before, next, cause);
					await stored;
					await this.#deliver();
					this.ctx.waitUntil(this.#desk.recordChanged(before, next, Date.now()));
				},
				clear: async () => {
					this.#requests.ownerDeleted();
					if (this.#events.dueMs() === undefined) {
						await this.#deleteAll();
						return;
					}
					// What webhooks are still to be told outlives it, and nothing else does.
					this.#isOutlived = true;
					await this.ctx.storage.delete(RECORD_KEY);
					await this.#alarm.setForControl(undefined);
				},
				wakeAt: (timeMs) => this.#alarm.setForControl(timeMs),
			},
			audience: {
				sceneChanged: (next) => this.#room.sceneChanged(next),
				statusChanged: (next) => this.#room.statusChanged(next),
				callChanged: (before, after) => this.#call.recordChanged(before, after),
				fenceRaised: (fence) => this.#room.fenceRaised(fence),
				disconnect: () => {
					this.#room.disconnectOutdated();
					const { record } = this.#control;
					this.#events.streams.endOutdated(
						({ person, credentialsVersion }) =>
							record !== undefined && personOf(record, person)?.credentialsVersion === credentialsVersion,
					);
				},
				dismissAll: (reason) => this.#room.dismissAll(reason),
			},
			work: boundWorkRunner(this.env, {
				record: () => this.#control.record,
				remindersDue: (next, nowMs) => this.#remindersDue(next, nowMs),
			}),
			random: Math.random,
			limits: limitsOf(this.env),
		});
	}

	#remindersDue(record: BroadcastRecord, nowMs: number): Promise<void> {
		this.#reminding ??= remindersDue(
			record,
			{
				take: (timeMs) => this.#desk.takeDueReminders(timeMs),
				append: (events, version) => this.#events.append(events, version),
				env: this.env,
			},
			nowMs,
		).finally(async () => {
			this.#reminding = undefined;
			await this.#deliver();
		});
		return this.#reminding;
	}
}
