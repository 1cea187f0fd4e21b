import { LAYOUT_NAMES } from "../../media/layout.ts";
import { commandRefusal } from "../auth/command-permission.ts";
import type {
	BroadcastCommand,
	CommandContext,
	CommandResult,
	NewDestination,
} from "../protocol/broadcast-commands.ts";
import type { CompositorStats } from "../protocol/compositor-stats.ts";
import {
	type ControlEvent,
	type ControlRequest,
	commandIdSchema,
	controlRequestSchema,
	type RequestId,
} from "../protocol/control-messages.ts";
import { LIVE_COMMAND_TYPES, type LiveCommand } from "../protocol/live-commands.ts";
import { done, type Outcome, PROBLEMS, type Refusal } from "../protocol/problem.ts";
import { type BroadcastRecord, personOf } from "./broadcast-record.ts";
import type { CallRoom } from "./call-room.ts";
import type { ControlMember, ControlSocket } from "./control-socket.ts";
import { isOver } from "./lifecycle.ts";
import { sceneOf } from "./scene.ts";
import { statusEvent } from "./status-event.ts";

/** Far above any request's size: a compositor's figures are under 4 KiB. */
export const MAX_CONTROL_MESSAGE_BYTES = 64 * 1024;
/** Host, guest, compositor and the people who look after the broadcast; viewers have no control socket. */
export const MAX_CONTROL_SOCKETS = 64;

/** Of one person's: some tabs, and lines that broke without anybody having noticed. However many one opens, the others find room. */
export const MAX_CONTROL_SOCKETS_PER_PERSON = 8;
/** Of a request that is wrong in everything. */
const MAX_FAULTS_TOLD = 4;

const OUTDATED = "auth: what it came with was made worthless";

export interface ControlRoomPorts {
	/** The sockets that are open now. */
	sockets(): readonly ControlSocket[];
	record(): BroadcastRecord | undefined;
	command(command: BroadcastCommand, context: CommandContext): Promise<Outcome<CommandResult>>;
	/** The destination that such a body asks for, checked and sealed. */
	newDestination(body: unknown): Promise<Outcome<NewDestination>>;
	/** What is said about the call on a control socket. */
	readonly call: Pick<CallRoom, "received" | "compositorCame">;
}

/** Who is on the control sockets of a broadcast, what each is told and what each may ask. */
export class ControlRoom {
	readonly #ports: ControlRoomPorts;
	/** Kept in memory only: the next figures come within a second. */
	#latest: { readonly stats: CompositorStats; readonly atMs: number } | undefined;

	constructor(ports: ControlRoomPorts) {
		this.#ports = ports;
	}

	/** The figures the compositor that now holds the lease reported last. */
	latestStats(): { readonly stats: CompositorStats; readonly atMs: number } | undefined {
		return this.#latest?.stats.fence === this.#ports.record()?.lease.fence ? this.#latest : undefined;
	}

	/** Lets go of those of a person that have been silent longest, where they have as many as they may: another is about to come. */
	makeRoom({ person }: ControlMember): void {
		const theirs = person === undefined ? [] : this.#ports.sockets().filter((socket) => socket.person === person);
		const byUse = theirs.toSorted((a, b) => usedAt(a) - usedAt(b));
		for (const socket of byUse.slice(0, Math.max(0, theirs.length - MAX_CONTROL_SOCKETS_PER_PERSON + 1))) {
			const most = `at most ${MAX_CONTROL_SOCKETS_PER_PERSON} sockets of the ${socket.person}`;
			socket.close("takenOver", `control: expected ${most}, got one more`);
		}
	}

