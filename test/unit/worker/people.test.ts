import { describe, expect, test } from "vitest";
import { commandRefusal } from "../../../worker/auth/command-permission.ts";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { sceneOf } from "../../../worker/broadcast/scene.ts";
import type { BroadcastCommand, NewInvite } from "../../../worker/protocol/broadcast-commands.ts";
import { GUEST_IDS, type PersonId } from "../../../worker/protocol/roles.ts";
import { give, live, type World } from "./broadcast-world.ts";

const KEYS = { guest: "k1", "guest-2": "k2", "guest-3": "k3", "guest-4": "k4" };
const DAY_MS = 24 * 3_600_000;

/** Seconds on the made-up clock; the broadcast is live since 1 s. */
const s = (seconds: number) => seconds * 1_000;

function recordOf(control: BroadcastControl): BroadcastRecord {
	if (control.record === undefined) {
		throw new Error("test: expected a record");
	}
	return control.record;
}

async function comes(control: BroadcastControl, stream: PersonId, nowMs: number): Promise<void> {
	await control.streamChanged({ stream, state: "live" }, nowMs);
	await control.settle(nowMs);
}

async function goes(control: BroadcastControl, stream: PersonId, nowMs: number): Promise<void> {
	await control.streamChanged({ stream, state: "idle" }, nowMs);
	await control.settle(nowMs);
}

function newInvite(inviteId: string, changes: Partial<NewInvite> = {}): BroadcastCommand {
	return { type: "create-invite", inviteId, codeHash: `hash-${inviteId}`, maxUses: 1, expiresAtMs: DAY_MS, ...changes };
}

function redeem(control: BroadcastControl, inviteId: string, nowMs: number, name?: string) {
	return give(
		control,
		{
			type: "redeem-invite",
			codeHash: `hash-${inviteId}`,
			streamKeyHash: KEYS,
			...(name === undefined ? {} : { name }),
		},
		nowMs,
	);
}

/** Who the compositor is told to expect, in its order. */
const expectedIn = (control: BroadcastControl) =>
	sceneOf(recordOf(control))
		.people.filter(({ expected }) => expected)
		.map(({ id }) => id);

const wanted = (world: World) => world.plan?.prefers;

describe("admission", () => {
	test("a guest who waits is not on air, needs no compositor, and is on air when admitted", async () => {
		const { world, control } = await live({ guestAdmission: "manual" });
		await comes(control, "host", s(2));
		await comes(control, "guest", s(3));
		expect([expectedIn(control), wanted(world)]).toEqual([["host"], "host"]);
		expect(world.taken().filter((call) => call.startsWith("acquire"))).toEqual([]);
		await give(control, { type: "admit-person", personId: "guest" }, s(4));
		expect([expectedIn(control), wanted(world)]).toEqual([["host", "guest"], "composite"]);
		expect(world.taken()).toContain("acquire 1");
	});

	test("a guest who waits keeps no broadcast live, neither by being there nor by leaving", async () => {
		const { control } = await live({ guestAdmission: "manual", holdSeconds: 60 });
		await comes(control, "host", s(2));
		await comes(control, "guest", s(3));
		await goes(control, "host", s(10));
		await goes(control, "guest", s(69));
		await control.settle(s(71));
		expect(recordOf(control)).toMatchObject({ status: "ended", endReason: "nobody came back for 60 s" });
	});

	test("an invite's admission counts more than the broadcast's", async () => {
		const { control } = await live({ maxGuests: 2, guestAdmission: "manual" });
		await give(control, newInvite("a", { admission: "automatic" }), s(2));
		await give(control, newInvite("b"), s(2));
		for (const invite of ["a", "b"]) {
			await redeem(control, invite, s(3));
		}
		expect(recordOf(control).people.map(({ id, admitted }) => [id, admitted])).toEqual([
			["host", true],
			["guest", true],
			["guest-2", false],
		]);
	});
});

