import { expect, test } from "vitest";
import { COMPOSITE_WITHIN_MS, RELEASE_WITHIN_MS, STREAMS_CHECK_EVERY_MS } from "../../../worker/broadcast/attended.ts";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { NEVER_CAME_MS } from "../../../worker/broadcast/presence.ts";
import { restoredRecord } from "../../../worker/broadcast/restored-record.ts";
import type { StreamChange } from "../../../worker/protocol/object-rpc.ts";
import { give, INPUT, live, newDestination, World } from "./broadcast-world.ts";

/** Tells of a stream and does what follows, as the object does. */
async function tell(control: BroadcastControl, change: StreamChange, nowMs: number): Promise<void> {
	await control.streamChanged(change, nowMs);
	await control.settle(nowMs);
}

async function made(control: BroadcastControl, source: "host" | "composite" | "hold", nowMs: number): Promise<void> {
	await control.programChanged({ source }, nowMs);
	await control.settle(nowMs);
}

async function ring(world: World, control: BroadcastControl): Promise<number> {
	const nowMs = world.wakeAtMs ?? Number.NaN;
	await control.settle(nowMs);
	return nowMs;
}

const endOf = (world: World) => ({ status: world.stored?.status, reason: world.stored?.endReason });

/** Host and guest on air since 3 s, through compositor 1. */
async function composed() {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await made(control, "host", 1_600);
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, 2_500);
	await tell(control, { stream: "composite/main", state: "live", fence: 1 }, 2_800);
	await made(control, "composite", 3_000);
	world.taken();
	return { world, control };
}

test("a host alone is passed through without a compositor, and a guest brings one", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 1_500);
	expect(world.taken()).toEqual([]);
	expect(world.plan).toMatchObject({ onAir: true, prefers: "host", minFence: 0 });
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	expect(world.taken().toSorted()).toEqual(["acquire 1", "fence 1", "plan composite", "plan composite"]);
	expect(world.plan).toMatchObject({ prefers: "composite", minFence: 1 });
	await tell(control, { stream: "guest", state: "live", width: 640, height: 360 }, 3_000);
	expect(world.taken()).toEqual([]);
});

test("a host whose stream does not fit is composed until it fits", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live", unfit: "1920×1080" }, 1_500);
	expect(world.taken()).toContain("acquire 1");
	expect(world.plan?.prefers).toBe("composite");
	await tell(control, { stream: "host", state: "live" }, 2_000);
	expect(world.taken()).toEqual(["plan host", "release l"]);
	expect(world.stored).not.toHaveProperty("hostUnfit");
});

test("the plan says what all destinations take, and is sent again when that changes", async () => {
	const { world, control } = await live();
	expect(world.plan?.allowsBFrames).toBe(true);
	await give(control, { type: "add-destination", ...newDestination("d2", { allowBFrames: false }) }, 2_000);
	expect(world.plan?.allowsBFrames).toBe(false);
	await give(control, { type: "remove-destination", destinationId: "d2" }, 3_000);
	expect(world.plan?.allowsBFrames).toBe(true);
	world.taken();
	await control.settle(4_000);
	expect(world.taken()).toEqual([]);
});

test("a plan that was not acknowledged is sent again, by the alarm and after a restart", async () => {
	const { world, control } = await live();
	world.failing.add("plan");
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	expect(world.plan?.prefers).toBe("host");
	const restarted = new World();
	await restarted.control(structuredClone(world.stored)).settle(2_100);
	expect(restarted.plan).toMatchObject({ prefers: "composite", minFence: 1 });
	world.failing.clear();
	await ring(world, control);
	expect(world.plan).toMatchObject({ prefers: "composite", minFence: 1 });
});

