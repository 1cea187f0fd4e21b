import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import type { SqlPort } from "../../../worker/audience/sql-port.ts";
import {
	EventStreams,
	HEARTBEAT_MS,
	STALLED_AFTER_MS,
	type StreamReader,
} from "../../../worker/broadcast/events/event-streams.ts";
import { EventTables } from "../../../worker/broadcast/events/event-tables.ts";
import { KEEP_EVENTS_MS, MAX_KEPT_EVENTS, Outbox } from "../../../worker/broadcast/events/outbox.ts";
import { MAX_DEAD_LETTERS, WebhookBook } from "../../../worker/broadcast/events/webhook-book.ts";
import { WebhookCourier } from "../../../worker/broadcast/events/webhook-courier.ts";
import { DELIVERY_TIMEOUT_MS } from "../../../worker/broadcast/events/webhook-delivery.ts";
import type { EventDraft } from "../../../worker/protocol/broadcast-events.ts";

const NOW_MS = Date.UTC(2027, 0, 1);

function setUp() {
	const database = new DatabaseSync(":memory:");
	const sql: SqlPort = { exec: (query, ...bindings) => ({ toArray: () => database.prepare(query).all(...bindings) }) };
	const tables = new EventTables(sql);
	return { database, outbox: new Outbox(sql, tables), book: new WebhookBook(sql, tables) };
}

const draft = (title = "x"): EventDraft => ({
	type: "broadcast.updated",
	data: { settings: [title] },
	actor: "admin",
	requestId: "r",
});
const drafts = (count: number) => Array.from({ length: count }, () => draft());