describe("several guests", () => {
	test("each has a grace time of their own, and the compositor goes when the host is alone again", async () => {
		const { world, control } = await live({
			maxGuests: 2,
			streamKeyHashes: { host: "h", guest: "g", "guest-2": "g2" },
		});
		for (const person of ["host", "guest", "guest-2"] as const) {
			await comes(control, person, s(2));
		}
		expect(expectedIn(control)).toEqual(["host", "guest", "guest-2"]);
		await goes(control, "guest", s(20));
		await goes(control, "guest-2", s(25));
		await control.settle(s(29));
		expect([expectedIn(control), wanted(world)]).toEqual([["host", "guest", "guest-2"], "composite"]);
		expect(world.wakeAtMs).toBe(s(30));
		await control.settle(s(30));
		expect([expectedIn(control), wanted(world)]).toEqual([["host", "guest-2"], "composite"]);
		await control.settle(s(35));
		expect([expectedIn(control), wanted(world)]).toEqual([["host"], "host"]);
	});

	test("are in the scene in the order that was chosen, and whoever is not named follows", async () => {
		const streamKeyHashes = { host: "h", guest: "g", "guest-2": "g2", "guest-3": "g3" };
		const { control } = await live({ maxGuests: 3, streamKeyHashes });
		await give(control, { type: "set-scene", order: ["guest-2", "host"] }, s(2));
		expect(sceneOf(recordOf(control)).people.map(({ id }) => id)).toEqual(["guest-2", "host", "guest", "guest-3"]);
	});
});

describe("removing", () => {
	test("takes a guest off air at once, without a grace time, and frees the place for the next", async () => {
		const { world, control } = await live();
		await give(control, newInvite("a"), s(2));
		await redeem(control, "a", s(2));
		await comes(control, "host", s(3));
		await comes(control, "guest", s(3));
		world.taken();
		await give(control, { type: "remove-person", personId: "guest" }, s(10));
		expect([expectedIn(control), wanted(world)]).toEqual([["host"], "host"]);
		expect(world.taken()).toEqual(expect.arrayContaining(["dismiss guest", "disconnect guest<3"]));
		// What the Router says of the stream that it ends then, and of one that was still on its way.
		await goes(control, "guest", s(10));
		await comes(control, "guest", s(10));
		await goes(control, "guest", s(11));
		expect(expectedIn(control)).toEqual(["host"]);
		await give(control, newInvite("b"), s(12));
		expect(await redeem(control, "b", s(12))).toMatchObject({
			ok: true,
			value: { personId: "guest", credentialsVersion: 4 },
		});
		expect(expectedIn(control)).toEqual(["host"]);
		await comes(control, "guest", s(13));
		expect(expectedIn(control)).toEqual(["host", "guest"]);
	});

	test("the last one counts as their leaving: the broadcast waits from then on", async () => {
		const { control } = await live({ holdSeconds: 60 });
		await comes(control, "host", s(2));
		await comes(control, "guest", s(2));
		await goes(control, "host", s(10));
		await give(control, { type: "remove-person", personId: "guest" }, s(300));
		await control.settle(s(359));
		expect(recordOf(control).status).toBe("live");
		await control.settle(s(360));
		expect(recordOf(control).status).toBe("ended");
	});

	test("makes token and key worthless, and so does taking the place away, also when it is there again", async () => {
		const { control } = await live({ maxGuests: 2, streamKeyHashes: { host: "h", guest: "g", "guest-2": "g2" } });
		const holds = (person: PersonId, credentialsVersion: number) =>
			control.checkToken({ person, credentialsVersion }).ok;
		expect([holds("guest-2", 1), control.checkStreamKey("guest-2", "g2").ok]).toEqual([true, true]);
		await give(control, { type: "update", changes: { maxGuests: 1 } }, s(2));
		await give(control, { type: "update", changes: { maxGuests: 2 } }, s(2));
		expect([holds("guest-2", 1), control.checkStreamKey("guest-2", "g2").ok]).toEqual([false, false]);
		await give(control, { type: "remove-person", personId: "guest" }, s(3));
		expect([holds("guest", 1), control.checkStreamKey("guest", "g").ok]).toEqual([false, false]);
	});

	test("a Router that does not answer is told again, and by then only of what is old", async () => {
		const { world, control } = await live();
		world.failing.add("disconnect");
		await give(control, { type: "remove-person", personId: "guest" }, s(2));
		expect(recordOf(control).toDisconnect).toEqual(["guest"]);
		world.failing.clear();
		world.taken();
		const given = await give(control, { type: "renew-credentials", personId: "guest", streamKeyHash: "new" }, s(2));
		expect(given).toMatchObject({ value: { credentialsVersion: 3 } });
		expect(world.taken()).toContain("disconnect guest<3");
		expect(recordOf(control).toDisconnect).toEqual([]);
		expect(recordOf(control).people[1]).toMatchObject({ admitted: true, streamKeyHash: "new" });
	});

	test("a free place changes nothing and cannot be admitted", async () => {
		const { control } = await live();
		await give(control, { type: "remove-person", personId: "guest" }, s(2));
		const before = recordOf(control);
		await give(control, { type: "remove-person", personId: "guest" }, s(3));
		expect(recordOf(control).version).toBe(before.version);
		expect(await give(control, { type: "admit-person", personId: "guest" }, s(3))).toMatchObject({
			refusal: { kind: "wrong-state" },
		});
	});
});