test("a guest who leaves is waited for, then the program goes back to the host, and only then the compositor goes", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "guest", state: "idle" }, 20_000);
	expect(world.taken()).toEqual(["standing l"]);
	expect(world.wakeAtMs).toBe(30_000);
	await ring(world, control);
	expect(world.taken()).toEqual(["plan host"]);
	expect(world.wakeAtMs).toBeLessThanOrEqual(30_000 + RELEASE_WITHIN_MS);
	await made(control, "host", 31_000);
	expect(world.taken()).toEqual(["release l"]);
	expect(world.stored?.lease).toEqual({ phase: "none", fence: 1, failures: 0 });
	await tell(control, { stream: "composite/main", state: "idle", fence: 1 }, 31_400);
	expect(world.taken()).toEqual([]);
	await tell(control, { stream: "guest", state: "live" }, 40_000);
	expect(world.taken()).toContain("acquire 2");
});

test("a guest who comes back within the grace time finds the same compositor", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "guest", state: "idle" }, 10_000);
	await tell(control, { stream: "guest", state: "live" }, 19_000);
	await control.settle(25_000);
	expect(world.taken().filter((call) => call !== "standing l")).toEqual([]);
	expect(world.stored?.leftAtMs).toEqual({});
});

test("a guest who comes back before the program has gone over keeps the compositor", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "guest", state: "idle" }, 4_000);
	await control.settle(14_000);
	await tell(control, { stream: "guest", state: "live" }, 15_000);
	await control.settle(14_000 + RELEASE_WITHIN_MS);
	expect(world.taken()).toEqual(["plan host", "plan composite", "standing l"]);
});

test.each(["hanging", "failing"] as const)("a compositor is released in time when the Router is %s", async (how) => {
	const { world, control } = await composed();
	world[how].add("plan");
	await tell(control, { stream: "guest", state: "idle" }, 4_000);
	await control.settle(14_000);
	await control.settle(14_000 + RELEASE_WITHIN_MS - 1);
	expect(world.taken()).not.toContain("release l");
	await control.settle(14_000 + RELEASE_WITHIN_MS);
	expect(world.taken()).toContain("release l");
	expect(world.stored?.lease.phase).toBe("none");
});

test("a Router that goes on with the composite does not keep the compositor for ever", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "guest", state: "idle" }, 4_000);
	await control.settle(14_000);
	const wakes: number[] = [];
	while (!world.calls.includes("release l")) {
		wakes.push(await ring(world, control));
		expect(wakes.length).toBeLessThan(10);
	}
	expect(wakes.at(-1)).toBe(14_000 + RELEASE_WITHIN_MS);
});

test("a compositor that nobody needs any more is not asked for again, nor kept waiting for", async () => {
	const { world, control } = await live();
	world.answer = { outcome: "waiting", leaseId: "w" };
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	await tell(control, { stream: "guest", state: "idle" }, 3_000);
	world.taken();
	await control.settle(13_000);
	expect(world.taken().toSorted()).toEqual(["plan host", "release w"]);
	await tell(control, { stream: "guest", state: "live" }, 14_000);
	world.failing.add("acquire");
	await control.leaseChanged({ leaseId: "w", fence: 2, state: "lost", reason: "test" }, 14_500);
	await tell(control, { stream: "guest", state: "idle" }, 15_000);
	world.taken();
	await control.settle(25_000);
	expect(world.stored?.lease).toMatchObject({ phase: "none", fence: world.stored?.lease.fence });
	await control.settle(200_000);
	expect(world.taken().filter((call) => call.startsWith("acquire"))).toEqual([]);
});

test("a compositor that may take over any moment is kept until the Router has said that it will not", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await made(control, "host", 1_600);
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	await tell(control, { stream: "guest", state: "idle" }, 3_000);
	world.failing.add("plan");
	await control.settle(13_000);
	expect(world.taken()).not.toContain("release l");
	world.failing.clear();
	await ring(world, control);
	expect(world.taken()).toEqual(["plan host", "release l"]);
});

test("a place in the queue is given up at once, whatever the Router says", async () => {
	const { world, control } = await live();
	world.answer = { outcome: "waiting", leaseId: "w" };
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	await tell(control, { stream: "guest", state: "idle" }, 3_000);
	world.failing.add("plan");
	await control.settle(13_000);
	expect(world.taken()).toContain("release w");
});

