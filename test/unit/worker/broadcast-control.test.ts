import { expect, test } from "vitest";
import { EMPTY_LOBBY_MS } from "../../../worker/broadcast/schedule.ts";
import { EGRESS, give, live, newDestination, World } from "./broadcast-world.ts";

test("creating opens the Router and lists the broadcast; starting leases a compositor and starts every Egress", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control, { alwaysCompose: true });
	expect(world.taken()).toEqual(["open-router", "index lobby", "plan off"]);
	expect(world.wakeAtMs).toBe(EMPTY_LOBBY_MS);
	await give(control, { type: "start" }, 1_000);
	expect(world.taken().toSorted()).toEqual([
		"acquire 1",
		"fence 1",
		"index live",
		"plan composite",
		"plan composite",
		"start-egress d1",
	]);
	expect(world.plan).toEqual({
		onAir: true,
		prefers: "composite",
		beginsComposed: true,
		width: 1280,
		height: 720,
		allowsBFrames: true,
		minFence: 1,
		holdSeconds: 120,
	});
	await give(control, { type: "start" }, 2_000);
	expect(world.taken()).toEqual([]);
});

test("ending stops every Egress before the Router ends and the compositor goes", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	await give(control, { type: "end", reason: "test" }, 2_000);
	expect(world.taken()).toEqual(["stop-egress d1", "index ended", "end-router", "release l"]);
	expect(world.dismissed).toBe(true);
	expect(world.wakeAtMs).toBeUndefined();
	await give(control, { type: "end", reason: "test" }, 3_000);
	expect(world.taken()).toEqual([]);
});

test("what fails is tried again, alone, by the alarm", async () => {
	const world = new World();
	world.failing.add("start-egress");
	const control = world.control();
	await world.create(control);
	await give(control, { type: "start" }, 1_000);
	world.taken();
	expect(world.wakeAtMs).toBe(1_500);
	await control.settle(1_500);
	expect(world.taken()).toEqual(["start-egress d1"]);
	expect(world.wakeAtMs).toBe(2_500);
	world.failing.clear();
	await control.settle(2_500);
	expect(world.taken()).toEqual(["start-egress d1"]);
	await control.settle(2_600);
	expect(world.taken()).toEqual([]);
});

test("an Egress that hangs holds up neither the end of the broadcast nor the rest of it", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	world.hanging.add("stop-egress");
	expect(await give(control, { type: "end", reason: "test" }, 2_000)).toMatchObject({
		ok: true,
		value: { broadcast: { status: "ended" } },
	});
	expect(world.taken()).toEqual(["stop-egress d1", "index ended", "end-router", "release l"]);
	world.hanging.clear();
	await control.settle(world.wakeAtMs ?? 0);
	expect(world.taken()).toEqual(["stop-egress d1"]);
});

test("an ended broadcast stops trying in the end", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	world.failing.add("stop-egress");
	await give(control, { type: "end", reason: "test" }, 2_000);
	let rounds = 0;
	while (world.wakeAtMs !== undefined && rounds < 100) {
		rounds++;
		await control.settle(world.wakeAtMs);
	}
	expect(rounds).toBeGreaterThan(5);
	expect(rounds).toBeLessThan(30);
});

test("work cut short by a restart is found again", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	world.hanging.add("stop-egress");
	const ending = give(control, { type: "end", reason: "test" }, 2_000);
	await Promise.resolve();
	const restarted = new World();
	await restarted.control(structuredClone(world.stored)).settle(20_000);
	expect(restarted.calls).toEqual(["stop-egress d1", "index ended", "end-router", "release l"]);
	await ending;
});

test("the alarm is set before work begins, in case it is cut short", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	await give(control, { type: "end", reason: "test" }, 2_000);
	expect(world.wakeAtCallsMs).toEqual([17_000, 17_000, 17_000, 17_000]);
});

test("a lost compositor is replaced; the same word twice asks once", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	const lost = { leaseId: "l", fence: 1, state: "lost", reason: "test" } as const;
	await control.leaseChanged(lost, 5_000);
	await control.leaseChanged(lost, 5_000);
	await control.settle(5_000);
	await control.settle(5_000);
	expect(world.taken()).toEqual(["fence 2", "plan composite", "acquire 2"]);
});

test("asks the pool now and then whether it knows the lease still", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	expect(world.wakeAtMs).toBe(16_000);
	await control.settle(16_000);
	expect(world.taken()).toEqual(["standing l"]);
	world.standing = "unknown";
	await control.settle(31_000);
	expect(world.taken()).toEqual(["standing l", "fence 2", "plan composite", "acquire 2"]);
});

test("a compositor granted after the end is given back, before and after the broadcast is deleted", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	await give(control, { type: "end", reason: "test" }, 2_000);
	world.taken();
	const late = { leaseId: "late", fence: 1, state: "assigned", reason: "test" } as const;
	await control.leaseChanged(late, 3_000);
	await control.settle(3_000);
	expect(world.taken()).toEqual(["release late"]);
	await give(control, { type: "delete" }, 4_000);
	expect(world.taken()).toEqual(["unindex"]);
	await control.leaseChanged(late, 5_000);
	expect(world.taken()).toEqual(["release late"]);
});

test("deleting leaves nothing behind, also when it takes a second try", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	world.failing.add("unindex");
	await give(control, { type: "delete" }, 1_000);
	expect(control.view()).toMatchObject({ ok: false, refusal: { kind: "not-found" } });
	expect(world.stored).toBeDefined();
	world.failing.clear();
	await control.settle(world.wakeAtMs ?? 0);
	expect(world.stored).toBeUndefined();
	expect(world.wakeAtMs).toBeUndefined();
});

test("a destination taken off while live is stopped and forgotten, one never started is only forgotten", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	await give(control, { type: "add-destination", ...newDestination("d2", { allowBFrames: true }) }, 2_000);
	expect(world.taken()).toEqual(["start-egress d2"]);
	await give(control, { type: "remove-destination", destinationId: "d2" }, 3_000);
	expect(world.taken()).toEqual(["stop-egress d2"]);
	expect(world.stored?.destinations.map(({ id }) => id)).toEqual(["d1"]);
	const lobby = new World();
	const waiting = lobby.control();
	await lobby.create(waiting);
	lobby.taken();
	await give(waiting, { type: "remove-destination", destinationId: "d1" }, 1_000);
	expect(lobby.taken()).toEqual([]);
	expect(lobby.stored?.destinations).toEqual([]);
});

test("an Egress's word is shown, and a later word without an error clears the error", async () => {
	const { control } = await live({ alwaysCompose: true });
	await control.egressChanged("d1", { ...EGRESS, state: "refused", lastError: "wrong key" }, 2_000);
	expect(control.view()).toMatchObject({ value: { destinations: [{ state: "refused", lastError: "wrong key" }] } });
	await control.egressChanged("d1", EGRESS, 3_000);
	const view = control.view();
	expect(view.ok && view.value.destinations[0]).toMatchObject({ state: "live" });
	expect(view.ok && view.value.destinations[0]).not.toHaveProperty("lastError");
});
