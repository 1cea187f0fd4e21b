import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { broadcastPageSchema } from "../../worker/api/listing-schema.ts";
import { BroadcastTable } from "../../worker/broadcast/broadcast-index.ts";
import { DOUBT_AFTER_MS, DOUBT_OVER_AFTER_MS, REWRITE_WHEN_READ_AFTER_MS } from "../../worker/broadcast/index-age.ts";
import { entryOfView } from "../../worker/broadcast/index-entry.ts";
import { call, create, env, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";

type Page = z.infer<typeof broadcastPageSchema>;

const HOUR_MS = 3_600_000;

/** A row that no object wrote. */
async function addRow(row: Partial<Record<string, string | number | null>> & { id: string }): Promise<void> {
	const whole = {
		title: "A row",
		status: "lobby",
		layout: "pip",
		created_at_ms: 1_000,
		refreshed_at_ms: Date.now(),
		...row,
	};
	const names = Object.keys(whole);
	await env.INDEX.prepare(`INSERT INTO broadcasts (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
		.bind(...Object.values(whole))
		.run();
}

/** 16 characters that tell rows apart and sort as the number does. */
function idOf(number: number): string {
	return `r${String(number).padStart(15, "0")}`;
}

async function list(query: Record<string, string>): Promise<Page> {
	const response = await call("GET", `/api/broadcasts?${new URLSearchParams(query)}`);
	expect(response.status, JSON.stringify(query)).toBe(200);
	return response.json<Page>();
}

async function ids(query: Record<string, string>): Promise<string[]> {
	return (await list(query)).broadcasts.map(({ id }) => id);
}

function rowOf(id: string) {
	return env.INDEX.prepare("SELECT * FROM broadcasts WHERE id = ?").bind(id).first<Record<string, unknown>>();
}

freezeClock();

describe("searching the list", () => {
	it("finds the beginnings of all words in title, description and host name, whatever accents and case", async () => {
		const { id } = await create({
			title: "Morgenmagazin Zürich",
			description: "With the mayor",
			hostName: "Ågot Næss",
		});
		for (const q of ["morgen", "ZURICH", "zürich morgenmag", "mayor", "agot", "Magazin OR morgen"]) {
			expect(await ids({ q }), q).toEqual(q.includes("OR") ? [] : [id]);
		}
		expect(await ids({ q: "magazin" })).toEqual([]);
		expect(await ids({ q: "zürich basel" })).toEqual([]);
	});

	it("takes nothing typed for its own language", async () => {
		const { id } = await create({ title: "C'est l'heure: quotes \"inside\" (really)" });
		for (const q of [
			`"`,
			`quotes "inside`,
			`quotes" OR "x`,
			"title:quotes",
			"quotes*",
			"quotes)",
			"{title} : quotes",
			"^quotes",
			"quotes NEAR(inside)",
			"quotes NOT inside",
			"quotes'; DROP TABLE broadcasts; --",
			"quotes\u0000inside",
			"quotes -inside",
			"quotes \u0301",
		]) {
			const response = await call("GET", `/api/broadcasts?${new URLSearchParams({ q })}`);
			expect(response.status, q).toBe(q === `"` ? 400 : 200);
		}
		expect(await ids({ q: `"quotes` })).toEqual([id]);
		expect(await ids({ q: "l'heure" })).toEqual([id]);
		await problem(await call("GET", "/api/broadcasts?q=%22%20-"), 400, "invalid-request");
	});

	it("follows what changes, and forgets what is deleted", async () => {
		const { id } = await create({ title: "Wanderfalke" });
		expect(await ids({ q: "wanderfalke" })).toEqual([id]);
		expect((await call("PATCH", `/api/broadcasts/${id}`, { body: { title: "Rotmilan" } })).status).toBe(200);
		expect(await ids({ q: "wanderfalke" })).toEqual([]);
		expect((await list({ q: "rotmilan" })).broadcasts).toMatchObject([{ id, title: "Rotmilan", hostName: "Host" }]);
		const renamed = { type: "set-person", personId: "host", name: "Falknerin" } as const;
		expect((await env.BROADCAST.getByName(id).command(renamed, { actor: "admin" })).ok).toBe(true);
		expect(await ids({ q: "rotmilan falknerin" })).toEqual([id]);
		await call("DELETE", `/api/broadcasts/${id}`);
		expect(await ids({ q: "rotmilan" })).toEqual([]);
	});
});

