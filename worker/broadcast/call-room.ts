import type { IceDesk, IceGrant } from "../ice/ice-desk.ts";
import type { ControlEvent, ControlRequest } from "../protocol/control-messages.ts";
import { done, type Outcome, type Refusal, refused } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import type { CallPeer, PeerId, Signal } from "../protocol/signaling.ts";
import { type BroadcastRecord, personOf } from "./broadcast-record.ts";
import { compositorInCall } from "./call-media.ts";
import type { CallMember } from "./call-member.ts";
import { type CallView, callView, compositorConnection, mayConnect } from "./call-view.ts";
import type { CallWord } from "./call-word.ts";
import type { ControlSocket } from "./control-socket.ts";
import { isOver } from "./lifecycle.ts";
import { JOIN_COST, SIGNALS_PER_S, SignalBudget } from "./signal-budget.ts";
import type {
	CallEvent,
	IceServers,
	SignalSource,
	VirtualCall,
	VirtualJoining,
	VirtualMembers,
} from "./virtual-members.ts";

/** Pages ask for a pong every 2 s; one in the background may be let do so once a minute only. */
export const SILENT_AFTER_MS = 90_000;

export type CallRequest = Extract<ControlRequest, { type: "join-call" | "leave-call" | "signal" | "real-time-media" }>;

export interface CallRoomPorts {
	/** The control sockets that are open now. */
	sockets(): readonly ControlSocket[];
	record(): BroadcastRecord | undefined;
	/** Changes the record by it; what follows from that must not be waited for. */
	changed(word: CallWord, nowMs: number): Promise<void>;
	readonly ice: Pick<IceDesk, "configured" | "grants" | "grant" | "kept">;
	newConnection(): string;
	nowMs(): number;
	/** Sees to the end what is not waited for; it does not reject. */
	later(work: Promise<void>): void;
	/** Those in the call without a socket. */
	readonly virtual: VirtualMembers;
}

/**
 * Who is in the call, what each is told of it, and what they say to each other (worker/protocol/signaling.ts). Who is in it is in the record, and which socket is
 * whose in the sockets' attachments, so that both outlive this object's memory; what is kept here may be lost at any time.
 */
export class CallRoom implements VirtualCall {
	readonly #ports: CallRoomPorts;
	readonly #budgets = new Map<PeerId, SignalBudget>();
	/** The newest wish of each to be in the call, while it waits for ICE servers: an older one counts no more. */
	readonly #joining = new Map<PeerId, object>();
	/** To be told of the call whether it is another or not. */
	readonly #owed = new Set<string>();
	/** Sessions that ended by themselves need not be told. */
	readonly #leaving = new Set<string>();
	readonly #virtualGrants = new Map<string, IceGrant>();
	/** Connections for which credentials are being made. */
	readonly #equipping = new Set<string>();

	constructor(ports: CallRoomPorts) {
		this.#ports = ports;
	}

	/** Answers a request, but for what is told to everyone. */
	async received(
		socket: ControlSocket,
		request: CallRequest,
		bytes: number,
		nowMs: number,
	): Promise<Refusal | undefined> {
		const peer = peerOf(socket);
		if (peer === undefined) {
			return { kind: "forbidden", detail: `call: expected host, guest or compositor, got ${socket.role}` };
		}
		if (peer === "compositor" && socket.fence !== this.#ports.record()?.lease.fence) {
			socket.close("takenOver", `call: expected a compositor of the newest lease, got fence ${socket.fence ?? "none"}`);
			return undefined;
		}
		const budget = this.#budgets.get(peer) ?? new SignalBudget(nowMs);
		this.#budgets.set(peer, budget);
		const standing = budget.take(bytes, nowMs, request.type === "join-call" ? JOIN_COST : 1);
		if (standing !== "ok") {
			const detail = `call: expected at most ${SIGNALS_PER_S} messages a second for long, got more: what came was dropped`;
			return standing === "over" ? { kind: "rate-limited", detail } : undefined;
		}
		switch (request.type) {
			case "join-call":
				return this.#join(socket, request, nowMs);
			case "leave-call":
				await this.#leave(socket, nowMs);
				return undefined;
			case "signal":
				return this.#signal(socket, peer, request);
			case "real-time-media":
				return this.#realTimeMedia(socket, request.people, nowMs);
		}
	}

