import { describe, expect, test } from "vitest";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import { type BroadcastRecord, newBroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { MEDIA_WITHIN_MS, mediaDueMs } from "../../../worker/broadcast/call-media.ts";
import type { CallMember } from "../../../worker/broadcast/call-member.ts";
import { callView } from "../../../worker/broadcast/call-view.ts";
import { type CallWord, RESUME_WITHIN_MS } from "../../../worker/broadcast/call-word.ts";
import { compositorWanted } from "../../../worker/broadcast/compositor-wanted.ts";
import { eventsBetween } from "../../../worker/broadcast/events/events-between.ts";
import { sceneOf } from "../../../worker/broadcast/scene.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import { give, INPUT, live, World } from "./broadcast-world.ts";

const MEMBER = { leg: "real-time", realTime: true, streams: false, ver: 1 } as const;
const SOON_MS = 3_600_000;

function recordOf(control: BroadcastControl): BroadcastRecord {
	if (control.record === undefined) {
		throw new Error("test: expected a record");
	}
	return control.record;
}

async function say(control: BroadcastControl, word: CallWord, nowMs: number): Promise<void> {
	await control.callChanged(word, nowMs);
	await control.settle(nowMs);
}

function joins(control: BroadcastControl, person: PersonId, nowMs: number, changes: Partial<CallMember> = {}) {
	const member = { ...MEMBER, person, connection: `${person}-1`, ...changes };
	return say(control, { kind: "joined", member }, nowMs);
}

const leaves = (control: BroadcastControl, person: PersonId, nowMs: number) =>
	say(control, { kind: "left", person, connection: `${person}-1` }, nowMs);

const breaks = (control: BroadcastControl, person: PersonId, nowMs: number) =>
	say(control, { kind: "broken", person, connection: `${person}-1` }, nowMs);

/** The compositor's media, by the lease it has. */
const sees = (control: BroadcastControl, people: PersonId[], nowMs: number) =>
	say(control, { kind: "real-time-media", fence: recordOf(control).lease.fence, people }, nowMs);

const compositorComes = (control: BroadcastControl, nowMs: number) =>
	say(control, { kind: "compositor", fence: recordOf(control).lease.fence }, nowMs);

async function streams(control: BroadcastControl, stream: PersonId, state: "live" | "idle", nowMs: number) {
	await control.streamChanged({ stream, state }, nowMs);
	await control.settle(nowMs);
}

async function ring(world: World, control: BroadcastControl): Promise<number> {
	const nowMs = world.wakeAtMs ?? Number.NaN;
	await control.settle(nowMs);
	return nowMs;
}

const expectedIn = (control: BroadcastControl) => {
	const { layout, people } = sceneOf(recordOf(control));
	return [layout, ...people.filter(({ expected }) => expected).map(({ id }) => id)];
};

const inCall = (control: BroadcastControl) => recordOf(control).call.map(({ connection }) => connection);

/** Host by stream and call, guest in the call, the compositor in it since 3 s. */
async function talking() {
	const { world, control } = await live();
	await joins(control, "host", 1_500, { streams: true });
	await streams(control, "host", "live", 1_600);
	await joins(control, "guest", 2_000);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, 2_500);
	await compositorComes(control, 3_000);
	await control.streamChanged({ stream: "composite/main", state: "live", fence: 1 }, 3_000);
	world.taken();
	return { world, control };
}

