import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { BroadcastAudienceDesk } from "../../../worker/audience/audience-desk.ts";
import { MAX_REMINDERS, ReminderList } from "../../../worker/audience/reminder-list.ts";
import type { SqlPort } from "../../../worker/audience/sql-port.ts";
import type { BroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import type { PublicState } from "../../../worker/protocol/audience.ts";

const NOW_MS = Date.UTC(2027, 0, 1);
const START_MS = NOW_MS + 3_600_000;
const MINUTE_MS = 60_000;
const DUE_MS = START_MS - 15 * MINUTE_MS;
const KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";

const SCHEDULED = {
	id: "0123456789abcdef",
	version: 1,
	status: "scheduled",
	title: "A show",
	people: [{ id: "host", name: "Ada" }],
	scheduledStartMs: START_MS,
	reminderMinutesBefore: 15,
	rescheduled: 0,
	deleted: false,
	destinations: [{ sealedAddress: "sealed-address", shownUrl: "rtmp://shown" }],
} as unknown as BroadcastRecord;

/** SQLite as an object has it: `?1` and `?` bound in order. */
function sqlIn(database: DatabaseSync): SqlPort {
	return { exec: (query, ...bindings) => ({ toArray: () => database.prepare(query).all(...bindings) }) };
}

class World {
	readonly database = new DatabaseSync(":memory:");
	readonly told: [shard: string, what: PublicState | string][] = [];
	readonly reports: string[] = [];
	record: BroadcastRecord | undefined = SCHEDULED;
	key: string | undefined = KEY;
	deadShards: number[] = [];
	desk = this.#newDesk();

	#newDesk(): BroadcastAudienceDesk {
		const world = this;
		return new BroadcastAudienceDesk({
			record: () => this.record,
			sql: sqlIn(this.database),
			env: {
				get ENCRYPTION_KEY() {
					return world.key ?? "";
				},
			},
			shard: (broadcastId, shard) => {
				const tell = async (what: PublicState | string) => {
					if (this.deadShards.includes(shard)) {
						throw new Error("shard: gone");
					}
					this.told.push([`${broadcastId}/${shard}`, what]);
				};
				return { stateChanged: tell, dismiss: tell };
			},
			report: (message) => this.reports.push(message),
		});
	}

	evict(): void {
		this.desk = this.#newDesk();
	}

	async change(change: Partial<BroadcastRecord>, nowMs: number): Promise<void> {
		const before = this.record;
		const after = { ...SCHEDULED, ...before, ...change };
		this.record = after.deleted ? undefined : after;
		await this.desk.recordChanged(before, after, nowMs);
	}

	async add(contact: string, nowMs = NOW_MS): Promise<string> {
		const added = await this.desk.addReminder(contact, nowMs);
		expect(added).toMatchObject({ ok: true });
		return added.ok ? added.value.id : "";
	}

	async take(nowMs: number, limit?: number): Promise<string[]> {
		const due = await this.desk.takeDueReminders(nowMs, limit);
		due?.taken();
		return due?.contacts.map(({ contact }) => contact).toSorted() ?? [];
	}
}