	/** A compositor with the newest lease has opened its control socket: it is in the call. */
	async compositorCame(socket: ControlSocket, nowMs: number): Promise<void> {
		const { fence } = socket;
		if (fence === undefined) {
			return;
		}
		const connection = compositorConnection(fence);
		if (await this.#seat(socket, "compositor", connection, nowMs)) {
			this.#dismissOthers(socket, "compositor");
			this.#owed.add(connection);
			await this.#ports.changed({ kind: "compositor", fence }, nowMs);
			this.#tellOwed();
		}
	}

	/**
	 * The socket is gone.
	 * @param isGoodbye whether the other side said so: a line that broke may be mended
	 */
	async socketClosed(socket: ControlSocket, isGoodbye: boolean, nowMs: number): Promise<void> {
		const { person, seat } = socket;
		if (person === undefined || seat === undefined) {
			// A compositor is in the call by its lease.
			return;
		}
		const { connection } = seat;
		const isStillThere = this.#ports.sockets().some((other) => other.seat?.connection === connection);
		if (!isStillThere) {
			await this.#ports.changed({ kind: isGoodbye ? "left" : "broken", person, connection }, nowMs);
		}
	}

	/** Which connections there still are, after the object was lost: what else is in the record has lost its socket. */
	connections(): string[] {
		return this.#ports.sockets().flatMap(({ seat }) => (seat === undefined ? [] : [seat.connection]));
	}