describe("invites", () => {
	test("give places in order, never one that somebody has or may come back to, until none is left", async () => {
		const streamKeyHashes = { host: "h", guest: "g", "guest-2": "g2", "guest-3": "g3" };
		const { control } = await live({ maxGuests: 3, streamKeyHashes });
		await comes(control, "guest", s(2));
		await comes(control, "guest-2", s(2));
		await goes(control, "guest-2", s(5));
		await give(control, newInvite("a", { maxUses: 9, name: "Invited" }), s(6));
		expect(await redeem(control, "a", s(6), "Grace")).toMatchObject({ value: { personId: "guest-3" } });
		expect(await redeem(control, "a", s(7))).toMatchObject({ refusal: { kind: "too-many" } });
		expect(await redeem(control, "a", s(15))).toMatchObject({ value: { personId: "guest-2" } });
		expect(recordOf(control).people.map(({ name }) => name)).toEqual(["Host", "Guest", "Invited", "Grace"]);
		expect(recordOf(control).invites[0]?.uses).toBe(2);
	});

	test("are good until they expire, are used up or revoked; revoking takes everyone off who came by it", async () => {
		const { world, control } = await live({ maxGuests: 4 });
		await give(control, newInvite("once"), s(2));
		await give(control, newInvite("twice", { maxUses: 2 }), s(2));
		for (const invite of ["once", "twice", "twice"]) {
			expect(await redeem(control, invite, s(3))).toMatchObject({ ok: true });
		}
		for (const invite of ["once", "twice"]) {
			expect(await redeem(control, invite, s(4))).toMatchObject({ refusal: { kind: "invite-expired" } });
		}
		await give(control, newInvite("late"), s(5));
		expect(await redeem(control, "late", DAY_MS)).toMatchObject({ refusal: { kind: "invite-expired" } });
		for (const guest of GUEST_IDS.slice(0, 3)) {
			await comes(control, guest, s(6));
		}
		await comes(control, "host", s(6));
		world.taken();
		await give(control, { type: "revoke-invite", inviteId: "twice" }, s(7));
		expect(expectedIn(control)).toEqual(["host", "guest"]);
		expect(world.taken()).toContain("disconnect guest-2<3,guest-3<3");
	});
});