test("a compositor granted when none is wanted any more is given back", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await control.leaseChanged({ leaseId: "late", fence: 1, state: "running", reason: "test" }, 2_000);
	await control.settle(2_000);
	expect(world.taken()).toEqual(["release late"]);
	expect(world.stored?.lease).not.toHaveProperty("leaseId");
});

test("a compositor whose frames stop is replaced at once, under a higher fence that the Router hears of", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "composite/main", state: "idle", fence: 1 }, 5_000);
	expect(world.taken().toSorted()).toEqual(["acquire 2", "fence 2", "plan composite"]);
	expect(world.plan?.minFence).toBe(2);
	expect(world.stored?.lease).toMatchObject({ phase: "assigned", failures: 1 });
});

test("the end of an older compositor's frames says nothing of the newer one", async () => {
	const { world, control } = await composed();
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, 4_000);
	await control.settle(4_000);
	world.taken();
	await tell(control, { stream: "composite/main", state: "idle", fence: 1 }, 4_500);
	await tell(control, { stream: "composite/main", state: "idle" }, 4_600);
	expect(world.taken()).toEqual([]);
	await tell(control, { stream: "composite/main", state: "live", fence: 2 }, 5_000);
	await tell(control, { stream: "composite/main", state: "idle", fence: 1 }, 5_500);
	expect(world.taken()).toEqual([]);
	await tell(control, { stream: "composite/main", state: "idle" }, 6_000);
	expect(world.stored?.lease).toMatchObject({ phase: "retrying", failures: 2 });
	await ring(world, control);
	expect(world.taken()).toContain("acquire 3");
});

test("a newer compositor that dies before its first key frame is replaced, though an older one was heard last", async () => {
	const { world, control } = await composed();
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, 4_000);
	await control.settle(4_000);
	await tell(control, { stream: "composite/main", state: "idle", fence: 2 }, 5_000);
	expect(world.stored?.lease).toMatchObject({ phase: "retrying", fence: 2 });
	expect(world.stored?.liveStreams).toEqual(["host", "guest"]);
});

test("who is live is told once, however often the Router says so", async () => {
	const { world, control } = await composed();
	world.statuses.length = 0;
	await tell(control, { stream: "host", state: "live" }, 4_000);
	await tell(control, { stream: "guest", state: "live" }, 4_000);
	expect(world.statuses).toEqual([]);
});

test("the plan does not wait for a pool that hangs, nor a new compositor for an Egress that hangs", async () => {
	const { world, control } = await composed();
	world.hanging.add("acquire");
	const losing = tell(control, { stream: "composite/main", state: "idle", fence: 1 }, 5_000);
	await Promise.resolve();
	world.hanging.clear();
	await losing;
	expect(world.taken().filter((call) => call !== "acquire 3")).toEqual(["fence 2", "plan composite", "acquire 2"]);
	const { world: other, control: another } = await live();
	other.hanging.add("start-egress");
	const adding = give(another, { type: "add-destination", ...newDestination("d2", { allowBFrames: true }) }, 2_000);
	await another.streamChanged({ stream: "guest", state: "live" }, 2_000);
	const settling = another.settle(2_000);
	await new Promise((resolve) => setImmediate(resolve));
	expect(other.calls).toContain("acquire 1");
	expect(other.plan?.prefers).toBe("composite");
	await Promise.all([adding, settling]);
});

test("a compositor that runs and never shows its program to the Router is replaced", async () => {
	const { world, control } = await live({ alwaysCompose: true });
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, 2_000);
	await control.settle(2_000);
	world.taken();
	for (let nowMs = 0; nowMs < 2_000 + COMPOSITE_WITHIN_MS; ) {
		expect(world.calls).not.toContain("acquire 2");
		nowMs = await ring(world, control);
	}
	expect(world.calls).toContain("acquire 2");
});