	/**
	 * What time alone changes: lines that went silent, credentials that run out. With every alarm of the object; while anybody is in the call one rings twice a
	 * minute (`STREAMS_CHECK_EVERY_MS`), and while there is a compositor oftener.
	 */
	async lookAround(nowMs: number): Promise<void> {
		for (const socket of this.#ports.sockets()) {
			const heardAtMs = socket.heardAtMs();
			if (
				socket.seat !== undefined &&
				socket.role !== "compositor" &&
				heardAtMs !== undefined &&
				nowMs - heardAtMs > SILENT_AFTER_MS
			) {
				socket.close("stalled", `control: expected a ping within ${SILENT_AFTER_MS / 1_000} s, got none`);
				await this.socketClosed(socket, false, nowMs);
			}
		}
		const due = this.#ports.sockets().filter(({ seat }) => nowMs >= (seat?.ice?.renewAtMs ?? Number.POSITIVE_INFINITY));
		await Promise.all(due.map((socket) => this.#renew(socket, nowMs)));
		this.#equipOthers();
	}

	/** Tells those whom it concerns what is different about the call now. */
	recordChanged(before: BroadcastRecord, after: BroadcastRecord): void {
		if (isSameCall(before, after)) {
			return;
		}
		for (const socket of this.#ports.sockets()) {
			const peer = peerOf(socket);
			const { seat } = socket;
			if (peer === undefined || seat === undefined) {
				continue;
			}
			const view = viewOf(after, peer, seat.connection);
			if (view === undefined) {
				socket.sit(undefined);
			} else if (this.#owed.delete(seat.connection) || !isSame(viewOf(before, peer, seat.connection), view)) {
				this.#tellOnceEquipped(socket, view);
			}
		}
		this.#tellVirtual(before, after);
	}

	async addVirtual(
		{ person, connection, credentialsVersion: ver }: VirtualJoining,
		nowMs: number,
	): Promise<Outcome<CallEvent>> {
		const record = this.#ports.record();
		const place = record && personOf(record, person);
		if (record === undefined || place === undefined) {
			return refused("not-found", `call: expected somebody with a place in the broadcast, got ${person}`);
		}
		if (isOver(record.status)) {
			return refused(
				"broadcast-ended",
				`call: expected a broadcast that is not over, got one that is ${record.status}`,
			);
		}
		if (ver !== place.credentialsVersion) {
			return refused("unauthorized", "auth: expected credentials that count, got such as were made worthless");
		}
		this.#joining.delete(person);
		this.#dismissOthers(undefined, person);
		const member = { person, connection, leg: "whip", realTime: true, streams: false, ver } as const;
		await this.#ports.changed({ kind: "joined", member }, nowMs);
		const call = this.callOf(person, connection);
		return call === undefined
			? refused("taken-over", `call: expected to be the ${person}'s newest connection, got a newer one`)
			: done(call);
	}

	async removeVirtual(person: PersonId, connection: string, nowMs: number): Promise<void> {
		this.#leaving.add(connection);
		try {
			await this.#ports.changed({ kind: "left", person, connection }, nowMs);
		} finally {
			this.#leaving.delete(connection);
			this.#virtualGrants.delete(connection);
		}
	}

	signalFromVirtual(person: PersonId, connection: string, to: PeerId, signal: Signal): boolean {
		const target = this.callOf(person, connection)?.peers.find(({ id }) => id === to);
		return target !== undefined && this.#deliver({ id: person, connection }, to, target.connection, signal);
	}

	callOf(person: PersonId, connection: string): CallEvent | undefined {
		const record = this.#ports.record();
		const view = record && viewOf(record, person, connection);
		return view && this.#event(view, this.#virtualGrants.get(connection));
	}

	realTimePeople(): readonly PersonId[] {
		const record = this.#ports.record();
		return (record && compositorInCall(record)?.realTime) ?? [];
	}

	async iceServersFor(connection: string, nowMs: number): Promise<IceServers> {
		const known = this.#virtualGrants.get(connection);
		const grant = known !== undefined && nowMs < known.renewAtMs ? known : await this.#ports.ice.grant(nowMs);
		if (grant !== undefined) {
			this.#virtualGrants.set(connection, grant);
		}
		const servers = [...this.#ports.ice.configured, ...(grant?.servers ?? [])];
		return { servers, ...(grant?.untilMs === undefined ? {} : { untilMs: grant.untilMs }) };
	}

	async #join(
		socket: ControlSocket,
		request: Extract<CallRequest, { type: "join-call" }>,
		nowMs: number,
	): Promise<Refusal | undefined> {
		const { person } = socket;
		if (person === undefined) {
			return { kind: "forbidden", detail: "call: expected a person to join it, got a compositor, which is in it" };
		}
		const before = this.#memberOf(person);
		// An encoder's connection is its own.
		const isTheirs = (connection: string) => before?.leg === "real-time" && before.connection === connection;
		const asked = socket.seat?.connection ?? request.connection;
		const connection = asked !== undefined && isTheirs(asked) ? asked : this.#ports.newConnection();
		if (!(await this.#seat(socket, person, connection, nowMs))) {
			return undefined;
		}
		this.#dismissOthers(socket, person);
		const { realTime, streams } = request;
		const record = this.#ports.record();
		const ver = socket.ver ?? (record && personOf(record, person)?.credentialsVersion) ?? 0;
		this.#owed.add(connection);
		await this.#ports.changed(
			{ kind: "joined", member: { person, connection, leg: "real-time", realTime, streams, ver } },
			nowMs,
		);
		this.#tellOwed();
		return undefined;
	}

	/** Whether the socket is to be in the call by that connection, once there are ICE servers for it: it may be gone by then, or another have come. */
	async #seat(socket: ControlSocket, peer: PeerId, connection: string, nowMs: number): Promise<boolean> {
		const wish = {};
		this.#joining.set(peer, wish);
		const before = socket.seat?.connection === connection ? socket.seat.ice : undefined;
		const isFresh = before !== undefined && nowMs < before.renewAtMs;
		const ice = isFresh ? before : await this.#granted(peer, nowMs);
		if (this.#joining.get(peer) !== wish) {
			return false;
		}
		this.#joining.delete(peer);
		if (!socket.isOpen()) {
			return false;
		}
		socket.sit({ connection, ...(ice === undefined ? {} : { ice }) });
		return true;
	}

	/** Whoever waits for admission has nobody to reach, and gets no credentials. */
	async #granted(peer: PeerId, nowMs: number): Promise<IceGrant | undefined> {
		const record = this.#ports.record();
		return record !== undefined && mayConnect(record, peer) ? this.#ports.ice.grant(nowMs) : undefined;
	}

