import { expect, test } from "vitest";
import type { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import { EMPTY_LOBBY_MS, WARM_AFTER_MS, WARM_BEFORE_MS } from "../../../worker/broadcast/schedule.ts";
import type { NewBroadcast } from "../../../worker/protocol/broadcast-commands.ts";
import { give, World } from "./broadcast-world.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** The start of every show here, unless it is another that matters. */
const START_MS = 2 * HOUR_MS;
const LOBBY_MS = START_MS - 10 * MINUTE_MS;
const REMIND_MS = START_MS - 15 * MINUTE_MS;
const WARM_MS = START_MS - WARM_BEFORE_MS;
const COLD_MS = START_MS + WARM_AFTER_MS;
const NO_SHOW_MS = START_MS + HOUR_MS;

interface Show {
	readonly world: World;
	readonly control: BroadcastControl;
}

async function scheduled(changes: Partial<NewBroadcast> = {}): Promise<Show> {
	const world = new World();
	world.publishing = [];
	const control = world.control();
	await world.create(control, { scheduledStartMs: START_MS, ...changes });
	world.taken();
	return { world, control };
}

/** What the objects said and did from now on, as the alarm goes off whenever it was set for, until then. */
async function wakeUntil(world: World, control: BroadcastControl, untilMs: number): Promise<string[]> {
	const told: string[] = [];
	const note = (atMs: number) => told.push(...world.taken().map((call) => `${atMs - START_MS} ${call}`));
	for (let atMs = world.wakeAtMs; atMs !== undefined && atMs <= untilMs; atMs = world.wakeAtMs) {
		await control.settle(atMs);
		note(atMs);
	}
	return told;
}

/** As the shell does it: the word is taken, and then what follows from it is done. */
async function stream(show: Show, state: "live" | "idle", atMs: number, who: "host" | "guest" = "host"): Promise<void> {
	const { world, control } = show;
	const others = world.publishing.filter((each) => each !== who);
	world.publishing = state === "live" ? [...others, who] : others;
	await control.streamChanged({ stream: who, state }, atMs);
	await control.settle(atMs);
}

const statusOf = (control: BroadcastControl) => control.record?.status;
/** One after the other, as everyone was told. */
const statuses = (world: World) =>
	world.statuses
		.map((event) => ("status" in event ? event.status : event.type))
		.filter((status, index, all) => status !== all[index - 1]);

test("the alarm is set for what is due next, and each thing is done at its moment", async () => {
	const { world, control } = await scheduled();
	expect(statusOf(control)).toBe("scheduled");
	expect(world.wakeAtMs).toBe(REMIND_MS);
	expect(await wakeUntil(world, control, START_MS)).toEqual([
		"-900000 remind",
		"-600000 index lobby",
		"-60000 fence 1",
		"-60000 plan off",
		"-60000 acquire 1",
		"-45000 standing l",
		"-30000 standing l",
		"-15000 standing l",
		"0 standing l",
	]);
	expect(statuses(world)).toEqual(["lobby"]);
});

test("an early alarm does nothing, and a second one at the same moment nothing more", async () => {
	const { world, control } = await scheduled();
	await control.settle(REMIND_MS - 1);
	expect(world.taken()).toEqual([]);
	expect(world.wakeAtMs).toBe(REMIND_MS);
	await control.settle(LOBBY_MS - 1);
	expect(world.taken()).toEqual(["remind"]);
	await control.settle(LOBBY_MS);
	expect(world.taken()).toEqual(["index lobby"]);
	await control.settle(LOBBY_MS);
	await control.settle(LOBBY_MS);
	expect(world.taken()).toEqual([]);
	expect(statuses(world)).toEqual(["lobby"]);
	expect(world.wakeAtMs).toBe(WARM_MS);
});

test("one that slept through lobby and start does all that is due, in order", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await control.streamChanged({ stream: "host", state: "live" }, LOBBY_MS - MINUTE_MS);
	world.statuses.length = 0;
	await control.settle(START_MS + 20_000);
	expect(statuses(world)).toEqual(["lobby", "live"]);
	expect(control.record?.startedAtMs).toBe(START_MS + 20_000);
	expect(world.taken()).not.toContain("remind");
});

