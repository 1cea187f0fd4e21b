import { LAYOUT_NAMES } from "../../media/layout.ts";
import type { BroadcastCommand, CommandContext, CommandResult } from "../protocol/broadcast-commands.ts";
import type { CloseKind } from "../protocol/close-codes.ts";
import type { CompositorStats } from "../protocol/compositor-stats.ts";
import { type ControlEvent, type ControlRequest, controlRequestSchema } from "../protocol/control-messages.ts";
import { type Outcome, PROBLEMS, type Refusal } from "../protocol/problem.ts";
import type { PersonId, Role } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { isOver } from "./lifecycle.ts";
import { sceneOf } from "./scene.ts";
import { statusEvent } from "./status-event.ts";

/** Far above any request's size: a compositor's figures are under 4 KiB. */
export const MAX_CONTROL_MESSAGE_BYTES = 64 * 1024;
/** Host, guest, compositor and the people who look after the broadcast; viewers have no control socket. */
export const MAX_CONTROL_SOCKETS = 64;

export interface ControlMember {
	readonly role: Role;
	/** Of host and guests. */
	readonly person?: PersonId;
	/** Of compositors. */
	readonly fence?: number;
}

export interface ControlSocket extends ControlMember {
	send(text: string): void;
	close(kind: CloseKind, reason: string): void;
}

export interface ControlRoomPorts {
	/** The sockets that are open now. */
	sockets(): readonly ControlSocket[];
	record(): BroadcastRecord | undefined;
	command(command: BroadcastCommand, context: CommandContext): Promise<Outcome<CommandResult>>;
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

	/** Tells a new member what there is to know. */
	joined(socket: ControlSocket): void {
		const record = this.#ports.record();
		if (record === undefined || isOver(record.status)) {
			socket.close("ended", "control: expected a broadcast that has not ended, got one that has");
			return;
		}
		if (socket.role === "compositor") {
			this.#send(socket, { type: "scene", scene: sceneOf(record) });
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
		const request = typeof message === "string" ? parseRequest(message) : undefined;
		if (request === undefined) {
			this.#refuse(socket, { kind: "invalid-request", detail: badRequestDetail(message) });
			return;
		}
		switch (request.type) {
			case "ping":
				this.#send(socket, { type: "pong" });
				return;
			case "set-layout":
				return this.#command(socket, { type: "set-scene", layout: request.layout });
			case "compositor-stats":
				this.#takeStats(socket, request.stats, nowMs);
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
	disconnect(people: readonly (PersonId | "viewer")[], reason: string): void {
		for (const socket of this.#ports.sockets()) {
			if (socket.person !== undefined && people.includes(socket.person)) {
				socket.close("unauthorized", reason);
			}
		}
	}

	dismissAll(reason: string): void {
		for (const socket of this.#ports.sockets()) {
			socket.close("ended", reason);
		}
	}

	async #command(socket: ControlSocket, command: BroadcastCommand): Promise<void> {
		if (socket.role !== "host" && socket.role !== "admin") {
			this.#refuse(socket, {
				kind: "forbidden",
				detail: `control: expected host or admin to ${command.type}, got ${socket.role}`,
			});
			return;
		}
		const outcome = await this.#ports.command(command, { actor: socket.person ?? "admin" });
		if (!outcome.ok) {
			this.#refuse(socket, outcome.refusal);
		}
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

	#refuse(socket: ControlSocket, refusal: Refusal): void {
		this.#send(socket, { type: "error", title: PROBLEMS[refusal.kind].title, detail: refusal.detail });
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

function parseRequest(text: string): ControlRequest | undefined {
	try {
		return controlRequestSchema.safeParse(JSON.parse(text)).data;
	} catch (error) {
		if (error instanceof SyntaxError) {
			return undefined;
		}
		throw error;
	}
}

function badRequestDetail(message: string | ArrayBuffer): string {
	if (typeof message !== "string") {
		return `control: expected JSON text, got ${message.byteLength} bytes of binary`;
	}
	return `control: expected a ping, a set-layout with one of ${LAYOUT_NAMES.join(", ")}, or complete compositor-stats, got something else`;
}

function messageBytes(message: string | ArrayBuffer): number {
	return typeof message === "string" ? message.length : message.byteLength;
}