describe("the list", () => {
	it("gives one status or several", async () => {
		const lobby = await create({ title: "Statuswort lobby" });
		const ended = await create({ title: "Statuswort ended" });
		await call("POST", `/api/broadcasts/${ended.id}/end`);
		expect(await ids({ q: "statuswort", status: "lobby" })).toEqual([lobby.id]);
		expect(await ids({ q: "statuswort", status: "ended" })).toEqual([ended.id]);
		expect((await ids({ q: "statuswort", status: "ended,lobby" })).length).toBe(2);
		await problem(await call("GET", "/api/broadcasts?status=ended,gone"), 400, "invalid-request");
	});

	it("goes by the scheduled start, or else by creation, and gives the soonest first when asked", async () => {
		const at = (hours: number) => new Date(Date.UTC(2090, 0, 1) + hours * HOUR_MS).toISOString();
		const ms = (hours: number) => Date.parse(at(hours));
		await addRow({ id: idOf(1), title: "Zeitwort", created_at_ms: ms(0), scheduled_start_ms: ms(10) });
		await addRow({ id: idOf(2), title: "Zeitwort", created_at_ms: ms(1), scheduled_start_ms: ms(5) });
		await addRow({ id: idOf(3), title: "Zeitwort", created_at_ms: ms(7) });
		const q = "zeitwort";
		expect(await ids({ q })).toEqual([3, 2, 1].map(idOf));
		expect(await ids({ q, order: "start" })).toEqual([2, 3, 1].map(idOf));
		expect(await ids({ q, order: "start", from: at(7), until: at(10) })).toEqual([idOf(3)]);
		expect(await ids({ q, from: "2090-01-01T09:00:00+02:00" })).toEqual([3, 1].map(idOf));
		await problem(await call("GET", "/api/broadcasts?from=yesterday"), 400, "invalid-request");
	});

	it.each(["newest", "start"])("pages by %s give what does not change once, while rows come and go", async (order) => {
		const title = `Seitenwort${order}`;
		const base = order === "newest" ? 100_000 : 200_000;
		const kept = Array.from({ length: 12 }, (_, index) => base + index * 10);
		for (const number of kept) {
			// Two of each time, to be told apart by their ids.
			await addRow({ id: idOf(number), title, created_at_ms: base + Math.floor((number - base) / 20) });
		}
		const seen: string[] = [];
		let cursor: string | undefined;
		for (let page = 0; page === 0 || cursor !== undefined; page++) {
			const answer = await list({ q: title, order, limit: "3", ...(cursor === undefined ? {} : { cursor }) });
			seen.push(...answer.broadcasts.map(({ id }) => id));
			cursor = answer.nextCursor;
			for (const offset of [-5, 5, 55, 115]) {
				await addRow({ id: idOf(base + offset + page * 200), title, created_at_ms: base + Math.floor(offset / 20) });
			}
		}
		const expected = kept.map(idOf);
		expect(seen.filter((id) => expected.includes(id))).toEqual(order === "newest" ? expected.toReversed() : expected);
		expect(new Set(seen).size).toBe(seen.length);
	});

	it("refuses a cursor with other questions than it was made for", async () => {
		for (const number of [301, 302, 303]) {
			await addRow({ id: idOf(number), title: "Fragewort", created_at_ms: number });
		}
		const { nextCursor = "" } = await list({ q: "fragewort", limit: "1" });
		expect(await ids({ q: "fragewort", limit: "2", cursor: nextCursor })).toEqual([302, 301].map(idOf));
		for (const other of [{ q: "frage" }, { q: "fragewort", order: "start" }, { q: "fragewort", status: "live" }, {}]) {
			const response = await call("GET", `/api/broadcasts?${new URLSearchParams({ ...other, cursor: nextCursor })}`);
			const { detail } = await problem(response, 400, "invalid-request");
			expect(detail).toContain("q=fragewort");
		}
		for (const cursor of ["zzz", btoa("[1]"), btoa(JSON.stringify([1, "x' OR 1=1", ""]))]) {
			await problem(await call("GET", `/api/broadcasts?${new URLSearchParams({ cursor })}`), 400, "invalid-request");
		}
	});
});

