import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import type { ControlEvent, ControlRequest } from "../../../worker/protocol/control-messages.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../../../worker/protocol/control-messages.ts";
import { BEARER_SUBPROTOCOL_PREFIX } from "../../../worker/protocol/media-socket.ts";
import { PERSON_IDS, type PersonId } from "../../../worker/protocol/roles.ts";
import type { CallPeer, PeerId, Signal } from "../../../worker/protocol/signaling.ts";
import { type EdgeConnection, FakeEdge } from "../page/fake-edge.ts";

interface Member {
	readonly id: PeerId;
	readonly connection: string;
	readonly edge: EdgeConnection;
	realTime: boolean;
}

/** Of the broadcast, as far as a stream leg asks for it. */
const FORMAT = { width: 1_280, height: 720, frameRate: 30, videoBitrate: 3_000_000 };

/** A token that says whom it is for, and is signed by nobody. */
export function tokenOf(id: PeerId): string {
	return `e30.${Buffer.from(JSON.stringify({ role: id })).toString("base64url")}.c2ln`;
}

/** The Worker's end of one broadcast's control sockets, as far as a call needs it; in the hands of a test. Media sockets are open and hear nothing. */
export class FakeCall {
	/** Everything that was passed on. */
	readonly signals: { readonly from: PeerId; readonly to: PeerId; readonly signal: Signal }[] = [];
	/** Paths of media sockets that were asked for. */
	readonly mediaPaths: string[] = [];
	readonly admitted = new Set<PersonId>(["host", "guest"]);
	/** What is not passed on. */
	drop: (from: PeerId, to: PeerId, signal: Signal) => boolean = () => false;
	readonly #edge: FakeEdge;
	readonly #sockets = new Map<EdgeConnection, PeerId>();
	#members: Member[] = [];
	#version = 1;
	#connectionCount = 0;

	private constructor(edge: FakeEdge) {
		this.#edge = edge;
	}

	static async open(): Promise<FakeCall> {
		let call: FakeCall | undefined;
		const edge = await FakeEdge.open({
			onConnection: (connection) => call?.connected(connection),
			onMessage: (connection) => call?.heard(connection),
			onRequest: (request, response) => {
				const allowed = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
				response.writeHead(200, { ...allowed, "content-type": "application/json" });
				response.end(request.method === "OPTIONS" ? "" : JSON.stringify(FORMAT));
			},
		});
		call = new FakeCall(edge);
		return call;
	}

	get origin(): string {
		return this.#edge.origin;
	}

	get members(): readonly PeerId[] {
		return this.#members.map(({ id }) => id);
	}

