import type { ControlEvent, ControlRequest } from "../protocol/control-messages.ts";
import type { PersonId } from "../protocol/roles.ts";
import type { CallPeer, IceServer, PeerId, Signal } from "../protocol/signaling.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import type { CallMember } from "./call-member.ts";
import { withMember, withoutConnection, withoutMembers } from "./call-membership.ts";
import type { ControlSocket } from "./control-room.ts";
import { SignalBudget } from "./signal-budget.ts";

/** A member that is no socket: an encoder that speaks WHIP. */
export interface VirtualMember {
	readonly member: CallMember;
	/** What a peer says to it. Must not throw. */
	onSignal(from: PeerId, connection: string, signal: Signal): void;
	/** It is not in the call any more. Must not throw. */
	onGone(): void;
}

export interface IceServersGiven {
	readonly servers: readonly IceServer[];
	/** When their credentials run out. */
	readonly untilMs?: number;
}

export interface CallRoomPorts {
	/** The control sockets that are open now. */
	sockets(): readonly ControlSocket[];
	record(): BroadcastRecord | undefined;
	/** Stores what the function makes of the record, with all that follows. */
	change(next: (record: BroadcastRecord) => BroadcastRecord): Promise<void>;
	/** Never rejects. */
	iceServers(person: PersonId | "compositor"): Promise<IceServersGiven>;
	newConnectionId(): string;
	/** Whose media reaches the compositor by WebRTC, as it says. */
	onRealTimeMedia(people: readonly PersonId[]): void;
	nowMs(): number;
}

type CallRequest = Extract<ControlRequest, { type: "join-call" | "leave-call" | "signal" | "real-time-media" }>;
type CallEvent = Extract<ControlEvent, { type: "call" }>;

/**
 * Who is in a broadcast's call, and what they say to each other (worker/protocol/signaling.ts).
 *
 * Members are in the record, and so outlive the object; which socket each belongs to is in the socket's attachment, and so does that.
 */
export class CallRoom {
	readonly #ports: CallRoomPorts;
	readonly #virtual = new Map<string, VirtualMember>();
	readonly #budgets = new Map<string, SignalBudget>();
	/** What each connection was told last, without its ICE servers: what is the same is not said again. */
	readonly #told = new Map<string, string>();
	readonly #waiting = new Set<() => void>();

	constructor(ports: CallRoomPorts) {
		this.#ports = ports;
	}

	/** The compositor's connection, while its control socket is open and its lease is the newest. */
	get compositorConnection(): string | undefined {
		const socket = this.#compositor();
		return socket && connectionOf(socket);
	}

	/** Gives why it was refused, in words, or `undefined`. */
	async received(socket: ControlSocket, request: CallRequest): Promise<string | undefined> {
		switch (request.type) {
			case "join-call":
				return this.#join(socket, request);
			case "leave-call":
				await this.#leave(socket);
				return undefined;
			case "signal":
				return this.#relay(socket, request);
			case "real-time-media":
				if (socket.role !== "compositor") {
					return `call: expected a compositor to say whose media comes, got a ${socket.role}`;
				}
				if (socket === this.#compositor() || connectionOf(socket) === this.compositorConnection) {
					this.#ports.onRealTimeMedia(request.people);
				}
				return undefined;
		}
	}

	/** A control socket is open: a compositor is in the call by that alone. */
	opened(socket: ControlSocket): void {
		if (socket.role === "compositor") {
			this.tell();
		}
	}

	async closed(socket: ControlSocket): Promise<void> {
		if (socket.role === "compositor") {
			this.tell();
		} else {
			await this.#leave(socket);
		}
	}