test("the scene says who is expected, and is solo while no guest is", async () => {
	const { world, control } = await live();
	const told = () =>
		world.scenes.splice(0).map(({ layout, people }) => [layout, ...people.map((each) => each.expected)]);
	await tell(control, { stream: "host", state: "live" }, 1_500);
	expect(told()).toEqual([["solo", true, false]]);
	await give(control, { type: "set-scene", layout: "vertical" }, 1_600);
	expect(told()).toEqual([]);
	await tell(control, { stream: "guest", state: "live" }, 2_000);
	expect(told()).toEqual([["vertical", true, true]]);
	await give(control, { type: "set-scene", layout: "pip" }, 2_100);
	expect(told()).toEqual([["pip", true, true]]);
	await tell(control, { stream: "guest", state: "idle" }, 20_000);
	await tell(control, { stream: "host", state: "idle" }, 22_000);
	expect(told()).toEqual([]);
	expect(world.wakeAtMs).toBe(30_000);
	await ring(world, control);
	expect(told()).toEqual([["solo", true, false]]);
	expect(world.wakeAtMs).toBe(32_000);
	await ring(world, control);
	expect(told()).toEqual([["solo", false, false]]);
	expect(control.view()).toMatchObject({ value: { layout: "pip" } });
});

test("everyone is told what the program is made of", async () => {
	const { world, control } = await live();
	world.statuses.length = 0;
	await made(control, "host", 1_500);
	await made(control, "host", 1_600);
	await made(control, "hold", 1_700);
	expect(world.statuses).toMatchObject([{ program: "host" }, { program: "hold" }]);
});

test("a compositor goes on with cards when everyone has left, and the broadcast ends when nobody comes back", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "host", state: "idle" }, 4_000);
	await tell(control, { stream: "guest", state: "idle" }, 5_000);
	let nowMs = 5_000;
	while (world.stored?.status === "live") {
		expect(world.calls).not.toContain("release l");
		nowMs = await ring(world, control);
	}
	expect(nowMs).toBe(5_000 + 120_000);
	expect(endOf(world)).toEqual({ status: "ended", reason: "nobody came back for 120 s" });
	expect(world.taken()).toEqual(expect.arrayContaining(["stop-egress d1", "end-router", "release l", "index ended"]));
	expect(world.dismissed).toBe(true);
	expect(world.wakeAtMs).toBeUndefined();
});

test("a host who comes back to a compositor with cards is passed through again", async () => {
	const { world, control } = await composed();
	await tell(control, { stream: "host", state: "idle" }, 4_000);
	await tell(control, { stream: "guest", state: "idle" }, 5_000);
	await control.settle(60_000);
	world.taken();
	await tell(control, { stream: "host", state: "live" }, 61_000);
	expect(world.taken()).toEqual(["plan host"]);
	await made(control, "host", 62_000);
	expect(world.taken()).toContain("release l");
});

test.each([false, true])(
	"a broadcast to which nobody comes ends by itself (alwaysCompose: %s)",
	async (alwaysCompose) => {
		const { world, control } = await live({ alwaysCompose });
		let nowMs = 0;
		for (let rounds = 0; world.stored?.status === "live" && rounds < 1_000; rounds++) {
			nowMs = await ring(world, control);
		}
		expect(nowMs).toBe(1_000 + NEVER_CAME_MS);
		expect(endOf(world)).toEqual({ status: "ended", reason: "nobody came for 3600 s" });
	},
);

test("the alarm that ends a broadcast is there after a restart", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 2_000);
	await tell(control, { stream: "host", state: "idle" }, 9_000);
	const restarted = new World();
	const again = restarted.control(structuredClone(world.stored));
	await again.settle(10_000);
	while (restarted.wakeAtMs !== undefined && restarted.stored?.status !== "ended") {
		await ring(restarted, again);
	}
	expect(endOf(restarted)).toEqual({ status: "ended", reason: "nobody came back for 120 s" });
});

test("a hold that lasted as long as it may ends the broadcast, and says so", async () => {
	const { world, control } = await live({ holdSeconds: 7 });
	await tell(control, { stream: "host", state: "live" }, 1_500);
	await control.holdExpired(9_000);
	expect(endOf(world)).toEqual({ status: "ended", reason: "nothing came for 7 s" });
	await control.settle(9_000);
	expect(world.dismissed).toBe(true);
	await give(control, { type: "end", reason: "ended by the host" }, 10_000);
	expect(control.view()).toMatchObject({ value: { endReason: "nothing came for 7 s", endedAtMs: 9_000 } });
});

