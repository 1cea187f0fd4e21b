import { describe, expect, test } from "vitest";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { CallRoom, SILENT_AFTER_MS } from "../../../worker/broadcast/call-room.ts";
import type { CallSeat, ControlMember, ControlSocket } from "../../../worker/broadcast/control-socket.ts";
import type { CallEvent, VirtualJoining } from "../../../worker/broadcast/virtual-members.ts";
import type { IceGrant } from "../../../worker/ice/ice-desk.ts";
import type { CloseKind } from "../../../worker/protocol/close-codes.ts";
import { type ControlEvent, controlEventSchema } from "../../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { IceServer, Signal } from "../../../worker/protocol/signaling.ts";
import { give, World } from "./broadcast-world.ts";

const OFFER: Signal = { kind: "description", type: "offer", sdp: "v=0", complete: true };
const ANSWER: Signal = { kind: "description", type: "answer", sdp: "v=0" };

class FakeSocket {
	readonly line = this;
	readonly openedAtMs = 0;
	readonly told: ControlEvent[] = [];
	closedAs: CloseKind | undefined;
	heard: number | undefined;
	seat: CallSeat | undefined;
	readonly role: ControlMember["role"];
	readonly person?: NonNullable<ControlMember["person"]>;
	readonly fence?: number;

	constructor(role: ControlMember["role"], more: Pick<ControlMember, "person" | "fence"> = {}) {
		this.role = role;
		Object.assign(this, more);
	}

	sit(seat: CallSeat | undefined): void {
		this.seat = seat;
	}

	isOpen(): boolean {
		return this.closedAs === undefined;
	}

	heardAtMs(): number | undefined {
		return this.heard;
	}

	send(text: string): void {
		this.told.push(controlEventSchema.parse(JSON.parse(text)));
	}

	close(kind: CloseKind): void {
		this.closedAs ??= kind;
	}

	calls(): CallEvent[] {
		return this.told.splice(0).filter((event): event is CallEvent => event.type === "call");
	}
}

/** A broadcast in its lobby and its call, with `words` that came for encoders. */
class Room extends World {
	readonly sockets: FakeSocket[] = [];
	readonly words: unknown[] = [];
	readonly configured: IceServer[] = [];
	readonly later: Promise<void>[] = [];
	grant: IceGrant | undefined;
	/** Whether the deployment has any to give. */
	readonly grants: boolean;
	/** Times that it was asked for. */
	granted = 0;
	broadcast: BroadcastControl;
	room: CallRoom;
	#connections = 0;

	constructor(grants = false) {
		super();
		this.grants = grants;
		this.broadcast = this.control();
		this.room = this.#newRoom();
	}

	#newRoom(): CallRoom {
		return new CallRoom({
			sockets: () => this.sockets.filter((socket) => socket.isOpen()) as readonly ControlSocket[],
			record: () => this.broadcast.record,
			changed: async (word, nowMs) => {
				await this.broadcast.callChanged(word, nowMs);
				await this.broadcast.settle(nowMs);
			},
			ice: {
				configured: this.configured,
				grants: this.grants,
				grant: async () => {
					this.granted++;
					return this.grant;
				},
				kept: (_, granted) => granted,
			},
			newConnection: () => `new-${++this.#connections}`,
			nowMs: () => 1_000,
			later: (work) => this.later.push(work),
			virtual: {
				signalled: ({ connection }, from, { kind }) => this.words.push([connection, from.id, from.connection, kind]),
				callChanged: ({ connection }, { peers }) => this.words.push([connection, peers.map(({ id }) => id).join()]),
				over: ({ connection }, reason) => this.words.push([connection, reason]),
			},
		});
	}

	/** What an eviction does: all memory is gone, and the sockets are not. */
	forget(): void {
		this.broadcast = this.control(structuredClone(this.stored));
		this.room = this.#newRoom();
	}

	protected override callChanged(before: BroadcastRecord, after: BroadcastRecord): void {
		this.room.recordChanged(before, after);
	}

	async joins(person: "host" | "guest", nowMs: number): Promise<FakeSocket> {
		const socket = this.opens(person, { person });
		await this.room.received(socket, { type: "join-call", realTime: true, streams: true }, 10, nowMs);
		return socket;
	}

	opens(role: ControlMember["role"], more: Pick<ControlMember, "person" | "fence"> = {}): FakeSocket {
		const socket = new FakeSocket(role, more);
		this.sockets.push(socket);
		return socket;
	}

	async compositor(nowMs: number): Promise<FakeSocket> {
		const { fence = 0 } = this.broadcast.record?.lease ?? {};
		const socket = this.opens("compositor", { fence });
		await this.room.compositorCame(socket, nowMs);
		return socket;
	}

	taking(): unknown[] {
		return this.words.splice(0);
	}
}