describe("viewers", () => {
	test("are counted over shards and eviction, and each shard learns the total by its own count", async () => {
		const world = new World();
		await world.desk.audienceCounted({ shard: 0, count: 10 }, NOW_MS);
		expect(await world.desk.audienceCounted({ shard: 1, count: 5 }, NOW_MS)).toEqual({
			ok: true,
			value: { version: 1, status: "scheduled", title: "A show", scheduledStartMs: START_MS, viewers: 15 },
		});
		world.evict();
		expect(world.desk.viewers(NOW_MS)).toBe(15);
		expect(world.desk.viewers(NOW_MS + 90_000)).toBe(0);
	});

	test("of no broadcast are none, and nothing is written for it", async () => {
		const world = new World();
		world.record = undefined;
		expect(await world.desk.audienceCounted({ shard: 0, count: 1 }, NOW_MS)).toMatchObject({ ok: false });
		expect(await world.desk.publicView(NOW_MS)).toMatchObject({ ok: false, refusal: { kind: "not-found" } });
		expect(world.desk.viewers(NOW_MS)).toBe(0);
		expect(world.database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
	});

	test("are told of a change by each shard that counted in the last 90 s, also after eviction, and by a dead one later", async () => {
		const world = new World();
		await world.desk.audienceCounted({ shard: 0, count: 1 }, NOW_MS);
		await world.desk.audienceCounted({ shard: 1, count: 1 }, NOW_MS + 30_000);
		await world.desk.audienceCounted({ shard: 2, count: 1 }, NOW_MS + 30_000);
		world.evict();
		world.deadShards = [1];
		await world.change({ version: 2, status: "live", startedAtMs: START_MS }, NOW_MS + 90_000);
		expect(world.told).toMatchObject([[`${SCHEDULED.id}/2`, { status: "live", version: 2, viewers: 2 }]]);
		expect(world.reports.length).toBe(1);
	});

	test("are not told of what they are not shown", async () => {
		const world = new World();
		await world.desk.audienceCounted({ shard: 0, count: 1 }, NOW_MS);
		await world.change({ version: 2, layout: "pip", destinations: [] }, NOW_MS);
		expect(world.told).toEqual([]);
		await world.change({ version: 3, title: "Another" }, NOW_MS);
		expect(world.told).toMatchObject([[`${SCHEDULED.id}/0`, { title: "Another" }]]);
	});

	test("are let go when it is deleted", async () => {
		const world = new World();
		await world.desk.audienceCounted({ shard: 3, count: 1 }, NOW_MS);
		await world.change({ deleted: true }, NOW_MS);
		expect(world.told).toEqual([[`${SCHEDULED.id}/3`, "broadcast: it was deleted"]]);
	});

	test("see nothing of the people and destinations", async () => {
		const view = await new World().desk.publicView(NOW_MS);
		expect(view).toEqual({
			ok: true,
			value: {
				id: SCHEDULED.id,
				version: 1,
				status: "scheduled",
				title: "A show",
				hostName: "Ada",
				scheduledStartMs: START_MS,
				rescheduled: 0,
				viewers: 0,
			},
		});
	});
});

describe("reminders", () => {
	test("are kept sealed, once for each contact, under an id that says nothing", async () => {
		const world = new World();
		const id = await world.add("ada@example.com");
		expect(await world.add("ada@example.com")).toBe(id);
		expect(await world.add("grace@example.com")).not.toBe(id);
		expect(await world.desk.countReminders(NOW_MS)).toEqual({ ok: true, value: { count: 2, dueAtMs: DUE_MS } });
		const rows = world.database.prepare("SELECT * FROM reminders").all();
		expect(rows.length).toBe(2);
		expect(JSON.stringify(rows)).not.toContain("example.com");
	});

	test("are taken in batches, each contact once", async () => {
		const world = new World();
		for (let index = 0; index < 5; index++) {
			await world.add(`p${index}`);
		}
		expect(await world.take(DUE_MS - 1)).toEqual([]);
		const batches = [await world.take(DUE_MS, 2), await world.take(DUE_MS, 2), await world.take(DUE_MS, 2)];
		expect(batches.map(({ length }) => length)).toEqual([2, 2, 1]);
		expect(batches.flat().toSorted()).toEqual(["p0", "p1", "p2", "p3", "p4"]);
		world.evict();
		expect(await world.take(DUE_MS)).toEqual([]);
	});

	test("that were given out and not noted are given out again", async () => {
		const world = new World();
		await world.add("p");
		expect((await world.desk.takeDueReminders(DUE_MS))?.contacts).toMatchObject([{ contact: "p" }]);
		world.evict();
		expect(await world.take(DUE_MS)).toEqual(["p"]);
	});

	test("are due anew when it is put off, or brought forward", async () => {
		for (const shiftMs of [86_400_000, -30 * MINUTE_MS]) {
			const world = new World();
			await world.add("p");
			expect(await world.take(DUE_MS)).toEqual(["p"]);
			world.record = { ...SCHEDULED, scheduledStartMs: START_MS + shiftMs };
			expect(await world.take(DUE_MS + shiftMs - 1)).toEqual([]);
			expect(await world.take(DUE_MS + shiftMs)).toEqual(["p"]);
			expect(await world.take(DUE_MS + shiftMs)).toEqual([]);
		}
	});

	test("can be taken back, also twice", async () => {
		const world = new World();
		const id = await world.add("p");
		await world.add("q");
		expect(await world.desk.removeReminder(id)).toMatchObject({ ok: true });
		expect(await world.desk.removeReminder(id)).toMatchObject({ ok: true });
		expect(await world.desk.countReminders(NOW_MS)).toMatchObject({ value: { count: 1 } });
		expect(await world.take(DUE_MS)).toEqual(["q"]);
	});

	test.each([
		{ name: "live", change: { status: "live" } as const, nowMs: NOW_MS },
		{ name: "ended", change: { status: "ended" } as const, nowMs: NOW_MS },
		{ name: "announced", change: {}, nowMs: DUE_MS },
	])("are not taken on for a broadcast that is $name", async ({ change, nowMs }) => {
		const world = new World();
		world.record = { ...SCHEDULED, ...change };
		expect(await world.desk.addReminder("p", nowMs)).toMatchObject({ ok: false, refusal: { kind: "wrong-state" } });
	});

	test("are not taken on without a start, or a secret to seal them with", async () => {
		const world = new World();
		const { scheduledStartMs: _, ...withoutStart } = SCHEDULED;
		world.record = { ...withoutStart, status: "lobby" };
		expect(await world.desk.addReminder("p", NOW_MS)).toMatchObject({ refusal: { kind: "wrong-state" } });
		world.record = SCHEDULED;
		world.key = undefined;
		expect(await world.desk.addReminder("p", NOW_MS)).toMatchObject({ refusal: { kind: "not-configured" } });
	});

	test.each([
		["it is cancelled", { status: "cancelled" } as const],
		["it ended", { status: "ended" } as const],
		["it is deleted", { deleted: true }],
	])("are forgotten at once when %s", async (_, change) => {
		const world = new World();
		await world.add("p");
		await world.change(change, NOW_MS);
		expect(world.database.prepare("SELECT * FROM reminders").all()).toEqual([]);
	});

	test("whose key is lost are passed over, and the others reminded", async () => {
		const world = new World();
		await world.add("old");
		world.key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM=";
		await world.add("new");
		expect(await world.take(DUE_MS)).toEqual(["new"]);
		expect(world.reports.length).toBe(1);
		expect(await world.take(DUE_MS)).toEqual([]);
	});

	test("are 100,000 at most, and whoever is on the list already is welcome", async () => {
		const world = new World();
		const id = await world.add("p");
		world.database.exec(`
			WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MAX_REMINDERS - 1})
			INSERT INTO reminders (id, sealed_contact, added_at_ms) SELECT 'n' || n, 'x', 0 FROM numbers`);
		world.evict();
		expect(await world.desk.addReminder("q", NOW_MS)).toMatchObject({ ok: false, refusal: { kind: "too-many" } });
		expect(await world.add("p")).toBe(id);
		await world.desk.removeReminder("n5");
		await world.add("q");
	});

	test("work again after the object's storage was deleted", () => {
		const database = new DatabaseSync(":memory:");
		const list = new ReminderList(sqlIn(database));
		list.add({ id: "a", sealedContact: "x" }, 0);
		database.exec("DROP TABLE reminders");
		list.storageDeleted();
		expect(list.count).toBe(0);
	});

	test("are found by an index, however many have been reminded", () => {
		const database = new DatabaseSync(":memory:");
		const plans: string[] = [];
		const sql = sqlIn(database);
		const watched: SqlPort = {
			exec: (query, ...bindings) => {
				if (query.startsWith("SELECT id, sealed_contact")) {
					plans.push(JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${query}`).all(...bindings)));
				}
				return sql.exec(query, ...bindings);
			},
		};
		new ReminderList(watched).notReminded(START_MS, 100);
		expect(plans.join()).toContain("USING INDEX reminders_by_start");
		expect(plans.join()).not.toContain("SCAN");
	});
});