	/** A person is in the call once, and so is a compositor: their older sockets are closed. */
	#dismissOthers(socket: ControlSocket | undefined, peer: PeerId): void {
		for (const other of this.#ports.sockets()) {
			if (other.seat !== undefined && peerOf(other) === peer && other.line !== socket?.line) {
				other.sit(undefined);
				other.close("takenOver", `call: expected one connection of the ${peer}, got a newer one`);
			}
		}
	}

	async #leave(socket: ControlSocket, nowMs: number): Promise<void> {
		const { person, seat } = socket;
		if (person !== undefined) {
			this.#joining.delete(person);
			socket.sit(undefined);
			if (seat !== undefined) {
				await this.#ports.changed({ kind: "left", person, connection: seat.connection }, nowMs);
			}
		}
	}

	#signal(
		socket: ControlSocket,
		peer: PeerId,
		{ to, connection, signal }: Extract<CallRequest, { type: "signal" }>,
	): Refusal | undefined {
		if (socket.seat === undefined) {
			return { kind: "wrong-state", detail: "call: expected somebody who has joined it, got somebody who has not" };
		}
		if (signal.kind === "rate" && peer !== "compositor") {
			return { kind: "forbidden", detail: `call: expected a compositor's advice, got the ${peer}'s` };
		}
		this.#deliver({ id: peer, connection: socket.seat.connection }, to, connection, signal);
		return undefined;
	}

	/** Whether there was somebody to deliver it to: they are in the call by that connection, and the sender sees them. */
	#deliver(from: SignalSource, to: PeerId, connection: string, signal: Signal): boolean {
		const record = this.#ports.record();
		const view = record && viewOf(record, from.id, from.connection);
		if (record === undefined || !view?.peers.some((peer) => peer.id === to && peer.connection === connection)) {
			return false;
		}
		const member = record.call.find((each) => each.connection === connection);
		if (member?.leg === "whip") {
			this.#ports.virtual.signalled(member, from, signal);
			return true;
		}
		const target = this.#ports.sockets().find((socket) => socket.seat?.connection === connection);
		if (target !== undefined) {
			send(target, { type: "signal", from: from.id, connection: from.connection, signal });
		}
		return target !== undefined;
	}

	async #realTimeMedia(
		socket: ControlSocket,
		people: readonly PersonId[],
		nowMs: number,
	): Promise<Refusal | undefined> {
		if (socket.role !== "compositor" || socket.fence === undefined) {
			return { kind: "forbidden", detail: `call: expected a compositor to say whose media comes, got ${socket.role}` };
		}
		await this.#ports.changed({ kind: "real-time-media", fence: socket.fence, people }, nowMs);
		return undefined;
	}

	async #renew(socket: ControlSocket, nowMs: number): Promise<void> {
		const { seat } = socket;
		const peer = peerOf(socket);
		if (seat?.ice === undefined || peer === undefined) {
			return;
		}
		const granted = await this.#granted(peer, nowMs);
		// It may have left, or come by another connection.
		if (granted === undefined || !socket.isOpen() || socket.seat?.connection !== seat.connection) {
			return;
		}
		const ice = this.#ports.ice.kept(seat.ice, granted);
		socket.sit({ ...seat, ice });
		const record = this.#ports.record();
		const view = record && viewOf(record, peer, seat.connection);
		if (view !== undefined && ice.servers !== seat.ice.servers) {
			this.#tell(socket, view);
		}
	}

	#tellOwed(): void {
		const record = this.#ports.record();
		for (const socket of this.#ports.sockets()) {
			const peer = peerOf(socket);
			const { seat } = socket;
			if (record !== undefined && peer !== undefined && seat !== undefined && this.#owed.delete(seat.connection)) {
				const view = viewOf(record, peer, seat.connection);
				if (view !== undefined) {
					this.#tellOnceEquipped(socket, view);
				}
			}
		}
	}

	/** Who has just been admitted is told of the others when there are servers to reach them by. */
	#tellOnceEquipped(socket: ControlSocket, view: CallView): void {
		const { connection } = view.self;
		if (!this.#ports.ice.grants || !view.isAdmitted || socket.seat?.ice !== undefined) {
			this.#tell(socket, view);
		} else if (!this.#equipping.has(connection)) {
			this.#equipping.add(connection);
			this.#ports.later(this.#equip(socket, view.self));
		}
	}

	/** An object that was lost may not have come to it. */
	#equipOthers(): void {
		const record = this.#ports.record();
		for (const socket of this.#ports.ice.grants ? this.#ports.sockets() : []) {
			const peer = peerOf(socket);
			const { seat } = socket;
			const isUnequipped = peer !== undefined && seat !== undefined && seat.ice === undefined;
			const view = isUnequipped && record !== undefined ? viewOf(record, peer, seat.connection) : undefined;
			if (view?.isAdmitted) {
				this.#tellOnceEquipped(socket, view);
			}
		}
	}

	async #equip(socket: ControlSocket, { id, connection }: CallPeer): Promise<void> {
		const ice = await this.#ports.ice.grant(this.#ports.nowMs());
		this.#equipping.delete(connection);
		const record = this.#ports.record();
		const view = record && viewOf(record, id, connection);
		if (view !== undefined && socket.isOpen() && socket.seat?.connection === connection) {
			socket.sit({ connection, ...(ice === undefined || !view.isAdmitted ? {} : { ice }) });
			this.#tell(socket, view);
		}
	}

	#tell(socket: ControlSocket, view: CallView): void {
		send(socket, this.#event(view, socket.seat?.ice));
	}

	#tellVirtual(before: BroadcastRecord, after: BroadcastRecord): void {
		for (const member of before.call.filter(isVirtual)) {
			const { connection } = member;
			if (!after.call.some((each) => each.connection === connection) && !this.#leaving.has(connection)) {
				this.#virtualGrants.delete(connection);
				this.#ports.virtual.over(member, whyOver(after, member));
			}
		}
		for (const member of after.call.filter(isVirtual)) {
			const { person, connection } = member;
			const view = viewOf(after, person, connection);
			if (view !== undefined && !isSame(viewOf(before, person, connection), view)) {
				this.#ports.virtual.callChanged(member, this.#event(view, this.#virtualGrants.get(connection)));
			}
		}
	}

	#event({ self, peers, isAdmitted }: CallView, granted: IceGrant | undefined): CallEvent {
		const ice = isAdmitted ? granted : undefined;
		return {
			type: "call",
			self,
			peers,
			iceServers: isAdmitted ? [...this.#ports.ice.configured, ...(ice?.servers ?? [])] : [],
			...(ice?.untilMs === undefined ? {} : { iceServersUntilMs: ice.untilMs }),
		};
	}

	#memberOf(person: PersonId): CallMember | undefined {
		return this.#ports.record()?.call.find((member) => member.person === person);
	}
}