test("one that slept through all of it, without its host, was a lobby before it ended", async () => {
	const { world, control } = await scheduled();
	await control.settle(NO_SHOW_MS + 1);
	expect(statuses(world)).toEqual(["lobby", "ended"]);
	expect(control.record).toMatchObject({ endReason: "the host never came", endedAtMs: NO_SHOW_MS + 1 });
	expect(world.taken()).toEqual(["index ended", "end-router"]);
	expect(world.wakeAtMs).toBeUndefined();
	expect(world.dismissed).toBe(true);
});

test("auto: goes live at the exact moment, and the compositor that is warm is there for host and guest", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await wakeUntil(world, control, WARM_MS);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, WARM_MS + 3_000);
	await stream({ world, control }, "live", WARM_MS + 5_000);
	await stream({ world, control }, "live", WARM_MS + 6_000, "guest");
	await control.streamChanged({ stream: "composite/main", state: "live", fence: 1 }, WARM_MS + 7_000);
	await control.settle(START_MS - 1);
	expect(statusOf(control)).toBe("lobby");
	expect(world.plan?.onAir).toBe(false);
	expect(world.calls.filter((call) => call.startsWith("start-egress"))).toEqual([]);
	expect(world.wakeAtMs).toBe(START_MS);
	world.taken();
	await control.settle(START_MS);
	expect(control.record).toMatchObject({ status: "live", startedAtMs: START_MS });
	expect(world.taken()).toEqual(["plan composite", "index live", "start-egress d1"]);
	expect(control.record?.lease).toMatchObject({ phase: "running", fence: 1 });
});

test("auto: a host who is late goes live as they come, one who left before the time does not, one without a time at once", async () => {
	const late = await scheduled({ startMode: "auto" });
	await late.control.settle(START_MS);
	expect(statusOf(late.control)).toBe("lobby");
	await stream(late, "live", START_MS + MINUTE_MS);
	expect(statusOf(late.control)).toBe("live");

	const left = await scheduled({ startMode: "auto" });
	await stream(left, "live", LOBBY_MS);
	await stream(left, "idle", START_MS - 1_000);
	await left.control.settle(START_MS);
	expect(statusOf(left.control)).toBe("lobby");

	const world = new World();
	const control = world.control();
	await world.create(control, { startMode: "auto" });
	world.publishing = [];
	await stream({ world, control }, "live", 5_000, "guest");
	expect(statusOf(control)).toBe("lobby");
	await stream({ world, control }, "live", 6_000);
	expect(statusOf(control)).toBe("live");
});

test("manual: a host who is there is waited for as long as they like", async () => {
	const { world, control } = await scheduled();
	await stream({ world, control }, "live", LOBBY_MS);
	await wakeUntil(world, control, NO_SHOW_MS + HOUR_MS);
	expect(statusOf(control)).toBe("lobby");
	await stream({ world, control }, "idle", NO_SHOW_MS + HOUR_MS);
	await wakeUntil(world, control, NO_SHOW_MS + 2 * HOUR_MS - 1);
	expect(statusOf(control)).toBe("lobby");
	await wakeUntil(world, control, NO_SHOW_MS + 2 * HOUR_MS);
	expect(control.record).toMatchObject({ status: "ended", endReason: "the host did not come back" });
});

test("a host whose leaving nobody told of is missed by the Router's figures, and does not start a show", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await stream({ world, control }, "live", LOBBY_MS);
	world.publishing = [];
	await wakeUntil(world, control, START_MS);
	expect(control.record).toMatchObject({ status: "lobby", liveStreams: [] });
});