describe("the list heals itself", () => {
	it("a row that was lost comes back once somebody reads the broadcast, and not with every read", async () => {
		const { id } = await create();
		await env.INDEX.prepare("DELETE FROM broadcasts WHERE id = ?").bind(id).run();
		await call("GET", `/api/broadcasts/${id}`);
		expect(await rowOf(id)).toBeNull();
		advanceClock(REWRITE_WHEN_READ_AFTER_MS);
		await call("GET", `/api/broadcasts/${id}`);
		expect(await until("the row", async () => (await rowOf(id)) ?? undefined)).toMatchObject({ id, status: "lobby" });
	});

	it("what was written first and arrives last changes nothing", async () => {
		const { id } = await create({ title: "As first written" });
		const before = await env.BROADCAST.getByName(id).view();
		await call("PATCH", `/api/broadcasts/${id}`, { body: { title: "As it is now" } });
		if (!before.ok) {
			throw new Error("test: expected the broadcast, got a refusal");
		}
		const late = { ...entryOfView(before.value) };
		// As a write that was held up would: the same statement, an older version.
		const table = new BroadcastTable(env.INDEX);
		const row = await rowOf(id);
		await table.putRight(
			late,
			{ ...(row as never as Parameters<typeof table.putRight>[1]), refreshed_at_ms: 1 },
			Date.now(),
		);
		expect(await rowOf(id)).toMatchObject({ title: "As it is now", version: row?.version });
	});

	it("rows that were not confirmed for a day are compared with their objects: put right, or removed", async () => {
		const wrong = await create({ title: "Zweifelwort" });
		await env.INDEX.prepare("UPDATE broadcasts SET status = 'live', version = 999, host_name = 'Nobody' WHERE id = ?")
			.bind(wrong.id)
			.run();
		await addRow({ id: idOf(401), title: "Zweifelwort", refreshed_at_ms: Date.now() });
		await addRow({ id: idOf(402), title: "Zweifelwort", status: "ended", refreshed_at_ms: Date.now() });
		expect((await ids({ q: "zweifelwort" })).length).toBe(3);
		expect(await rowOf(wrong.id)).toMatchObject({ status: "live" });

		advanceClock(DOUBT_AFTER_MS);
		await list({ q: "zweifelwort" });
		await until("the row to be right", async () => ((await rowOf(wrong.id))?.status === "lobby" ? true : undefined));
		expect(await rowOf(wrong.id)).toMatchObject({ host_name: "Host", refreshed_at_ms: Date.now() });
		await until("the ghost to go", async () => ((await rowOf(idOf(401))) === null ? true : undefined));
		expect(await rowOf(idOf(402))).not.toBeNull();

		advanceClock(DOUBT_OVER_AFTER_MS);
		await list({ q: "zweifelwort" });
		await until("the other ghost to go", async () => ((await rowOf(idOf(402))) === null ? true : undefined));
	});

	it("a row that makes no sense is left out, and put right at once", async () => {
		const { id } = await create({ title: "Unsinnwort" });
		await env.INDEX.prepare("UPDATE broadcasts SET layout = 'spiral', created_at_ms = 9e17 WHERE id = ?")
			.bind(id)
			.run();
		expect(await ids({ q: "unsinnwort" })).toEqual([]);
		await until("the row to be right", async () => ((await rowOf(id))?.layout === "landscape" ? true : undefined));
		expect(await ids({ q: "unsinnwort" })).toEqual([id]);
	});
});