function peerOf({ role, person }: ControlSocket): PeerId | undefined {
	return role === "compositor" ? "compositor" : person;
}

/** What that connection sees, while it is the one by which they are in the call. */
function viewOf(record: BroadcastRecord, peer: PeerId, connection: string): CallView | undefined {
	const view = isOver(record.status) ? undefined : callView(record, peer);
	return view?.self.connection === connection ? view : undefined;
}

function isSame(before: CallView | undefined, after: CallView): boolean {
	return JSON.stringify(before) === JSON.stringify(after);
}

/** Nothing that anybody is told of the call has changed. */
function isSameCall(before: BroadcastRecord, after: BroadcastRecord): boolean {
	return (
		before.call === after.call &&
		before.callCompositor === after.callCompositor &&
		before.lease === after.lease &&
		before.people === after.people
	);
}

function isVirtual({ leg }: CallMember): boolean {
	return leg === "whip";
}

function whyOver(after: BroadcastRecord, { person, ver }: CallMember): string {
	if (isOver(after.status) || after.deleted) {
		return "broadcast: it has ended";
	}
	if (after.call.some((member) => member.person === person)) {
		return `call: a newer connection of the ${person} took over`;
	}
	return ver === personOf(after, person)?.credentialsVersion
		? "call: nothing came from it for too long"
		: "auth: what it came with was made worthless";
}

function send(socket: ControlSocket, event: ControlEvent): void {
	socket.send(JSON.stringify(event));
}