describe("muting", () => {
	const set = (control: BroadcastControl, actor: "guest" | "host", muted: boolean) =>
		control.command({ type: "set-person", personId: "guest", muted }, { actor }, s(2));
	const gainOf = (control: BroadcastControl) =>
		sceneOf(recordOf(control)).people.find(({ id }) => id === "guest")?.gain;

	test("is a gain of nought, and leaves the gain as it was", async () => {
		const { control } = await live();
		await give(control, { type: "set-person", personId: "guest", gain: 2 }, s(2));
		await set(control, "host", true);
		expect(gainOf(control)).toBe(0);
		await set(control, "host", false);
		expect(gainOf(control)).toBe(2);
	});

	test("a guest may take back their own, and not that of a host, whoever was first", async () => {
		const { control } = await live();
		await set(control, "guest", true);
		expect(await set(control, "guest", false)).toMatchObject({ ok: true });
		await set(control, "guest", true);
		await set(control, "host", true);
		expect(await set(control, "guest", false)).toMatchObject({ refusal: { kind: "forbidden" } });
		await set(control, "guest", true);
		expect(await set(control, "guest", false)).toMatchObject({ refusal: { kind: "forbidden" } });
		await set(control, "host", false);
		await set(control, "guest", true);
		expect(await set(control, "guest", false)).toMatchObject({ ok: true });
	});
});

describe("who may give which command on the control socket", () => {
	const own: BroadcastCommand = { type: "set-person", personId: "guest", name: "Bo", muted: true };
	const commands: Record<string, BroadcastCommand> = {
		"their name and mute": own,
		"their gain": { type: "set-person", personId: "guest", gain: 2 },
		"another's name": { ...own, personId: "guest-2" },
		"the host's mute": { type: "set-person", personId: "host", muted: true },
		"the scene": { type: "set-scene", labels: false },
		"their own admission": { type: "admit-person", personId: "guest" },
		"a destination's removal": { type: "remove-destination", destinationId: "d" },
		end: { type: "end" },
	};
	const GUESTS = ["their name and mute"];

	for (const [name, command] of Object.entries(commands)) {
		test(`${name}: host and admin, ${GUESTS.includes(name) ? "guest" : "no guest"}, no one else`, () => {
			const may = (giver: Parameters<typeof commandRefusal>[0]) => commandRefusal(giver, command) === undefined;
			expect(may({ role: "admin" })).toBe(true);
			expect(may({ role: "host", person: "host" })).toBe(true);
			expect(may({ role: "guest", person: "guest" })).toBe(GUESTS.includes(name));
			for (const role of ["viewer", "compositor", "runner"] as const) {
				expect(may({ role })).toBe(false);
			}
		});
	}
});

test("who may be on air follows the setting when it changes, but for those who are on air", async () => {
	const { control } = await live({ maxGuests: 2, streamKeyHashes: { host: "h", guest: "g", "guest-2": "g2" } });
	await control.streamChanged({ stream: "guest", state: "live" }, 2_000);
	const admitted = () => {
		const view = control.view();
		return view.ok ? view.value.people.map((person) => person.admitted) : [];
	};
	await give(control, { type: "update", changes: { guestAdmission: "manual" } }, 3_000);
	expect(admitted()).toEqual([true, true, false]);
	await give(control, { type: "update", changes: { guestAdmission: "automatic" } }, 4_000);
	expect(admitted()).toEqual([true, true, true]);
});

test("what is fixed on air may be said again as it is, and is refused by its public name otherwise", async () => {
	const { control } = await live();
	const same = await give(
		control,
		{ type: "update", changes: { startMode: "manual", width: 1280, title: "New" } },
		2_000,
	);
	expect(same).toMatchObject({ ok: true, value: { broadcast: { title: "New" } } });
	const other = await give(control, { type: "update", changes: { videoBitrateBps: 1_000_000 } }, 3_000);
	expect(other).toMatchObject({ ok: false, refusal: { kind: "wrong-state", found: "live" } });
	expect(!other.ok && other.refusal.detail).toContain("expected videoBitrate to be set");
});