	/** Lets go of members whose sockets an earlier life of the object had, and which did not come with it. */
	async reconcile(): Promise<void> {
		const open = new Set(this.#ports.sockets().map(connectionOf));
		const isGone = ({ leg, connection }: CallMember) => leg === "real-time" && !open.has(connection);
		if (this.#ports.record()?.call.some(isGone)) {
			await this.#ports.change((record) => withoutMembers(record, isGone, this.#ports.nowMs()));
		}
	}

	/** Takes a member that is no socket into the call, in place of whoever that person was in it by. */
	async addVirtual(virtual: VirtualMember): Promise<void> {
		const { member } = virtual;
		this.#virtual.set(member.connection, virtual);
		await this.#ports.change((record) => withMember(record, member, this.#ports.nowMs()));
		this.#dismissOthers(member);
		this.tell();
	}

	async removeVirtual(connection: string): Promise<void> {
		this.#virtual.delete(connection);
		await this.#ports.change((record) => withoutConnection(record, connection, this.#ports.nowMs()));
		this.tell();
	}

	/** What a virtual member says. False where nobody is there to hear it. */
	signalFrom(member: CallMember, to: PeerId, connection: string, signal: Signal): boolean {
		return this.#deliver({ id: member.person, connection: member.connection }, to, connection, signal);
	}

	/** The record is another: members who left it are let go, and everybody is told who is there. */
	recordChanged(before: BroadcastRecord | undefined, record: BroadcastRecord): void {
		if (before !== undefined && isSameCall(before, record)) {
			return;
		}
		for (const [connection, virtual] of this.#virtual) {
			if (!record.call.some((member) => member.connection === connection)) {
				this.#virtual.delete(connection);
				virtual.onGone();
			}
		}
		this.tell();
	}

	/** Resolves with the compositor's connection as soon as there is one, or with `undefined` after `withinMs`. */
	whenCompositor(withinMs: number, after: (delayMs: number, action: () => void) => void): Promise<string | undefined> {
		return new Promise((resolve) => {
			const look = () => {
				const connection = this.compositorConnection;
				if (connection !== undefined) {
					this.#waiting.delete(look);
					resolve(connection);
				}
			};
			this.#waiting.add(look);
			after(withinMs, () => {
				if (this.#waiting.delete(look)) {
					resolve(undefined);
				}
			});
			look();
		});
	}

	/** Tells everyone in the call who is in it, where that has changed. */
	tell(): void {
		for (const look of [...this.#waiting]) {
			look();
		}
		for (const socket of this.#ports.sockets()) {
			void this.#tellOne(socket, false);
		}
	}

	async #join(
		socket: ControlSocket,
		{ realTime, streams }: Extract<CallRequest, { type: "join-call" }>,
	): Promise<string | undefined> {
		const { person } = socket;
		if (person === undefined) {
			return `call: expected host or guest to join, got ${socket.role}`;
		}
		const connection = socket.connection ?? this.#ports.newConnectionId();
		socket.setConnection(connection);
		const member: CallMember = {
			person,
			connection,
			leg: "real-time",
			realTime,
			streams,
			...(socket.ver === undefined ? {} : { ver: socket.ver }),
		};
		await this.#ports.change((record) => withMember(record, member, this.#ports.nowMs()));
		this.#dismissOthers(member);
		await this.#tellOne(socket, true);
		return undefined;
	}

	/** A person is in the call once: their older connections end. */
	#dismissOthers({ person, connection }: CallMember): void {
		for (const other of this.#ports.sockets()) {
			if (other.person === person && other.connection !== undefined && other.connection !== connection) {
				other.close("takenOver", "call: a newer connection of the same person took over");
			}
		}
	}