describe("being in the call", () => {
	test("a host who streams is passed through, and a guest in the call brings a compositor", async () => {
		const { world, control } = await live();
		await joins(control, "host", 1_500, { streams: true });
		await streams(control, "host", "live", 1_600);
		expect(world.taken()).toEqual([]);
		await joins(control, "guest", 2_000);
		expect(world.taken()).toContain("acquire 1");
		expect(world.plan?.prefers).toBe("composite");
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
	});

	test("a guest who is not admitted brings none, and is expected from the moment they are", async () => {
		const { world, control } = await live({ guestAdmission: "manual" });
		await streams(control, "host", "live", 1_500);
		await joins(control, "guest", 2_000);
		expect(world.taken()).toEqual([]);
		expect(expectedIn(control)).toEqual(["solo", "host"]);
		await give(control, { type: "admit-person", personId: "guest" }, 60_000);
		expect(world.taken()).toContain("acquire 1");
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
	});

	test("who leaves has left, is waited for as ever, and then the compositor goes", async () => {
		const { world, control } = await talking();
		await sees(control, ["guest"], 4_000);
		await leaves(control, "guest", 20_000);
		expect(recordOf(control)).toMatchObject({ leftAtMs: { guest: 20_000 }, expected: ["host", "guest"] });
		await control.settle(29_999);
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
		await control.settle(30_000);
		expect(expectedIn(control)).toEqual(["solo", "host"]);
		expect(world.plan?.prefers).toBe("host");
	});

	test("who stops streaming and is still in the call has not left, nor who leaves the call and still streams", async () => {
		const { control } = await talking();
		await streams(control, "host", "idle", 5_000);
		expect(recordOf(control).leftAtMs).toEqual({});
		await streams(control, "host", "live", 6_000);
		await leaves(control, "host", 7_000);
		expect(recordOf(control).leftAtMs).toEqual({});
		await streams(control, "host", "idle", 8_000);
		expect(recordOf(control).leftAtMs).toEqual({ host: 8_000 });
	});

	test("the Router's figures say nothing of who is only in the call", async () => {
		const { world, control } = await talking();
		world.publishing = ["host"];
		for (let nowMs = 0; !world.calls.includes("router-stats"); ) {
			nowMs = await ring(world, control);
			expect(nowMs).toBeLessThan(60_000);
		}
		expect(inCall(control)).toEqual(["host-1", "guest-1"]);
		expect(recordOf(control).leftAtMs).toEqual({});
	});

	test("joining and leaving is told as an event once, whatever else changes", async () => {
		const { control } = await live();
		const events: string[] = [];
		const noting = async (action: () => Promise<void>, nowMs: number) => {
			const before = recordOf(control);
			await action();
			const told = eventsBetween(before, recordOf(control), { actor: "system" }, nowMs);
			events.push(...told.map(({ type }) => type).filter((type) => type.startsWith("person.")));
		};
		await noting(() => joins(control, "guest", 2_000), 2_000);
		await noting(() => streams(control, "guest", "live", 3_000), 3_000);
		await noting(() => joins(control, "guest", 4_000, { realTime: false }), 4_000);
		await noting(() => streams(control, "guest", "idle", 5_000), 5_000);
		await noting(() => breaks(control, "guest", 6_000), 6_000);
		expect(events).toEqual(["person.joined"]);
		await noting(() => control.settle(6_000 + RESUME_WITHIN_MS), 16_000);
		expect(events).toEqual(["person.joined", "person.left"]);
	});

	test("a newer connection takes the place of the older one, whose end says nothing any more", async () => {
		const { control } = await talking();
		await sees(control, ["guest"], 4_000);
		await joins(control, "guest", 5_000, { connection: "guest-2" });
		expect(inCall(control)).toEqual(["host-1", "guest-2"]);
		expect(recordOf(control).callCompositor?.realTime).toEqual([]);
		await leaves(control, "guest", 6_000);
		await breaks(control, "guest", 6_000);
		expect(recordOf(control).call[1]).not.toHaveProperty("awaySinceMs");
		expect(recordOf(control).leftAtMs).toEqual({});
	});

	test.each([
		["removed", { type: "remove-person", personId: "guest" }],
		["given new credentials", { type: "renew-credentials", personId: "guest", streamKeyHash: "new" }],
	] as const)("who is %s is out of the call at once", async (_, command) => {
		const { control } = await talking();
		await give(control, command, 5_000);
		expect(inCall(control)).toEqual(["host-1"]);
		expect(recordOf(control).leftAtMs).toEqual({ guest: 5_000 });
		await joins(control, "guest", 6_000);
		expect(inCall(control)).toEqual(["host-1"]);
		await joins(control, "guest", 6_000, { ver: 2 });
		expect(inCall(control)).toEqual(["host-1", "guest-1"]);
	});

	test("nobody is in the call of a broadcast that is over, nor comes into it", async () => {
		const { control } = await talking();
		await give(control, { type: "end" }, 5_000);
		await joins(control, "guest", 6_000);
		expect(inCall(control)).toEqual([]);
		expect(recordOf(control)).toMatchObject({ status: "ended", expected: [] });
	});

	test("a broadcast with somebody in the call is attended, and ends for want of people after them", async () => {
		const { world, control } = await live({ holdSeconds: 30 });
		await joins(control, "host", 2_000, { streams: false });
		await control.settle(10 * 3_600_000);
		expect(recordOf(control).status).toBe("live");
		await leaves(control, "host", 36_001_000);
		await control.settle(36_030_000);
		expect(recordOf(control).status).toBe("live");
		await control.settle(36_031_000);
		expect(world.stored).toMatchObject({ status: "ended", endReason: "nobody came back for 30 s" });
	});

	test.each([
		["a page", {}],
		["an encoder by WHIP", { leg: "whip" }],
	] as const)("startMode auto goes live when the host comes by %s", async (_, how) => {
		const world = new World();
		const control = world.control();
		await world.create(control, { startMode: "auto" });
		await joins(control, "guest", 1_000);
		expect(recordOf(control).status).toBe("lobby");
		await joins(control, "host", 2_000, how);
		expect(recordOf(control).status).toBe("live");
	});
});

