import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../worker/api/api-problem.ts";
import { readCursor, writeCursor } from "../../../worker/api/page-cursor.ts";
import { type BroadcastRecord, newBroadcastRecord } from "../../../worker/broadcast/broadcast-record.ts";
import {
	DOUBT_AFTER_MS,
	DOUBT_OVER_AFTER_MS,
	isDoubtful,
	REWRITE_AFTER_MS,
	REWRITE_WHEN_READ_AFTER_MS,
} from "../../../worker/broadcast/index-age.ts";
import { isListedAlike } from "../../../worker/broadcast/index-entry.ts";
import { outstandingWork } from "../../../worker/broadcast/outstanding-work.ts";
import { searchQuery } from "../../../worker/broadcast/search-words.ts";
import { INPUT, World } from "./broadcast-world.ts";

const RECORD: BroadcastRecord = { ...newBroadcastRecord(INPUT, 1_000), indexed: true, indexedAtMs: 1_000 };
const wantsIndex = (record: BroadcastRecord, nowMs: number) =>
	outstandingWork(record, nowMs)
		.map(({ kind }) => kind)
		.find((kind) => kind === "index" || kind === "unindex");

describe("a broadcast's row in the list", () => {
	it("is written when what it shows changes, and else every six hours that something happens", () => {
		expect(wantsIndex(RECORD, 1_000)).toBeUndefined();
		expect(wantsIndex({ ...RECORD, indexed: false }, 1_000)).toBe("index");
		expect(wantsIndex(RECORD, 1_000 + REWRITE_AFTER_MS - 1)).toBeUndefined();
		expect(wantsIndex(RECORD, 1_000 + REWRITE_AFTER_MS)).toBe("index");
		const { indexedAtMs: _, ...before } = RECORD;
		expect(wantsIndex(before, 1_000)).toBe("index");
		expect(wantsIndex({ ...RECORD, deleted: true }, 1_000 + REWRITE_AFTER_MS)).toBeUndefined();
		expect(wantsIndex({ ...RECORD, deleted: true, indexed: false }, 1_000)).toBe("unindex");
	});

	it("is not as it was when words, times, status or layout change, and only then", () => {
		const people = RECORD.people.map((each) => (each.id === "host" ? { ...each, name: "Another" } : each));
		for (const change of [
			{ title: "Another" },
			{ description: "Now there is one" },
			{ people },
			{ status: "live" },
			{ layout: "vertical" },
			{ scheduledStartMs: 5 },
			{ startedAtMs: 5 },
			{ endedAtMs: 5 },
		] as const satisfies readonly Partial<BroadcastRecord>[]) {
			expect(isListedAlike(RECORD, { ...RECORD, ...change }), Object.keys(change)[0]).toBe(false);
		}
		expect(isListedAlike(RECORD, { ...RECORD, version: 9, liveStreams: ["host"], indexed: false })).toBe(true);
	});

	it("is written again when it is read, once in ten minutes", async () => {
		const world = new World();
		const control = world.control();
		await world.create(control);
		const writtenAtMs = control.record?.indexedAtMs ?? Number.NaN;
		expect(await control.wasRead(writtenAtMs + REWRITE_WHEN_READ_AFTER_MS - 1)).toBe(false);
		expect(await control.wasRead(writtenAtMs + REWRITE_WHEN_READ_AFTER_MS)).toBe(true);
		expect(await control.wasRead(writtenAtMs + REWRITE_WHEN_READ_AFTER_MS)).toBe(false);
		await control.settle(writtenAtMs + REWRITE_WHEN_READ_AFTER_MS);
		expect(control.record).toMatchObject({ indexed: true, indexedAtMs: writtenAtMs + REWRITE_WHEN_READ_AFTER_MS });
	});

	it("is doubted after a day, and after thirty when the broadcast is over", () => {
		for (const [status, afterMs] of [
			["scheduled", DOUBT_AFTER_MS],
			["lobby", DOUBT_AFTER_MS],
			["live", DOUBT_AFTER_MS],
			["ended", DOUBT_OVER_AFTER_MS],
			["cancelled", DOUBT_OVER_AFTER_MS],
		] as const) {
			expect(isDoubtful({ status, refreshedAtMs: 7 }, 7 + afterMs - 1), status).toBe(false);
			expect(isDoubtful({ status, refreshedAtMs: 7 }, 7 + afterMs), status).toBe(true);
		}
	});
});

describe("what is searched for", () => {
	it.each([
		["Zürich news", '"Zürich"* "news"*'],
		[`"title":x* OR (y)`, '"title"* "x"* "OR"* "y"*'],
		["a\u0000b", '"a"* "b"*'],
		["हिन्दी", '"हिन्दी"*'],
		["\u0301", undefined],
		[' "-*() ', undefined],
		["", undefined],
	])("%j becomes %j", (text, query) => {
		expect(searchQuery(text)).toBe(query);
	});

	it("is cut at twelve words", () => {
		expect(searchQuery("w ".repeat(50))?.split(" ")).toHaveLength(12);
	});
});

describe("a cursor", () => {
	const position = { atMs: 1_700_000_000_000, id: "0123456789abcdef" };

	it("says where the page ended, to the questions it was made for in any order", () => {
		const cursor = writeCursor(position, { order: "start", q: "Zürich ☕" });
		expect(cursor).toMatch(/^[\w-]+$/);
		expect(readCursor(cursor, { q: "Zürich ☕", order: "start" })).toEqual(position);
		for (const other of [
			{},
			{ order: "start" },
			{ order: "start", q: "Zürich" },
			{ q: "Zürich ☕", order: "newest" },
		]) {
			expect(() => readCursor(cursor, other)).toThrow(ApiProblem);
		}
	});

	it("that was cut or made up is refused", () => {
		const cursor = writeCursor(position, {});
		for (let length = 0; length < cursor.length; length++) {
			expect(() => readCursor(cursor.slice(0, length), {}), String(length)).toThrow(ApiProblem);
		}
		expect(() => readCursor(btoa(JSON.stringify([1, "' OR 1=1", ""])), {})).toThrow(ApiProblem);
	});
});
