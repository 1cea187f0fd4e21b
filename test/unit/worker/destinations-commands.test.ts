import { expect, test, vi } from "vitest";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import { testedDestination } from "../../../worker/broadcast/commands/destinations.ts";
import type { BroadcastCommand, SealedAddress } from "../../../worker/protocol/broadcast-commands.ts";
import type { EgressState } from "../../../worker/protocol/egress-status.ts";
import { EGRESS, give, live, newDestination, World } from "./broadcast-world.ts";

function addressOf(key: string): SealedAddress {
	const { shownUrl, hasStreamKey, sealedAddress, fingerprint } = newDestination(key);
	return { shownUrl, hasStreamKey, sealedAddress, fingerprint };
}

const rekey = (key: string, destinationId = "d1"): BroadcastCommand => ({
	type: "update-destination",
	destinationId,
	address: addressOf(key),
});

function stored(control: BroadcastControl, id = "d1") {
	return control.record?.destinations.find((destination) => destination.id === id);
}

test("a new key before going live starts nothing, and is what is started with", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	world.taken();
	expect(await give(control, rekey("fresh"), 1)).toMatchObject({ ok: true });
	expect(world.taken().filter((call) => call.includes("egress"))).toEqual([]);
	expect(stored(control)).toMatchObject({ sealedAddress: "sealed-fresh", egress: "idle" });
});

test("a new key while live starts that destination again, and no other", async () => {
	const { world, control } = await live({ destinations: [newDestination("d1"), newDestination("d2")] });
	await give(control, rekey("fresh"), 2_000);
	expect(world.taken()).toEqual(["start-egress d1"]);
	expect(stored(control)).toMatchObject({ sealedAddress: "sealed-fresh", egress: "started", state: "connecting" });
});

test("a start that fails under the new key is tried again, and stopped in the end", async () => {
	const { world, control } = await live();
	world.failing.add("start-egress");
	await give(control, rekey("fresh"), 2_000);
	expect(stored(control)?.egress).toBe("starting");
	world.failing.clear();
	world.taken();
	await control.settle(60_000);
	expect(world.taken()).toContain("start-egress d1");
	await give(control, { type: "end" }, 61_000);
	expect(world.taken()).toContain("stop-egress d1");
});

test("a key that comes while the start under the old one is under way is started with all the same", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	const held = Promise.withResolvers<void>();
	world.startHeld = held.promise;
	const starting = give(control, { type: "start" }, 1_000);
	await vi.waitUntil(() => world.startedWith.length > 0);
	const changing = give(control, rekey("fresh"), 1_000);
	await vi.waitUntil(() => stored(control)?.sealedAddress === "sealed-fresh");
	held.resolve();
	await Promise.all([starting, changing]);
	expect(world.startedWith).toEqual(["sealed-d1", "sealed-fresh"]);
	expect(stored(control)).toMatchObject({ sealedAddress: "sealed-fresh", egress: "started" });
});

test("the same key again does nothing, unless it was refused", async () => {
	const { world, control } = await live();
	const version = control.record?.version;
	await give(control, rekey("d1"), 2_000);
	expect(world.taken()).toEqual([]);
	expect(control.record?.version).toBe(version);
	await control.egressChanged("d1", { ...EGRESS, state: "refused", lastError: "wrong key" }, 3_000);
	await give(control, rekey("d1"), 4_000);
	expect(world.taken()).toEqual(["start-egress d1"]);
});

test("a key that another destination has is refused, and changes nothing", async () => {
	const { world, control } = await live({ destinations: [newDestination("d1"), newDestination("d2")] });
	expect(await give(control, rekey("d2"), 2_000)).toMatchObject({
		ok: false,
		refusal: { kind: "duplicate-destination" },
	});
	expect(world.taken()).toEqual([]);
	expect(stored(control)?.sealedAddress).toBe("sealed-d1");
});

const states: [EgressState, boolean][] = [
	["connecting", false],
	["live", false],
	["retrying", false],
	["refused", true],
	["stopped", true],
];

test.each(states)("while live, a destination that is %s may be tested: %s", async (state, allowed) => {
	const { control } = await live();
	await control.egressChanged("d1", { ...EGRESS, state }, 2_000);
	const { record } = control;
	if (record === undefined) {
		throw new Error("test: expected a broadcast, got none");
	}
	expect(testedDestination(record, "d1")).toMatchObject(
		allowed
			? { ok: true, value: { config: { destinationId: "d1", sealedAddress: "sealed-d1" }, warnings: [] } }
			: { ok: false, refusal: { kind: "wrong-state", expected: ["idle", "refused", "stopped"], found: state } },
	);
});

test("before it is live a destination may be tested, and when it is over no more", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	const tested = () => control.record && testedDestination(control.record, "d1");
	expect(tested()).toMatchObject({ ok: true });
	await give(control, { type: "cancel" }, 1_000);
	expect(tested()).toMatchObject({ ok: false, refusal: { kind: "broadcast-ended", found: "cancelled" } });
});
