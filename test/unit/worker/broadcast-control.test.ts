import { expect, test } from "vitest";
import { BroadcastControl } from "../../../worker/broadcast/broadcast-control.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import { WorkRunner } from "../../../worker/broadcast/work-runner.ts";
import type { NewBroadcast } from "../../../worker/protocol/broadcast-commands.ts";
import type { EgressStatus, LeaseAnswer, LeaseStanding } from "../../../worker/protocol/object-rpc.ts";

const INPUT: NewBroadcast = {
	id: "b",
	title: "A test",
	hostName: "Host",
	guestName: "Guest",
	layout: "pip",
	width: 1280,
	height: 720,
	frameRate: 30,
	videoBitrateBps: 3_000_000,
	destinations: [{ url: "rtmp://one.example/app", streamKey: "k" }],
};
const HASHES = { host: "h", guest: "g" };
const EGRESS: EgressStatus = { state: "live", bytes: 0, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 1 };

/** A world of fellow objects that note what they are asked, and fail or hang as a test says. */
class World {
	readonly calls: string[] = [];
	/** Calls that reject, by their first word. */
	readonly failing = new Set<string>();
	/** Calls that never answer. */
	readonly hanging = new Set<string>();
	stored: BroadcastRecord | undefined;
	wakeAtMs: number | undefined;
	/** The alarm as it was set when each call was made. */
	readonly wakeAtCallsMs: (number | undefined)[] = [];
	dismissed = false;
	answer: LeaseAnswer = { outcome: "assigned", leaseId: "l" };
	standing: LeaseStanding = "running";
	#ids = 0;

	control(record?: BroadcastRecord): BroadcastControl {
		const work = new WorkRunner({
			router: () => ({
				open: () => this.#call("open-router"),
				end: () => this.#call("end-router"),
				stats: async () => ({ streams: [] }),
			}),
			egress: (_, id) => ({
				start: () => this.#call("start-egress", id),
				stop: () => this.#call("stop-egress", id),
				status: async () => EGRESS,
			}),
			pool: () => ({
				acquire: async ({ fence }) => {
					await this.#call("acquire", String(fence));
					return this.answer;
				},
				release: (leaseId) => this.#call("release", leaseId),
				standing: async (leaseId) => {
					await this.#call("standing", leaseId);
					return this.standing;
				},
				stats: async () => ({ runners: 0, capacity: 0, freePlaces: 0, leases: 0, waiting: 0 }),
			}),
			index: {
				put: ({ status }) => this.#call("index", status),
				remove: () => this.#call("unindex"),
			},
			compositorToken: async () => "token",
			// Time-outs are at once for what hangs, and never for what answers.
			delay: () => (this.hanging.size > 0 ? new Promise((resolve) => setTimeout(resolve, 5)) : new Promise(() => {})),
			report: () => {},
		});
		return new BroadcastControl(record, {
			store: {
				save: async (next) => {
					this.stored = structuredClone(next);
				},
				clear: async () => {
					this.stored = undefined;
					this.wakeAtMs = undefined;
				},
				wakeAt: async (timeMs) => {
					this.wakeAtMs = timeMs;
				},
			},
			audience: {
				sceneChanged: () => {},
				statusChanged: () => {},
				fenceRaised: (fence) => this.calls.push(`fence ${fence}`),
				dismissAll: () => {
					this.dismissed = true;
				},
			},
			work,
			random: () => 0,
		});
	}

	create(control: BroadcastControl) {
		return control.create(INPUT, HASHES, () => `d${++this.#ids}`, 0);
	}

	taken(): string[] {
		this.wakeAtCallsMs.length = 0;
		return this.calls.splice(0);
	}

	async #call(name: string, argument?: string): Promise<void> {
		this.calls.push(argument === undefined ? name : `${name} ${argument}`);
		this.wakeAtCallsMs.push(this.wakeAtMs);
		if (this.hanging.has(name)) {
			await new Promise(() => {});
		}
		if (this.failing.has(name)) {
			throw new Error("test: it failed");
		}
	}
}

async function live(): Promise<{ world: World; control: BroadcastControl }> {
	const world = new World();
	const control = world.control();
	await world.create(control);
	await control.start(1_000);
	world.taken();
	return { world, control };
}

test("creating opens the Router and lists the broadcast; starting leases a compositor and starts every Egress", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	expect(world.taken()).toEqual(["open-router", "index lobby"]);
	expect(world.wakeAtMs).toBeUndefined();
	await control.start(1_000);
	expect(world.taken().toSorted()).toEqual(["acquire 1", "fence 1", "index live", "start-egress d1"]);
	await control.start(2_000);
	expect(world.taken()).toEqual([]);
});

test("ending stops every Egress before the Router ends and the compositor goes", async () => {
	const { world, control } = await live();
	await control.end(2_000);
	expect(world.taken()).toEqual(["stop-egress d1", "end-router", "release l", "index ended"]);
	expect(world.dismissed).toBe(true);
	expect(world.wakeAtMs).toBeUndefined();
	await control.end(3_000);
	expect(world.taken()).toEqual([]);
});