function encoder(person: PersonId, connection: string, credentialsVersion = 1): VirtualJoining {
	return { person, connection, credentialsVersion };
}

async function lobby(): Promise<Room> {
	const room = new Room();
	await room.create(room.broadcast);
	return room;
}

describe("an encoder in the call", () => {
	test("brings a compositor, which it talks to and nobody else does", async () => {
		const world = await lobby();
		const host = await world.joins("host", 1_000);
		host.calls();
		const added = await world.room.addVirtual(encoder("guest", "whip-1"), 2_000);
		expect(added).toMatchObject({
			ok: true,
			value: { self: { id: "guest", connection: "whip-1" }, peers: [{ id: "host" }] },
		});
		expect(world.calls).toContain("acquire 1");
		expect(host.calls()).toMatchObject([{ peers: [{ id: "guest", connection: "whip-1", realTime: false }] }]);
		expect(world.taking()).toEqual([["whip-1", "host"]]);
		expect(world.room.signalFromVirtual("guest", "whip-1", "compositor", OFFER)).toBe(false);

		const compositor = await world.compositor(3_000);
		expect(compositor.calls()).toMatchObject([
			{
				peers: [
					{ id: "host", realTime: true },
					{ id: "guest", realTime: true },
				],
			},
		]);
		expect(world.taking()).toEqual([["whip-1", "host,compositor"]]);
		expect(world.room.signalFromVirtual("guest", "whip-1", "compositor", OFFER)).toBe(true);
		expect(compositor.told).toMatchObject([{ from: "guest", connection: "whip-1", signal: OFFER }]);
		const to = { to: "guest", connection: "whip-1", signal: ANSWER } as const;
		await world.room.received(compositor, { type: "signal", ...to }, 10, 3_000);
		expect(world.taking()).toEqual([["whip-1", "compositor", "compositor-1", "description"]]);
		await world.room.received(compositor, { type: "real-time-media", people: ["guest"] }, 10, 4_000);
		expect(world.room.realTimePeople()).toEqual(["guest"]);
	});

	test("is in it still when the object has lost its memory, and hears of a compositor that is replaced", async () => {
		const world = await lobby();
		await world.room.addVirtual(encoder("host", "whip-1"), 1_000);
		await world.compositor(2_000);
		world.taking();
		world.forget();
		expect(world.room.callOf("host", "whip-1")).toMatchObject({ peers: [{ connection: "compositor-1" }] });
		await world.broadcast.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, 3_000);
		await world.broadcast.settle(3_000);
		expect(world.taking()).toEqual([["whip-1", ""]]);
		await world.compositor(4_000);
		expect(world.taking()).toEqual([["whip-1", "compositor"]]);
		expect(world.room.callOf("host", "whip-1")).toMatchObject({ peers: [{ connection: "compositor-2" }] });
	});

	test("is told when it is out, unless it said so itself", async () => {
		const world = await lobby();
		await world.room.addVirtual(encoder("guest", "whip-1"), 1_000);
		await world.room.addVirtual(encoder("guest", "whip-2"), 2_000);
		expect(world.taking()).toEqual([
			["whip-1", ""],
			["whip-1", expect.stringContaining("took over")],
			["whip-2", ""],
		]);
		await world.room.removeVirtual("guest", "whip-1", 3_000);
		await world.room.removeVirtual("guest", "whip-2", 3_000);
		expect([world.taking(), world.broadcast.record?.call]).toEqual([[], []]);
		await world.room.addVirtual(encoder("guest", "whip-3"), 4_000);
		await give(world.broadcast, { type: "remove-person", personId: "guest" }, 5_000);
		await world.room.addVirtual(encoder("host", "whip-4"), 6_000);
		await give(world.broadcast, { type: "end" }, 7_000);
		const whys = world.taking().filter((word) => String(word).includes(": "));
		expect(whys).toEqual([
			["whip-3", expect.stringContaining("worthless")],
			["whip-4", expect.stringContaining("has ended")],
		]);
	});

	test("is told when the broadcast is deleted", async () => {
		const world = await lobby();
		await world.room.addVirtual(encoder("host", "whip-1"), 1_000);
		await give(world.broadcast, { type: "delete" }, 2_000);
		expect(world.taking().at(-1)).toEqual(["whip-1", expect.stringContaining("has ended")]);
	});

	test("takes over from a page, and a page from it", async () => {
		const world = await lobby();
		const page = await world.joins("host", 1_000);
		await world.room.addVirtual(encoder("host", "whip-1"), 2_000);
		expect(page.closedAs).toBe("takenOver");
		await world.room.socketClosed(page as ControlSocket, true, 2_000);
		expect(world.room.callOf("host", "whip-1")).toBeDefined();
		await world.joins("host", 3_000);
		expect(world.taking().at(-1)).toEqual(["whip-1", expect.stringContaining("took over")]);
		expect(world.room.callOf("host", "whip-1")).toBeUndefined();
	});

	test("needs a place in a broadcast that is not over", async () => {
		const world = await lobby();
		expect(await world.room.addVirtual(encoder("guest-4", "whip-1"), 1_000)).toMatchObject({
			refusal: { kind: "not-found" },
		});
		await give(world.broadcast, { type: "end" }, 2_000);
		expect(await world.room.addVirtual(encoder("host", "whip-1"), 3_000)).toMatchObject({
			refusal: { kind: "broadcast-ended" },
		});
	});

	test("that came with credentials that are worth nothing any more is not let in, and takes nobody's place", async () => {
		const world = await lobby();
		const page = await world.joins("host", 1_000);
		expect(await world.room.addVirtual(encoder("host", "whip-1", 2), 2_000)).toMatchObject({
			refusal: { kind: "unauthorized" },
		});
		expect([page.closedAs, world.room.callOf("host", "whip-1")]).toEqual([undefined, undefined]);
	});

	test("gives its connection to no page", async () => {
		const world = await lobby();
		await world.room.addVirtual(encoder("host", "whip-1"), 1_000);
		const page = world.opens("host", { person: "host" });
		const join = { type: "join-call", realTime: true, streams: true, connection: "whip-1" } as const;
		await world.room.received(page as ControlSocket, join, 10, 2_000);
		expect(page.calls().at(-1)?.self.connection).toBe("new-1");
		expect(world.taking().at(-1)).toEqual(["whip-1", expect.stringContaining("took over")]);
	});

	test("has ICE servers of its own, made once until they run out", async () => {
		const world = await lobby();
		const server = (name: string) => ({ urls: ["turn:t.example"], username: name, credential: "c" });
		world.grant = { servers: [server("a")], untilMs: 9_000, renewAtMs: 5_000 };
		await world.room.addVirtual(encoder("host", "whip-1"), 1_000);
		expect(await world.room.iceServersFor("whip-1", 1_000)).toEqual({ servers: [server("a")], untilMs: 9_000 });
		world.grant = { servers: [server("b")], untilMs: 19_000, renewAtMs: 15_000 };
		expect((await world.room.iceServersFor("whip-1", 4_999)).servers).toEqual([server("a")]);
		expect((await world.room.iceServersFor("whip-1", 5_000)).servers).toEqual([server("b")]);
		expect((await world.room.iceServersFor("whip-2", 5_000)).servers).toEqual([server("b")]);
	});
});