	async #leave(socket: ControlSocket): Promise<void> {
		const { connection } = socket;
		if (connection !== undefined) {
			this.#told.delete(connection);
			this.#budgets.delete(connection);
			socket.setConnection(undefined);
			await this.#ports.change((record) => withoutConnection(record, connection, this.#ports.nowMs()));
		}
	}

	#relay(
		socket: ControlSocket,
		{ to, connection, signal }: Extract<CallRequest, { type: "signal" }>,
	): string | undefined {
		const own = connectionOf(socket);
		const id = socket.role === "compositor" ? "compositor" : socket.person;
		if (own === undefined || id === undefined || !this.#isInCall(socket)) {
			return "call: expected a member of the call to say something, got somebody who is not in it";
		}
		const budget = this.#budgets.get(own) ?? new SignalBudget();
		this.#budgets.set(own, budget);
		if (!budget.take(this.#ports.nowMs())) {
			return `call: expected at most ${SignalBudget.perSecond} messages a second in the long run, got more`;
		}
		this.#deliver({ id, connection: own }, to, connection, signal);
		return undefined;
	}

	/** What is for a connection that is not there, or that the sender does not see, is dropped: they are about to be told. */
	#deliver(
		from: { readonly id: PeerId; readonly connection: string },
		to: PeerId,
		connection: string,
		signal: Signal,
	): boolean {
		const record = this.#ports.record();
		if (record === undefined || !isSeen(record, from.id) || !isSeen(record, to)) {
			return false;
		}
		const virtual = this.#virtual.get(connection);
		if (virtual !== undefined && virtual.member.person === to) {
			virtual.onSignal(from.id, from.connection, signal);
			return true;
		}
		const target =
			to === "compositor"
				? this.#compositor()
				: this.#ports.sockets().find((socket) => socket.person === to && socket.connection === connection);
		if (target === undefined || connectionOf(target) !== connection) {
			return false;
		}
		send(target, { type: "signal", from: from.id, connection: from.connection, signal });
		return true;
	}

	#isInCall(socket: ControlSocket): boolean {
		return socket.role === "compositor"
			? connectionOf(socket) === this.compositorConnection
			: this.#ports.record()?.call.some(({ connection }) => connection === socket.connection) === true;
	}

	#compositor(): ControlSocket | undefined {
		const fence = this.#ports.record()?.lease.fence;
		return this.#ports.sockets().findLast((socket) => socket.role === "compositor" && socket.fence === fence);
	}

	async #tellOne(socket: ControlSocket, always: boolean): Promise<void> {
		const connection = connectionOf(socket);
		const id = socket.role === "compositor" ? "compositor" : socket.person;
		if (connection === undefined || id === undefined || !this.#isInCall(socket)) {
			return;
		}
		const seen = this.#seenBy(socket, id, connection);
		const looked = JSON.stringify(seen);
		const told = this.#told.get(connection);
		// A compositor did not ask to be in a call: it hears of one when there is somebody in it.
		const isNews = always || told !== undefined || seen.peers.length > 0 || id !== "compositor";
		if (!isNews || (!always && told === looked)) {
			return;
		}
		this.#told.set(connection, looked);
		const { servers, untilMs } = await this.#ports.iceServers(id);
		// What there is to see may have changed meanwhile, and is then said by whoever changed it.
		if (this.#told.get(connection) === looked) {
			send(socket, {
				...this.#seenBy(socket, id, connection),
				iceServers: [...servers],
				...(untilMs === undefined ? {} : { iceServersUntilMs: untilMs }),
			});
		}
	}

	#seenBy(socket: ControlSocket, id: PeerId, connection: string): CallEvent {
		const record = this.#ports.record();
		const own = record?.call.find((member) => member.connection === connection);
		const self: CallPeer = { id, connection, realTime: own?.realTime ?? true };
		const members = record === undefined || !isSeen(record, id) ? [] : record.call;
		const people = members
			.filter((member) => member.connection !== connection && record !== undefined && isSeen(record, member.person))
			.map((member): CallPeer => ({ id: member.person, connection: member.connection, realTime: member.realTime }));
		const compositor = socket.role === "compositor" ? undefined : this.compositorConnection;
		const isShown = compositor !== undefined && record !== undefined && isSeen(record, id);
		return {
			type: "call",
			self,
			peers: [...people, ...(isShown ? [{ id: "compositor" as const, connection: compositor, realTime: true }] : [])],
			iceServers: [],
		};
	}
}

/** A compositor's connection is its lease: it opens its socket again after a break without everyone connecting anew. */
function connectionOf(socket: ControlSocket): string | undefined {
	return socket.role === "compositor" ? `compositor-${socket.fence ?? 0}` : socket.connection;
}

/** Whether they take part: the compositor, and who was admitted. */
function isSeen(record: BroadcastRecord, id: PeerId): boolean {
	return id === "compositor" || record.people.some((person) => person.id === id && person.admitted);
}

/** Nothing that anyone in the call is told of is another. */
function isSameCall(before: BroadcastRecord, after: BroadcastRecord): boolean {
	const admitted = ({ people }: BroadcastRecord) => people.map((person) => (person.admitted ? "1" : "0")).join("");
	return before.call === after.call && before.lease.fence === after.lease.fence && admitted(before) === admitted(after);
}

function send(socket: ControlSocket, event: ControlEvent): void {
	socket.send(JSON.stringify(event));
}