test("a Router that was lost gets its plan again, wakes every Egress, and the lease is looked after", async () => {
	const { world, control } = await composed();
	await control.routerRestarted(5_000);
	await control.settle(5_000);
	expect(world.taken().toSorted()).toEqual(["plan composite", "resume-egress d1", "standing l"]);
	await control.settle(6_000);
	expect(world.taken()).toEqual([]);
	world.failing.add("resume-egress");
	await control.routerRestarted(7_000);
	await control.settle(7_000);
	world.failing.clear();
	world.taken();
	await ring(world, control);
	expect(world.taken()).toEqual(["resume-egress d1"]);
});

test("someone whose leaving nobody told of is missed by asking the Router now and then", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 2_000);
	expect(world.wakeAtMs).toBe(2_000 + STREAMS_CHECK_EVERY_MS);
	await ring(world, control);
	expect(world.taken()).toEqual(["router-stats"]);
	expect(world.stored?.liveStreams).toEqual(["host"]);
	world.publishing = [];
	const nowMs = await ring(world, control);
	expect(world.stored?.liveStreams).toEqual([]);
	expect(world.stored?.leftAtMs).toEqual({ host: nowMs });
});

test("the Router's word is newer than figures it was asked for before", async () => {
	const { world, control } = await live();
	await tell(control, { stream: "host", state: "live" }, 2_000);
	world.publishing = [];
	const asking = ring(world, control);
	while (!world.calls.includes("router-stats")) {
		await Promise.resolve();
	}
	await control.streamChanged({ stream: "host", state: "live" }, 32_001);
	await asking;
	expect(world.stored?.liveStreams).toEqual(["host"]);
});

test.each(["hanging", "failing"] as const)("ending works when everything is %s", async (how) => {
	const { world, control } = await composed();
	for (const call of ["stop-egress", "end-router", "plan", "release", "index", "acquire", "standing"]) {
		world[how].add(call);
	}
	// What hangs already must not hold up the end.
	const leaving = tell(control, { stream: "guest", state: "idle" }, 20_000);
	const ended = await give(control, { type: "end", reason: "ended by the host" }, 20_001);
	expect(ended).toMatchObject({ ok: true, value: { broadcast: { status: "ended", endReason: "ended by the host" } } });
	expect(world.stored?.status).toBe("ended");
	expect(world.dismissed).toBe(true);
	await leaving;
	world[how].clear();
	await control.settle(60_000);
	expect(world.stored).toMatchObject({ routerOpen: false, indexed: true, lease: { phase: "none" } });
	expect(world.wakeAtMs).toBeUndefined();
});

test("a record that an older version stored is taken over: composed as it was", async () => {
	const { world } = await live();
	const stored = structuredClone(world.stored) as unknown as Record<string, unknown>;
	for (const key of [
		"people",
		"version",
		"maxGuests",
		"alwaysCompose",
		"holdSeconds",
		"guestGraceSeconds",
		"leftAtMs",
		"expected",
		"programSource",
	]) {
		delete stored[key];
	}
	stored.liveStreams = ["host", "program/main"];
	stored.destinations = [
		{ id: "d1", url: "rtmp://one.example/app/k", egress: "started", removed: false, state: "live" },
	];
	const restored = restoredRecord(stored as unknown as BroadcastRecord);
	const after = new World();
	await after.control(restored).settle(2_000);
	expect(after.stored).toMatchObject({
		alwaysCompose: true,
		holdSeconds: INPUT.holdSeconds,
		guestGraceSeconds: INPUT.guestGraceSeconds,
		liveStreams: ["host"],
		expected: ["host"],
		lease: { phase: "assigned" },
	});
	expect(after.plan).toMatchObject({ prefers: "composite", allowsBFrames: true });
});