	/** Tells everybody what holds. */
	tell(): void {
		this.#version += 1;
		for (const [edge, id] of this.#sockets) {
			if (id !== "compositor") {
				send(edge, this.#status());
			}
		}
		for (const member of this.#members) {
			send(member.edge, this.#callOf(member));
		}
	}

	/** Says something in another's name. */
	say(from: PeerId, to: PeerId, signal: Signal): void {
		const sender = this.#member(from);
		const target = this.#member(to);
		if (sender !== undefined && target !== undefined) {
			send(target.edge, { type: "signal", from, connection: sender.connection, signal });
		}
	}

	/** Descriptions that were passed on between two, either way. */
	descriptions(one: PeerId, other: PeerId): string[] {
		return this.signals.flatMap(({ from, to, signal }) =>
			signal.kind === "description" && [from, to].includes(one) && [from, to].includes(other)
				? [`${from} ${signal.type}`]
				: [],
		);
	}

	/** Cuts someone's control socket without a word. */
	cut(id: PeerId): void {
		this.#member(id)?.edge.cut();
	}

	dismiss(id: PeerId, kind: keyof typeof CLOSE, reason: string): void {
		this.#member(id)?.edge.socket.close(CLOSE[kind].code, reason);
	}

	close(): Promise<void> {
		return this.#edge.close();
	}

	connected(edge: EdgeConnection): void {
		const { pathname } = new URL(edge.path, this.origin);
		if (pathname.includes("/media/")) {
			this.mediaPaths.push(edge.path);
			return;
		}
		const id = idOf(edge.protocols);
		this.#sockets.set(edge, id);
		void edge.closed.then(() => {
			this.#sockets.delete(edge);
			this.#leave(edge);
		});
		if (id === "compositor") {
			this.#join(edge, id, true);
		} else {
			send(edge, this.#status());
		}
	}

	heard(edge: EdgeConnection): void {
		const text = edge.messages.at(-1);
		const id = this.#sockets.get(edge);
		if (typeof text !== "string" || id === undefined) {
			return;
		}
		if (text === CONTROL_PING_TEXT) {
			edge.socket.send(CONTROL_PONG_TEXT);
			return;
		}
		const request = JSON.parse(text) as ControlRequest;
		switch (request.type) {
			case "join-call":
				this.#join(edge, id, request.realTime);
				return;
			case "leave-call":
				this.#leave(edge);
				return;
			case "signal":
				this.#relay(edge, request);
				return;
			case "command":
				send(edge, { type: "done", ...(request.id === undefined ? {} : { id: request.id }), version: this.#version });
		}
	}

	#join(edge: EdgeConnection, id: PeerId, realTime: boolean): void {
		const older = this.#members.filter((member) => member.id === id && member.edge !== edge);
		this.#connectionCount += 1;
		const connection = `${id}-${this.#connectionCount}`;
		this.#members = [...this.#members.filter((member) => member.id !== id), { id, connection, edge, realTime }];
		for (const { edge: other } of older) {
			other.socket.close(CLOSE.takenOver.code, "call: a newer connection of the same person took over");
		}
		this.tell();
	}

	#leave(edge: EdgeConnection): void {
		const before = this.#members.length;
		this.#members = this.#members.filter((member) => member.edge !== edge);
		if (this.#members.length !== before) {
			this.tell();
		}
	}

	#relay(edge: EdgeConnection, { to, connection, signal }: Extract<ControlRequest, { type: "signal" }>): void {
		const sender = this.#members.find((member) => member.edge === edge);
		const target = this.#member(to);
		if (sender === undefined || target?.connection !== connection || this.drop(sender.id, to, signal)) {
			return;
		}
		this.signals.push({ from: sender.id, to, signal });
		send(target.edge, { type: "signal", from: sender.id, connection: sender.connection, signal });
	}

	#member(id: PeerId): Member | undefined {
		return this.#members.find((member) => member.id === id);
	}

	#callOf(member: Member): ControlEvent {
		const isSeen = ({ id }: Member) => id === "compositor" || this.admitted.has(id);
		const peer = ({ id, connection, realTime }: Member): CallPeer => ({ id, connection, realTime });
		const peers = isSeen(member) ? this.#members.filter((other) => other !== member && isSeen(other)) : [];
		return { type: "call", self: peer(member), peers: peers.map(peer), iceServers: [] };
	}

	#status(): ControlEvent {
		const people = PERSON_IDS.slice(0, 2).map((id) => ({
			id,
			name: id === "host" ? "Ada" : "Grace",
			live: this.members.includes(id),
			admitted: this.admitted.has(id),
			muted: false,
		}));
		return { type: "status", status: "lobby", layout: "landscape", liveStreams: [], version: this.#version, people };
	}
}

function idOf(protocols: string): PeerId {
	const bearer = protocols.split(/, */).find((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL_PREFIX)) ?? "";
	const [, payload = ""] = bearer.slice(BEARER_SUBPROTOCOL_PREFIX.length).split(".");
	return JSON.parse(Buffer.from(payload, "base64url").toString()).role;
}

function send(edge: EdgeConnection, event: ControlEvent): void {
	if (edge.socket.readyState === edge.socket.OPEN) {
		edge.socket.send(JSON.stringify(event));
	}
}