test("a guest keeps no show open whose host never comes", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await stream({ world, control }, "live", LOBBY_MS, "guest");
	await wakeUntil(world, control, NO_SHOW_MS);
	expect(control.record).toMatchObject({ status: "ended", endReason: "the host never came" });
});

test("a lobby without a start closes when nobody has come for as long as its links hold", async () => {
	const world = new World();
	world.publishing = [];
	const control = world.control();
	await world.create(control);
	await stream({ world, control }, "live", HOUR_MS, "guest");
	await control.settle(EMPTY_LOBBY_MS + HOUR_MS);
	expect(statusOf(control)).toBe("lobby");
	await stream({ world, control }, "idle", EMPTY_LOBBY_MS + 2 * HOUR_MS, "guest");
	const closesAtMs = 2 * EMPTY_LOBBY_MS + 2 * HOUR_MS;
	await wakeUntil(world, control, closesAtMs - 1);
	expect(world.wakeAtMs).toBe(closesAtMs);
	await control.settle(closesAtMs);
	expect(control.record).toMatchObject({ status: "ended", endReason: "nobody came" });
});

test("a lobby that an older version stored is open since it was looked at", async () => {
	const world = new World();
	const before = world.control();
	await world.create(before);
	const { lobbySinceMs: _, ...stored } = before.record ?? {};
	const after = new World();
	const control = after.control(stored as typeof before.record);
	await control.settle(3 * EMPTY_LOBBY_MS);
	expect(statusOf(control)).toBe("lobby");
	expect(after.wakeAtMs).toBe(4 * EMPTY_LOBBY_MS);
});

test("a warm compositor that shows nothing, because nobody is there, is not taken for lost", async () => {
	const { world, control } = await scheduled();
	await control.settle(WARM_MS);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, WARM_MS + 3_000);
	world.taken();
	const told = await wakeUntil(world, control, COLD_MS - 1);
	expect(new Set(told.map((each) => each.split(" ").slice(1).join(" ")))).toEqual(new Set(["standing l"]));
	expect(control.record?.lease).toMatchObject({ phase: "running", fence: 1 });
	await control.settle(COLD_MS);
	expect(world.taken()).toContain("release l");
	expect(control.record?.lease).toEqual({ phase: "none", fence: 1, failures: 0 });
});

test("a warm compositor that shows nothing of a host who is there is replaced", async () => {
	const { world, control } = await scheduled();
	await control.settle(WARM_MS);
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "running", reason: "test" }, WARM_MS + 3_000);
	await stream({ world, control }, "live", WARM_MS + 4_000);
	await control.settle(WARM_MS + 33_999);
	expect(control.record?.lease.fence).toBe(1);
	await control.settle(WARM_MS + 34_000);
	expect(control.record?.lease.fence).toBe(2);
});

test("a warm compositor that is lost before the start is replaced at once", async () => {
	const { world, control } = await scheduled();
	await control.settle(WARM_MS);
	world.taken();
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "lost", reason: "test" }, WARM_MS + 1_000);
	await control.settle(WARM_MS + 1_000);
	expect(world.taken()).toEqual(["fence 2", "plan off", "acquire 2"]);
});

test("a compositor stays warm for a host who is there, and for one who comes back, but not for one who has gone", async () => {
	const { world, control } = await scheduled();
	await control.settle(WARM_MS);
	await stream({ world, control }, "live", WARM_MS + 1_000);
	await control.streamChanged({ stream: "composite/main", state: "live", fence: 1 }, WARM_MS + 2_000);
	await wakeUntil(world, control, COLD_MS + MINUTE_MS);
	expect(control.record?.lease.phase).toBe("running");
	const leftAtMs = COLD_MS + 2 * MINUTE_MS;
	await stream({ world, control }, "idle", leftAtMs);
	await control.settle(leftAtMs + 9_999);
	expect(control.record?.lease.phase).toBe("running");
	expect(world.wakeAtMs).toBe(leftAtMs + 10_000);
	await control.settle(leftAtMs + 10_000);
	expect(control.record?.lease.phase).toBe("none");
});