describe("a broken control socket", () => {
	test("is waited for: who comes back to the same connection never left", async () => {
		const { world, control } = await talking();
		await sees(control, ["guest"], 4_000);
		const before = recordOf(control);
		await breaks(control, "guest", 5_000);
		expect(callView(recordOf(control), "host")).toEqual(callView(before, "host"));
		expect(world.wakeAtMs).toBe(5_000 + RESUME_WITHIN_MS);
		await joins(control, "guest", 5_000 + RESUME_WITHIN_MS - 1);
		await control.settle(60_000);
		expect(inCall(control)).toEqual(["host-1", "guest-1"]);
		expect(recordOf(control)).toMatchObject({ leftAtMs: {}, callCompositor: { realTime: ["guest"] } });
	});

	test("that does not come back is somebody who left when it broke", async () => {
		const { world, control } = await talking();
		await breaks(control, "guest", 5_000);
		await breaks(control, "guest", 9_000);
		expect(await ring(world, control)).toBe(5_000 + MEDIA_WITHIN_MS - 2_000);
		expect(await ring(world, control)).toBe(5_000 + RESUME_WITHIN_MS);
		expect(inCall(control)).toEqual(["host-1"]);
		expect(recordOf(control).leftAtMs).toEqual({ guest: 5_000 });
	});

	test("is not waited for longer than the grace time", async () => {
		const { control } = await live({ guestGraceSeconds: 0 });
		await joins(control, "guest", 2_000);
		await breaks(control, "guest", 5_000);
		expect(inCall(control)).toEqual([]);
	});

	test("after a deploy everybody whose socket is not there is away, but for encoders, which have none", async () => {
		const { control } = await live({ maxGuests: 2, streamKeyHashes: { guest: "g", "guest-2": "g2" } });
		await joins(control, "host", 2_000);
		await joins(control, "guest", 2_000);
		await joins(control, "guest-2", 2_000, { leg: "whip" });
		await say(control, { kind: "recovered", connections: ["guest-1"] }, 3_000);
		expect(recordOf(control).call.map(({ person, awaySinceMs }) => [person, awaySinceMs])).toEqual([
			["host", 3_000],
			["guest", undefined],
			["guest-2", undefined],
		]);
	});
});