	/** Tells a new member what there is to know. */
	async joined(socket: ControlSocket, nowMs: number): Promise<void> {
		const record = this.#ports.record();
		if (record === undefined || isOver(record.status)) {
			socket.close("ended", "control: expected a broadcast that has not ended, got one that has");
			return;
		}
		if (isOutdated(socket, record)) {
			socket.close("unauthorized", OUTDATED);
			return;
		}
		if (socket.role === "compositor") {
			if (socket.fence !== record.lease.fence) {
				socket.close("takenOver", `control: expected fence ${record.lease.fence}, got ${socket.fence ?? "none"}`);
				return;
			}
			this.#send(socket, { type: "scene", scene: sceneOf(record) });
			await this.#ports.call.compositorCame(socket, nowMs);
			return;
		}
		this.#send(socket, statusEvent(record));
		const latest = this.latestStats();
		if (latest !== undefined) {
			this.#send(socket, { type: "stats", stats: latest.stats });
		}
	}

	async received(socket: ControlSocket, message: string | ArrayBuffer, nowMs: number): Promise<void> {
		if (messageBytes(message) > MAX_CONTROL_MESSAGE_BYTES) {
			socket.close(
				"tooLarge",
				`control: expected at most ${MAX_CONTROL_MESSAGE_BYTES} bytes, got ${messageBytes(message)}`,
			);
			return;
		}
		const read = readRequest(message);
		if ("fault" in read) {
			this.#refuse(socket, { kind: "invalid-request", detail: read.fault }, read.id);
			return;
		}
		const { request } = read;
		const record = this.#ports.record();
		if (record !== undefined && isOutdated(socket, record)) {
			socket.close("unauthorized", OUTDATED);
			return;
		}
		switch (request.type) {
			case "ping":
				this.#send(socket, { type: "pong" });
				return;
			case "set-layout":
				await this.#carryOut(socket, { type: "set-scene", layout: request.layout });
				return;
			case "command":
				return this.#command(socket, request.command, request.id);
			case "compositor-stats":
				this.#takeStats(socket, request.stats, nowMs);
				return;
			case "join-call":
			case "leave-call":
			case "signal":
			case "real-time-media": {
				const refusal = await this.#ports.call.received(socket, request, messageBytes(message), nowMs);
				if (refusal !== undefined) {
					this.#refuse(socket, refusal);
				}
			}
		}
	}

	sceneChanged(record: BroadcastRecord): void {
		this.#tell({ type: "scene", scene: sceneOf(record) }, (socket) => socket.role === "compositor");
	}

	statusChanged(record: BroadcastRecord): void {
		this.#tell(statusEvent(record), (socket) => socket.role !== "compositor");
	}

	/** Dismisses compositors whose lease is no longer the newest. */
	fenceRaised(fence: number): void {
		for (const socket of this.#ports.sockets()) {
			if (socket.role === "compositor" && (socket.fence ?? 0) < fence) {
				socket.close("takenOver", `control: expected fence ${fence}, got ${socket.fence ?? "none"}`);
			}
		}
	}

	/** Closes the sockets of people whose credentials were made worthless. */
	disconnectOutdated(): void {
		const record = this.#ports.record();
		for (const socket of this.#ports.sockets()) {
			if (record !== undefined && isOutdated(socket, record)) {
				socket.close("unauthorized", OUTDATED);
			}
		}
	}

	dismissAll(reason: string): void {
		for (const socket of this.#ports.sockets()) {
			socket.close("ended", reason);
		}
	}