test("a warm compositor is let go when the host who goes live is alone and fit", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await control.settle(WARM_MS);
	await stream({ world, control }, "live", WARM_MS + 1_000);
	await control.settle(START_MS);
	expect(world.plan).toMatchObject({ onAir: true, prefers: "host" });
	await control.programChanged({ source: "host" }, START_MS + 100);
	await control.settle(START_MS + 100);
	expect(world.taken()).toContain("release l");
	expect(control.record?.lease.phase).toBe("none");
});

test("reschedule while warm: back to scheduled, the compositor given back, and everything again at its new time", async () => {
	const { world, control } = await scheduled();
	await wakeUntil(world, control, WARM_MS);
	world.taken();
	const later = START_MS + 24 * HOUR_MS;
	await give(control, { type: "update", changes: { scheduledStartMs: later } }, WARM_MS + 5_000);
	expect(control.record).toMatchObject({ status: "scheduled", rescheduled: 1, lease: { phase: "none" } });
	expect(control.record).not.toHaveProperty("lobbySinceMs");
	expect(world.taken().toSorted()).toEqual(["index scheduled", "release l"]);
	expect(world.wakeAtMs).toBe(later - 15 * MINUTE_MS);
	const told = await wakeUntil(world, control, later - WARM_BEFORE_MS);
	const after = later - START_MS;
	expect(told).toEqual([
		`${after - 900_000} remind`,
		`${after - 900_000} index scheduled`,
		`${after - 600_000} index lobby`,
		`${after - 60_000} fence 2`,
		`${after - 60_000} plan off`,
		`${after - 60_000} acquire 2`,
	]);
});

test("reschedule while the pool has not answered: what it grants later is given back", async () => {
	const { world, control } = await scheduled();
	world.answer = { outcome: "waiting", leaseId: "l" };
	await control.settle(WARM_MS);
	await give(control, { type: "update", changes: { scheduledStartMs: START_MS + HOUR_MS } }, WARM_MS + 1_000);
	world.taken();
	await control.leaseChanged({ leaseId: "l", fence: 1, state: "assigned", reason: "test" }, WARM_MS + 2_000);
	await control.settle(WARM_MS + 2_000);
	expect(world.taken()).toEqual(["release l"]);
});

test("reschedule to so soon that the lobby is open, and to no time at all", async () => {
	const { control } = await scheduled();
	const soon = HOUR_MS + 5 * MINUTE_MS;
	await give(control, { type: "update", changes: { scheduledStartMs: soon } }, HOUR_MS);
	expect(control.record).toMatchObject({ status: "lobby", scheduledStartMs: soon, rescheduled: 1 });
	await give(control, { type: "update", changes: { scheduledStartMs: START_MS } }, HOUR_MS);
	expect(control.record).toMatchObject({ status: "scheduled", rescheduled: 2 });
	await give(control, { type: "update", changes: { scheduledStartMs: START_MS } }, HOUR_MS);
	expect(control.record).toMatchObject({ status: "scheduled", rescheduled: 2 });
	await give(control, { type: "update", changes: { scheduledStartMs: null } }, HOUR_MS);
	expect(control.record).toMatchObject({ status: "lobby", rescheduled: 3 });
	expect(control.record).not.toHaveProperty("scheduledStartMs");
});

test("to no time at all, with the host there in auto mode: it goes live", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await stream({ world, control }, "live", LOBBY_MS);
	expect(statusOf(control)).toBe("lobby");
	const outcome = await give(control, { type: "update", changes: { scheduledStartMs: null } }, LOBBY_MS + 1_000);
	expect(outcome).toMatchObject({ ok: true, value: { broadcast: { status: "live" } } });
});

test("a lobby that is to open earlier opens, and one that is open stays so", async () => {
	const { world, control } = await scheduled();
	await give(control, { type: "update", changes: { lobbySeconds: 3_600 } }, HOUR_MS + MINUTE_MS);
	expect(statusOf(control)).toBe("lobby");
	await give(control, { type: "update", changes: { lobbySeconds: 60 } }, HOUR_MS + MINUTE_MS);
	expect(statusOf(control)).toBe("lobby");
	expect(world.wakeAtMs).toBe(REMIND_MS);
});