describe("a compositor and those whose media never comes", () => {
	test("it does not wait for them for longer than its bound, and shows them when it comes after all", async () => {
		const { world, control } = await talking();
		expect(await ring(world, control)).toBe(3_000 + MEDIA_WITHIN_MS);
		expect(expectedIn(control)).toEqual(["solo", "host"]);
		expect(world.plan?.prefers).toBe("composite");
		await sees(control, ["guest"], 40_000);
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
	});

	test.each([
		["WebRTC", (control: BroadcastControl) => sees(control, ["guest"], 10_999)],
		["their stream", (control: BroadcastControl) => streams(control, "guest", "live", 10_999)],
	])("whose media comes by %s in time is expected for as long as it does", async (_, come) => {
		const { control } = await talking();
		await come(control);
		await control.settle(600_000);
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
	});

	test("who lost it is waited for as long as somebody who left", async () => {
		const { control } = await talking();
		await sees(control, ["guest"], 4_000);
		await sees(control, [], 100_000);
		await control.settle(109_999);
		expect(expectedIn(control)).toEqual(["pip", "host", "guest"]);
		await control.settle(110_000);
		expect(expectedIn(control)).toEqual(["solo", "host"]);
	});

	test("the time runs from the moment a compositor is there, and anew for the next one", async () => {
		const { world, control } = await live();
		world.answer = { outcome: "waiting", leaseId: "l" };
		await joins(control, "guest", 2_000);
		await control.settle(300_000);
		expect(expectedIn(control)).toEqual(["pip", "guest"]);
		await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, 300_000);
		await compositorComes(control, 300_000);
		await sees(control, ["guest"], 301_000);
		await control.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, 400_000);
		await control.settle(400_000);
		expect(recordOf(control).lease.fence).toBe(2);
		expect(mediaDueMs(recordOf(control), "guest")).toBeUndefined();
		await sees(control, ["guest"], 400_500);
		await compositorComes(control, 401_000);
		expect(mediaDueMs(recordOf(control), "guest")).toBe(401_000 + MEDIA_WITHIN_MS);
	});

	test("who is admitted late is waited for from then on", async () => {
		const { control } = await live({ guestAdmission: "manual", alwaysCompose: true });
		await joins(control, "guest", 2_000);
		await compositorComes(control, 3_000);
		await give(control, { type: "admit-person", personId: "guest" }, 60_000);
		expect(expectedIn(control)).toEqual(["pip", "guest"]);
		await control.settle(60_000 + MEDIA_WITHIN_MS);
		expect(expectedIn(control)).toEqual(["solo"]);
	});

	test("an older compositor's word of media counts for nothing", async () => {
		const { control } = await talking();
		await say(control, { kind: "real-time-media", fence: 0, people: ["guest"] }, 4_000);
		await say(control, { kind: "compositor", fence: 7 }, 4_000);
		expect(recordOf(control).callCompositor).toEqual({ fence: 1, sinceMs: 3_000, realTime: [] });
	});
});

test("a compositor's word that changes nothing is not stored", async () => {
	const { control } = await talking();
	await sees(control, ["guest", "host"], 4_000);
	const before = recordOf(control);
	await sees(control, ["host", "guest", "guest-4"], 5_000);
	expect(recordOf(control)).toBe(before);
});

const HOST = { ...MEMBER, person: "host", connection: "h", awaitedSinceMs: 0 } as const;
const GUEST = { ...MEMBER, person: "guest", connection: "g", awaitedSinceMs: 0 } as const;
const UNADMITTED = newBroadcastRecord({ ...INPUT, guestAdmission: "manual" }, 0).people;

const WANTED: readonly [name: string, record: Partial<BroadcastRecord>, wanted: string | undefined][] = [
	["a host in the call who streams too", { call: [{ ...HOST, streams: true }], liveStreams: ["host"] }, undefined],
	["a host in the call who is about to stream", { call: [{ ...HOST, streams: true }] }, undefined],
	["a host in the call who does not stream", { call: [HOST] }, "host-real-time"],
	["such a host with a stream from elsewhere", { call: [HOST], liveStreams: ["host"] }, undefined],
	["a host by WHIP", { call: [{ ...HOST, leg: "whip" }] }, "host-real-time"],
	[
		"a host by WHIP with a stream from elsewhere",
		{ call: [{ ...HOST, leg: "whip" }], liveStreams: ["host"] },
		"host-real-time",
	],
	["a guest in the call", { call: [GUEST], liveStreams: ["host"] }, "guest"],
	["a guest by WHIP who is not admitted", { call: [{ ...GUEST, leg: "whip" }], people: UNADMITTED }, undefined],
	["two pages in the lobby", { call: [HOST, GUEST], status: "lobby" }, undefined],
	["a host by WHIP in the lobby", { call: [{ ...HOST, leg: "whip" }], status: "lobby" }, "whip"],
	[
		"a guest by WHIP days before",
		{ call: [{ ...GUEST, leg: "whip" }], status: "scheduled", scheduledStartMs: SOON_MS },
		"whip",
	],
	[
		"a guest by WHIP in the lobby who is not admitted",
		{ call: [{ ...GUEST, leg: "whip" }], status: "lobby", people: UNADMITTED },
		undefined,
	],
	["a host by WHIP when it is over", { call: [{ ...HOST, leg: "whip" }], status: "ended" }, undefined],
];

test.each(WANTED)("a compositor is wanted: %s", (_, changes, wanted) => {
	const record: BroadcastRecord = { ...newBroadcastRecord(INPUT, 0), status: "live", startedAtMs: 1_000, ...changes };
	expect(compositorWanted(record, 2_000)).toBe(wanted);
});