test("what fails is tried again, alone, by the alarm", async () => {
	const world = new World();
	world.failing.add("start-egress");
	const control = world.control();
	await world.create(control);
	await control.start(1_000);
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
	const { world, control } = await live();
	world.hanging.add("stop-egress");
	expect(await control.end(2_000)).toMatchObject({ ok: true, value: { status: "ended" } });
	expect(world.taken()).toEqual(["stop-egress d1", "end-router", "release l", "index ended"]);
	world.hanging.clear();
	await control.settle(world.wakeAtMs ?? 0);
	expect(world.taken()).toEqual(["stop-egress d1"]);
});

test("an ended broadcast stops trying in the end", async () => {
	const { world, control } = await live();
	world.failing.add("stop-egress");
	await control.end(2_000);
	let rounds = 0;
	while (world.wakeAtMs !== undefined && rounds < 100) {
		rounds++;
		await control.settle(world.wakeAtMs);
	}
	expect(rounds).toBeGreaterThan(5);
	expect(rounds).toBeLessThan(30);
});

test("work cut short by a restart is found again", async () => {
	const { world, control } = await live();
	world.hanging.add("stop-egress");
	const ending = control.end(2_000);
	await Promise.resolve();
	const restarted = new World();
	await restarted.control(structuredClone(world.stored)).settle(20_000);
	expect(restarted.calls).toEqual(["stop-egress d1", "end-router", "release l", "index ended"]);
	await ending;
});

test("the alarm is set before work begins, in case it is cut short", async () => {
	const { world, control } = await live();
	await control.end(2_000);
	expect(world.wakeAtCallsMs).toEqual([17_000, 17_000, 17_000, 17_000]);
});

test("a lost compositor is replaced; the same word twice asks once", async () => {
	const { world, control } = await live();
	const lost = { leaseId: "l", fence: 1, state: "lost", reason: "test" } as const;
	await control.leaseChanged(lost, 5_000);
	await control.leaseChanged(lost, 5_000);
	await control.settle(5_000);
	await control.settle(5_000);
	expect(world.taken()).toEqual(["fence 2", "acquire 2"]);
});

test("asks the pool now and then whether it knows the lease still", async () => {
	const { world, control } = await live();
	expect(world.wakeAtMs).toBe(16_000);
	await control.settle(16_000);
	expect(world.taken()).toEqual(["standing l"]);
	world.standing = "unknown";
	await control.settle(31_000);
	expect(world.taken()).toEqual(["standing l"]);
	await control.settle(world.wakeAtMs ?? 0);
	expect(world.taken()).toEqual(["fence 2", "acquire 2"]);
});

test("a compositor granted after the end is given back, before and after the broadcast is deleted", async () => {
	const { world, control } = await live();
	await control.end(2_000);
	world.taken();
	const late = { leaseId: "late", fence: 1, state: "assigned", reason: "test" } as const;
	await control.leaseChanged(late, 3_000);
	await control.settle(3_000);
	expect(world.taken()).toEqual(["release late"]);
	await control.remove(4_000);
	expect(world.taken()).toEqual(["unindex"]);
	await control.leaseChanged(late, 5_000);
	expect(world.taken()).toEqual(["release late"]);
});

test("deleting leaves nothing behind, also when it takes a second try", async () => {
	const world = new World();
	const control = world.control();
	await world.create(control);
	world.failing.add("unindex");
	await control.remove(1_000);
	expect(control.view()).toMatchObject({ ok: false, refusal: { kind: "not-found" } });
	expect(world.stored).toBeDefined();
	world.failing.clear();
	await control.settle(world.wakeAtMs ?? 0);
	expect(world.stored).toBeUndefined();
	expect(world.wakeAtMs).toBeUndefined();
});

test("a destination taken off while live is stopped and forgotten, one never started is only forgotten", async () => {
	const { world, control } = await live();
	await control.addDestination("d2", { url: "rtmp://two.example/app/k" }, 2_000);
	expect(world.taken()).toEqual(["start-egress d2"]);
	await control.removeDestination("d2", 3_000);
	expect(world.taken()).toEqual(["stop-egress d2"]);
	expect(world.stored?.destinations.map(({ id }) => id)).toEqual(["d1"]);
	const lobby = new World();
	const waiting = lobby.control();
	await lobby.create(waiting);
	lobby.taken();
	await waiting.removeDestination("d1", 1_000);
	expect(lobby.taken()).toEqual([]);
	expect(lobby.stored?.destinations).toEqual([]);
});

test("an Egress's word is shown, and a later word without an error clears the error", async () => {
	const { control } = await live();
	await control.egressChanged("d1", { ...EGRESS, state: "refused", lastError: "wrong key" });
	expect(control.listDestinations()).toMatchObject({ value: [{ state: "refused", lastError: "wrong key" }] });
	await control.egressChanged("d1", EGRESS);
	const listed = control.listDestinations();
	expect(listed.ok && listed.value[0]).toMatchObject({ state: "live" });
	expect(listed.ok && listed.value[0]).not.toHaveProperty("lastError");
});