describe("the outbox", () => {
	test("gives back what was put in, numbered from 1, by range and type", () => {
		const { outbox } = setUp();
		outbox.append([draft(), { type: "broadcast.deleted", data: {}, actor: "system", sealed: "s" }], 3, NOW_MS);
		outbox.append([draft()], 4, NOW_MS + 1);
		expect(outbox.read({ after: 0 }, 9)).toEqual([
			{
				sequence: 1,
				atMs: NOW_MS,
				type: "broadcast.updated",
				actor: "admin",
				requestId: "r",
				version: 3,
				data: { settings: ["x"] },
			},
			{ sequence: 2, atMs: NOW_MS, type: "broadcast.deleted", actor: "system", version: 3, data: {}, sealed: "s" },
			expect.objectContaining({ sequence: 3, version: 4 }),
		]);
		const sequences = (range: Parameters<Outbox["read"]>[0], limit = 9) =>
			outbox.read(range, limit).map(({ sequence }) => sequence);
		expect(sequences({ after: 1 })).toEqual([2, 3]);
		expect(sequences({ after: 0, upTo: 2 })).toEqual([1, 2]);
		expect(sequences({ after: 0, types: ["broadcast.updated"] })).toEqual([1, 3]);
		expect(sequences({ after: 0, types: [] })).toEqual([]);
		expect(sequences({ after: 0 }, 1)).toEqual([1]);
		expect(outbox.count({ after: 1 })).toBe(2);
		expect(outbox.newest).toBe(3);
	});

	test("writes no table before the first event", () => {
		const { database, outbox, book } = setUp();
		expect([outbox.newest, outbox.read({ after: 0 }, 1), outbox.count({ after: 0 }), book.all()]).toEqual([
			0,
			[],
			0,
			[],
		]);
		expect(database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
	});

	test("forgets what is too much, but nothing that a webhook is still to get", () => {
		const { outbox } = setUp();
		outbox.append(drafts(MAX_KEPT_EVENTS + 10), 1, NOW_MS);
		outbox.prune(4, NOW_MS);
		expect(outbox.read({ after: 0 }, 1)[0]?.sequence).toBe(5);
		outbox.prune(outbox.newest, NOW_MS);
		expect(outbox.read({ after: 0 }, 1)[0]?.sequence).toBe(11);
		outbox.prune(outbox.newest, NOW_MS);
		expect(outbox.count({ after: 0 })).toBe(MAX_KEPT_EVENTS);
	});

	test("forgets what is too old, and never the newest, whose number must not come again", () => {
		const { outbox } = setUp();
		outbox.append(drafts(2), 1, NOW_MS);
		outbox.append(drafts(2), 1, NOW_MS + 1_000);
		outbox.prune(outbox.newest, NOW_MS + KEEP_EVENTS_MS);
		expect(outbox.count({ after: 0 })).toBe(4);
		outbox.prune(outbox.newest, NOW_MS + KEEP_EVENTS_MS + 1);
		expect(outbox.read({ after: 0 }, 9).map(({ sequence }) => sequence)).toEqual([3, 4]);
		outbox.prune(outbox.newest, NOW_MS + 2 * KEEP_EVENTS_MS);
		expect(outbox.read({ after: 0 }, 9).map(({ sequence }) => sequence)).toEqual([4]);
		outbox.append(drafts(1), 1, NOW_MS + 2 * KEEP_EVENTS_MS);
		expect(outbox.newest).toBe(5);
	});

	test("dead letters are kept up to a limit, the newest of them, and go with their webhook", () => {
		const { book } = setUp();
		book.add("b", { webhookId: "w", url: "https://h.example", sealedSecret: "s", events: [] }, 0);
		for (let sequence = 1; sequence <= MAX_DEAD_LETTERS + 2; sequence++) {
			book.bury("w", { sequence, type: "broadcast.live", eventAtMs: 1, gaveUpAtMs: 2, error: "e" });
		}
		expect(book.deadLetters("w")).toHaveLength(MAX_DEAD_LETTERS);
		expect(book.deadLetters("w")[0]?.sequence).toBe(3);
		book.exhume("w", 3);
		expect(book.deadLetters("w")[0]?.sequence).toBe(4);
		book.remove("w");
		expect([book.deadLetters("w"), book.all()]).toEqual([[], []]);
	});
});

describe("the courier", () => {
	test("serves all webhooks that are due at once side by side, each in order, and none twice", async () => {
		const { outbox, book } = setUp();
		for (const webhookId of ["a", "b"]) {
			book.add("b", { webhookId, url: "https://h.example", sealedSecret: "s", events: [] }, 0);
		}
		outbox.append(drafts(2), 1, NOW_MS);
		const sent: string[] = [];
		const courier = new WebhookCourier({
			outbox,
			book,
			send: ({ webhookId }, { sequence }) => {
				sent.push(`${webhookId}${sequence}`);
				return webhookId === "a" ? new Promise(() => {}) : Promise.resolve({ kind: "delivered" });
			},
			gone: async () => {},
			nowMs: () => NOW_MS,
			random: () => 0,
		});
		expect(courier.dueMs()).toBe(NOW_MS);
		void courier.run();
		await vi.waitFor(() => expect(sent).toEqual(["a1", "b1", "b2"]));
		await courier.run();
		expect(sent).toEqual(["a1", "b1", "b2"]);
		expect(book.all().map(({ state }) => state.cursor)).toEqual([0, 2]);
		// Should it be lost now, the one on its way is found again.
		expect(courier.dueMs()).toBeGreaterThan(NOW_MS + DELIVERY_TIMEOUT_MS);
	});
});

describe("the streams", () => {
	const text = new TextDecoder();

	function opened(after = 0, reader?: StreamReader) {
		const { outbox } = setUp();
		const streams = new EventStreams(outbox, () => "b");
		const body = streams.open(after, reader).getReader();
		const add = (count: number) => {
			outbox.append(drafts(count), 1, NOW_MS);
			streams.notify();
		};
		/** The ids of the events that can be read without waiting, and how often a comment stood among them. */
		const readIds = async (count: number) => {
			const ids: number[] = [];
			while (ids.length < count) {
				const { value } = await body.read();
				ids.push(...[...text.decode(value).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)));
			}
			return ids;
		};
		return { outbox, streams, body, add, readIds };
	}

	test("give each event once, however the reader waits", async () => {
		const { add, readIds } = opened();
		const reading = readIds(3);
		add(1);
		add(2);
		expect(await reading).toEqual([1, 2, 3]);
		const more = readIds(1);
		add(1);
		expect(await more).toEqual([4]);
	});

	test("hold no more than a bounded part for a slow reader, who gets the rest from the outbox", async () => {
		const { add, streams, readIds, outbox } = opened();
		add(5_000);
		let reads = 0;
		const read = outbox.read.bind(outbox);
		outbox.read = (range, limit) => {
			reads++;
			return read(range, limit);
		};
		add(1);
		// It is full: nothing is even looked for.
		expect(reads).toBe(0);
		expect(streams.count).toBe(1);
		expect(await readIds(5_001)).toEqual(Array.from({ length: 5_001 }, (_, index) => index + 1));
	});

	test("send a sign of life, and cut off whoever does not read", async () => {
		const idle = opened();
		expect(text.decode((await idle.body.read()).value)).toBe("retry: 2000\n\n");
		idle.streams.beat(NOW_MS);
		expect(text.decode((await idle.body.read()).value)).toBe(":\n\n");

		const { add, streams, body } = opened();
		add(5_000);
		streams.beat(NOW_MS);
		streams.beat(NOW_MS + HEARTBEAT_MS);
		expect(streams.count).toBe(1);
		streams.beat(NOW_MS + STALLED_AFTER_MS);
		expect(streams.count).toBe(0);
		await expect(body.read()).rejects.toThrow("expected the stream to be read");
	});

	test("end for those whose credentials do not count, and for all at the end", async () => {
		const { streams, body } = opened(0, { person: "host", credentialsVersion: 1 });
		const admin = streams.open(0, undefined).getReader();
		streams.endOutdated(({ credentialsVersion }) => credentialsVersion === 2);
		expect(streams.count).toBe(1);
		await body.read();
		expect((await body.read()).done).toBe(true);
		streams.endAll();
		await admin.read();
		expect((await admin.read()).done).toBe(true);
		expect(streams.count).toBe(0);
	});

	test("whose reader goes away are counted no more", async () => {
		const { streams, body, add } = opened();
		await body.cancel();
		expect(streams.count).toBe(0);
		add(1);
	});
});