test("a line that has gone silent is closed, and its person is waited for", async () => {
	const world = await lobby();
	const [host, guest] = [await world.joins("host", 1_000), await world.joins("guest", 1_000)];
	guest.heard = 10_000;
	await world.room.lookAround(10_000 + SILENT_AFTER_MS);
	expect(guest.closedAs).toBeUndefined();
	await world.room.lookAround(10_001 + SILENT_AFTER_MS);
	expect([host.closedAs, guest.closedAs]).toEqual([undefined, "stalled"]);
	expect(world.broadcast.record?.call[1]).toMatchObject({ person: "guest", awaySinceMs: 10_001 + SILENT_AFTER_MS });
});

test("an older compositor has no say in the call", async () => {
	const world = await lobby();
	await world.joins("host", 1_000);
	await world.room.addVirtual(encoder("guest", "whip-1"), 1_000);
	const old = await world.compositor(2_000);
	await world.broadcast.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, 3_000);
	await world.broadcast.settle(3_000);
	const heard = world.taking().length;
	const to = { to: "guest", connection: "whip-1", signal: ANSWER } as const;
	await world.room.received(old as ControlSocket, { type: "signal", ...to }, 10, 3_500);
	await world.room.received(old as ControlSocket, { type: "real-time-media", people: ["guest"] }, 10, 3_500);
	expect([old.closedAs, heard, world.taking(), world.room.realTimePeople()]).toEqual(["takenOver", heard, [], []]);
	await world.room.compositorCame(old as ControlSocket, 4_000);
	expect(world.broadcast.record?.callCompositor?.fence).toBe(1);
	expect(world.room.callOf("guest", "whip-1")?.peers.map(({ id }) => id)).toEqual(["host"]);
});