	async #command(socket: ControlSocket, asked: LiveCommand, id: RequestId | undefined): Promise<void> {
		const command = await this.#completed(socket, asked);
		if (!command.ok) {
			this.#refuse(socket, command.refusal, id);
			return;
		}
		const version = await this.#carryOut(socket, command.value, id);
		if (version !== undefined) {
			this.#send(socket, { type: "done", ...(id === undefined ? {} : { id }), version });
		}
	}

	/** The command with what only this side can put into it. Nobody has an address checked who may not add it. */
	async #completed(socket: ControlSocket, asked: LiveCommand): Promise<Outcome<BroadcastCommand>> {
		if (asked.type !== "add-destination") {
			return done(asked);
		}
		const { type, ...body } = asked;
		if (socket.role !== "host" && socket.role !== "admin") {
			const detail = `auth: expected host or admin to ${type}, got ${socket.role}`;
			return { ok: false, refusal: { kind: "forbidden", detail } };
		}
		const destination = await this.#ports.newDestination(body);
		return destination.ok ? done({ type, ...destination.value }) : destination;
	}

	/** Gives the broadcast's version after it; `undefined` when it was refused, which the socket has been told then. */
	async #carryOut(socket: ControlSocket, command: BroadcastCommand, id?: RequestId): Promise<number | undefined> {
		const outcome =
			commandRefusal(socket, command) ?? (await this.#ports.command(command, { actor: socket.person ?? "admin" }));
		if (!outcome.ok) {
			this.#refuse(socket, outcome.refusal, id);
			return undefined;
		}
		return outcome.value.broadcast.version;
	}

	#takeStats(socket: ControlSocket, stats: CompositorStats, nowMs: number): void {
		const fence = this.#ports.record()?.lease.fence;
		if (socket.role !== "compositor") {
			this.#refuse(socket, {
				kind: "forbidden",
				detail: `control: expected a compositor's figures, got a ${socket.role}'s`,
			});
			return;
		}
		if (fence === undefined || socket.fence !== fence || stats.fence !== fence) {
			socket.close("takenOver", `control: expected fence ${fence ?? "none"}, got ${stats.fence}`);
			return;
		}
		this.#latest = { stats, atMs: nowMs };
		this.#tell({ type: "stats", stats }, (other) => other.role !== "compositor");
	}

	#refuse(socket: ControlSocket, { kind, detail, expected, found }: Refusal, id?: RequestId): void {
		this.#send(socket, {
			type: "error",
			...(id === undefined ? {} : { id }),
			title: PROBLEMS[kind].title,
			detail,
			...(expected === undefined ? {} : { expected: [...expected] }),
			...(found === undefined ? {} : { found }),
		});
	}

	#send(socket: ControlSocket, event: ControlEvent): void {
		socket.send(JSON.stringify(event));
	}

	#tell(event: ControlEvent, isFor: (socket: ControlSocket) => boolean): void {
		const text = JSON.stringify(event);
		for (const socket of this.#ports.sockets()) {
			if (isFor(socket)) {
				socket.send(text);
			}
		}
	}
}

/** The one that is in the call is let go last. */
function usedAt(socket: ControlSocket): number {
	return socket.seat === undefined ? (socket.heardAtMs() ?? socket.openedAtMs) : Number.POSITIVE_INFINITY;
}

/** Whether the person came with credentials that count no more. */
function isOutdated({ person, ver }: ControlMember, record: BroadcastRecord): boolean {
	return person !== undefined && ver !== undefined && ver !== personOf(record, person)?.credentialsVersion;
}

type ReadRequest = { readonly request: ControlRequest } | { readonly fault: string; readonly id?: RequestId };

/** A request, or what is wrong with it, in words, with the id by which the answer is waited for. */
function readRequest(message: string | ArrayBuffer): ReadRequest {
	if (typeof message !== "string") {
		return { fault: `control: expected JSON text, got ${message.byteLength} bytes of binary` };
	}
	let given: unknown;
	try {
		given = JSON.parse(message);
	} catch {
		return { fault: "control: expected JSON, got something else" };
	}
	const request = controlRequestSchema.safeParse(given);
	if (request.success) {
		return { request: request.data };
	}
	const named = commandIdSchema.safeParse(given);
	const faults = request.error.issues
		.slice(0, MAX_FAULTS_TOLD)
		.map(({ path, message: fault }) => `${path.join(".")}: ${fault}`)
		.join("; ");
	const fault = `control: expected a ping, a set-layout with one of ${LAYOUT_NAMES.join(", ")}, a command (${LIVE_COMMAND_TYPES.join(", ")}) with all it needs, join-call, leave-call, a signal, real-time-media or complete compositor-stats, got another: ${faults}`;
	return { fault, ...(named.success && named.data.id !== undefined ? { id: named.data.id } : {}) };
}

function messageBytes(message: string | ArrayBuffer): number {
	return typeof message === "string" ? message.length : message.byteLength;
}