test("started early by hand, from scheduled: live at once, and the schedule has no more to say", async () => {
	const { world, control } = await scheduled();
	await give(control, { type: "start" }, MINUTE_MS);
	expect(control.record).toMatchObject({ status: "live", startedAtMs: MINUTE_MS });
	await stream({ world, control }, "live", MINUTE_MS);
	const told = await wakeUntil(world, control, NO_SHOW_MS);
	expect(statusOf(control)).toBe("live");
	expect(told.join()).not.toMatch(/remind|acquire|end-router/);
});

test("cancelled: everything is freed, the warm compositor too, and no alarm is left", async () => {
	const { world, control } = await scheduled();
	await wakeUntil(world, control, WARM_MS);
	world.taken();
	await give(control, { type: "cancel" }, WARM_MS + 1_000);
	expect(world.taken()).toEqual(["index cancelled", "end-router", "release l"]);
	expect(world.wakeAtMs).toBeUndefined();
	expect(world.dismissed).toBe(true);
	await control.settle(START_MS);
	await control.settle(NO_SHOW_MS);
	expect(world.taken()).toEqual([]);
	expect(statusOf(control)).toBe("cancelled");
});

test("a reminder that was not taken is tried again until the start, and not after it", async () => {
	const { world, control } = await scheduled();
	world.failing.add("remind");
	await control.settle(REMIND_MS);
	expect(world.taken()).toEqual(["remind"]);
	expect(world.wakeAtMs).toBe(REMIND_MS + 500);
	const told = await wakeUntil(world, control, START_MS);
	expect(told.filter((each) => each.endsWith(" remind")).length).toBeGreaterThan(5);
	expect((await wakeUntil(world, control, START_MS + MINUTE_MS)).join()).not.toContain("remind");
	expect(control.record?.remindedForMs).toBeUndefined();
});

test("an object lost between storing and settling finds what is left to do", async () => {
	const { world } = await scheduled();
	const sleeping = structuredClone(world.stored);
	const inLobby = new World();
	inLobby.hanging.add("index");
	const lost = inLobby.control(sleeping).settle(LOBBY_MS);
	await new Promise((resolve) => setTimeout(resolve, 1));
	expect(inLobby.stored?.status).toBe("lobby");
	expect(inLobby.wakeAtMs).toBe(LOBBY_MS + 15_000);
	const restarted = new World();
	const control = restarted.control(structuredClone(inLobby.stored));
	await control.settle(LOBBY_MS + 15_000);
	expect(restarted.taken()).toEqual(["index lobby"]);
	expect(statuses(restarted)).toEqual([]);
	expect(restarted.wakeAtMs).toBe(WARM_MS);
	await lost;
});

test("an object lost in the middle of going live starts every Egress and plans the program when it is back", async () => {
	const { world, control } = await scheduled({ startMode: "auto" });
	await control.settle(WARM_MS);
	await stream({ world, control }, "live", WARM_MS + 1_000);
	await stream({ world, control }, "live", WARM_MS + 1_000, "guest");
	world.hanging.add("start-egress").add("plan");
	const lost = control.settle(START_MS);
	await new Promise((resolve) => setTimeout(resolve, 1));
	expect(world.stored).toMatchObject({ status: "live", startedAtMs: START_MS });
	const restarted = new World();
	await restarted.control(structuredClone(world.stored)).settle(START_MS + 15_000);
	expect(
		restarted
			.taken()
			.filter((call) => !call.startsWith("standing") && !call.startsWith("index"))
			.toSorted(),
	).toEqual(["plan composite", "router-stats", "start-egress d1"].toSorted());
	expect(restarted.stored?.startedAtMs).toBe(START_MS);
	await lost;
});