test("credentials are renewed when they are due, and everybody else is left alone", async () => {
	const world = await lobby();
	const servers = [{ urls: ["turn:t.example"], username: "a", credential: "c" }];
	world.grant = { servers, untilMs: 9_000, renewAtMs: 5_000 };
	const host = await world.joins("host", 1_000);
	world.grant = { servers, untilMs: 19_000, renewAtMs: 15_000 };
	const guest = await world.joins("guest", 1_000);
	[host, guest].map((socket) => socket.calls());
	await world.room.lookAround(4_999);
	expect(host.calls()).toEqual([]);
	world.grant = { servers: [{ ...(servers[0] ?? { urls: [] }), username: "b" }], untilMs: 29_000, renewAtMs: 25_000 };
	await world.room.lookAround(5_000);
	expect(host.calls()).toMatchObject([{ iceServers: [{ username: "b" }], iceServersUntilMs: 29_000 }]);
	expect(guest.calls()).toEqual([]);
	await world.room.lookAround(14_999);
	expect(guest.calls()).toEqual([]);
	await world.room.lookAround(15_000);
	expect([host.calls(), guest.calls()]).toMatchObject([[], [{ iceServers: [{ username: "b" }] }]]);
});

const TURN = { urls: ["turn:t.example"], username: "a", credential: "c" };
const STUN = { urls: ["stun:s.example"] };

/** A guest waits in the call for being admitted. */
async function waiting() {
	const world = new Room(true);
	world.configured.push(STUN);
	world.grant = { servers: [TURN], untilMs: 90_000, renewAtMs: 50_000 };
	await world.create(world.broadcast, { guestAdmission: "manual" });
	return { world, guest: await world.joins("guest", 1_000), host: await world.joins("host", 1_000) };
}

const admit = ({ broadcast }: Room) => give(broadcast, { type: "admit-person", personId: "guest" }, 2_000);

test("a guest who waits gets no ICE servers, and is told of the others with some once admitted", async () => {
	const { world, guest, host } = await waiting();
	expect(guest.calls()).toMatchObject([{ peers: [], iceServers: [] }]);
	expect(guest.seat?.ice).toBeUndefined();
	expect(host.calls().at(-1)?.iceServers).toEqual([STUN, TURN]);
	expect(world.granted).toBe(1);
	await admit(world);
	await Promise.all(world.later);
	expect(guest.calls()).toMatchObject([
		{ peers: [{ id: "host" }], iceServers: [STUN, TURN], iceServersUntilMs: 90_000 },
	]);
	await world.room.lookAround(3_000);
	expect(world.granted).toBe(2);
});

test("who was admitted as the object was lost gets ICE servers when it looks around", async () => {
	const { world, guest } = await waiting();
	await admit(world);
	world.forget();
	guest.calls();
	guest.sit({ connection: guest.seat?.connection ?? "" });
	world.later.splice(0);
	await world.room.lookAround(3_000);
	await Promise.all(world.later);
	expect(guest.calls()).toMatchObject([{ peers: [{ id: "host" }], iceServers: [STUN, TURN] }]);
});
