import { runInDurableObject } from "cloudflare:test";
import { afterAll, expect, test } from "vitest";
import type { BroadcastRecord } from "../../worker/broadcast/broadcast-record.ts";
import { LIFECYCLE, legalStatuses } from "../../worker/broadcast/lifecycle.ts";
import {
	BROADCAST_STATUSES,
	type BroadcastCommand,
	type BroadcastStatus,
	type CommandType,
} from "../../worker/protocol/broadcast-commands.ts";
import { PROBLEMS } from "../../worker/protocol/problem.ts";
import { call, create, env, problem } from "./api-client.ts";
import { freezeClock } from "./frozen-clock.ts";

freezeClock();

const ADMIN = { actor: "admin" } as const;
const HOUR_MS = 3_600_000;
/** Nothing listens there. */
const CLOSED_PORT = { url: "rtmp://127.0.0.1:9/app", streamKey: "k" };

const stubOf = (id: string) => env.BROADCAST.getByName(id);
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString();

/** One of each kind that is good, in a broadcast made by {@link broadcastThatIs}. */
const COMMANDS: { readonly [T in CommandType]: Extract<BroadcastCommand, { type: T }> } = {
	update: { type: "update", changes: { title: "Another title" } },
	start: { type: "start" },
	end: { type: "end" },
	cancel: { type: "cancel" },
	delete: { type: "delete" },
	"set-scene": { type: "set-scene", layout: "pip" },
	"set-person": { type: "set-person", personId: "host", name: "Another name" },
	"admit-person": { type: "admit-person", personId: "guest" },
	"remove-person": { type: "remove-person", personId: "guest" },
	"renew-credentials": { type: "renew-credentials", personId: "guest", streamKeyHash: "another" },
	"renew-viewers": { type: "renew-viewers" },
	"create-invite": { type: "create-invite", inviteId: "i2", codeHash: "code-2", maxUses: 1, expiresAtMs: 4e12 },
	"revoke-invite": { type: "revoke-invite", inviteId: "i1" },
	"redeem-invite": {
		type: "redeem-invite",
		codeHash: "code-1",
		streamKeyHash: { guest: "a", "guest-2": "b", "guest-3": "c", "guest-4": "d" },
	},
	"add-destination": {
		type: "add-destination",
		id: "d2",
		service: "custom",
		via: "edge",
		shownUrl: "rtmp://127.0.0.1:9/app",
		hasStreamKey: false,
		sealedAddress: "no address at all",
		fingerprint: "another",
		allowBFrames: true,
	},
	"update-destination": { type: "update-destination", destinationId: "d1", name: "Another name" },
	"remove-destination": { type: "remove-destination", destinationId: "d1" },
	"add-webhook": { type: "add-webhook", webhookId: "w2", url: "https://192.0.2.1/", sealedSecret: "s", events: [] },
	"remove-webhook": { type: "remove-webhook", webhookId: "w1" },
};
const COMMAND_TYPES = Object.keys(COMMANDS) as CommandType[];

/** What brings a broadcast that was created with a start, or without one, to that status. */
const WAY_TO: Readonly<Record<BroadcastStatus, { readonly timed: boolean; readonly by?: CommandType }>> = {
	scheduled: { timed: true },
	lobby: { timed: false },
	live: { timed: true, by: "start" },
	ended: { timed: false, by: "end" },
	cancelled: { timed: true, by: "cancel" },
};

const live: string[] = [];
afterAll(async () => {
	for (const id of live) {
		await stubOf(id).command({ type: "end" }, ADMIN);
	}
});

/** A broadcast in that status, with an invite, a destination and a webhook. */
async function broadcastThatIs(status: BroadcastStatus): Promise<string> {
	const { timed, by } = WAY_TO[status];
	const { id } = await create(timed ? { scheduledStartTime: inAnHour(), guestAdmission: "manual" } : {});
	const { type: _, ...destination } = COMMANDS["add-destination"];
	const made: BroadcastCommand[] = [
		{ ...COMMANDS["create-invite"], inviteId: "i1", codeHash: "code-1" },
		{ type: "add-destination", ...destination, id: "d1", fingerprint: "one" },
		{ ...COMMANDS["add-webhook"], webhookId: "w1" },
		...(by === undefined ? [] : [COMMANDS[by]]),
	];
	for (const command of made) {
		expect(await stubOf(id).command(command, ADMIN)).toMatchObject({ ok: true });
	}
	live.push(id);
	return id;
}

/** All that the object keeps: its record, and how many rows each of its tables has. */
function kept(id: string): Promise<{ record: BroadcastRecord | undefined; rows: Record<string, unknown> }> {
	return runInDurableObject(stubOf(id) as unknown as DurableObjectStub, async (_, { storage }) => {
		const tables = storage.sql
			.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'")
			.toArray();
		const count = (name: string) => storage.sql.exec(`SELECT count(*) AS n FROM "${name}"`).one().n;
		return {
			record: await storage.get<BroadcastRecord>("broadcast"),
			rows: Object.fromEntries(tables.map(({ name }) => [name, count(name)])),
		};
	});
}

for (const type of COMMAND_TYPES) {
	for (const status of BROADCAST_STATUSES) {
		const rule = LIFECYCLE[type][status];
		if (typeof rule === "string" && rule !== "keeps") {
			test(`${type} of a broadcast that is ${status} is refused and changes nothing`, async () => {
				const id = await broadcastThatIs(status);
				const before = await kept(id);
				const outcome = await stubOf(id).command(COMMANDS[type], ADMIN);
				expect(outcome).toMatchObject({
					ok: false,
					refusal: { kind: rule, expected: legalStatuses(type), found: status },
				});
				expect(await kept(id)).toEqual(before);
				expect(await stubOf(id).view()).toMatchObject({ value: { version: before.record?.version, status } });
			});
			continue;
		}
		const after = rule === "keeps" ? status : rule.to;
		test(`${type} of a broadcast that is ${status} leaves it ${type === "delete" ? "nowhere" : after}`, async () => {
			const id = await broadcastThatIs(status);
			const before = await kept(id);
			expect(await stubOf(id).command(COMMANDS[type], ADMIN)).toMatchObject({ ok: true });
			const view = await stubOf(id).view();
			if (type === "delete") {
				expect(view).toMatchObject({ ok: false, refusal: { kind: "not-found" } });
				expect(await kept(id)).toMatchObject({ record: undefined });
				return;
			}
			expect(view).toMatchObject({ ok: true, value: { status: after } });
			if (rule !== "keeps" && after === status) {
				expect(await kept(id)).toEqual(before);
			}
		});
	}
}

test.each(["start", "end", "cancel"] as const)("%s twice is %s once", async (type) => {
	const id = await broadcastThatIs("lobby");
	await stubOf(id).command(COMMANDS[type], ADMIN);
	const once = await kept(id);
	expect(await stubOf(id).command(COMMANDS[type], { actor: "host" })).toMatchObject({
		ok: true,
		value: { broadcast: { version: once.record?.version } },
	});
	expect(await kept(id)).toEqual(once);
});

/** The routes that give a command which the table refuses somewhere. */
const ROUTES: readonly [type: CommandType, method: string, path: string, body?: unknown][] = [
	["update", "PATCH", "", { title: "Another title" }],
	["start", "POST", "/start"],
	["end", "POST", "/end"],
	["cancel", "POST", "/cancel"],
	["delete", "DELETE", ""],
	["set-scene", "PUT", "/layout", { layout: "pip" }],
	["add-destination", "POST", "/destinations", { ...CLOSED_PORT, streamKey: "another" }],
];

for (const [type, method, path, body] of ROUTES) {
	for (const status of BROADCAST_STATUSES) {
		const rule = LIFECYCLE[type][status];
		const isRefused = typeof rule === "string" && rule !== "keeps";
		test(`${method} ${path || "itself"} of one that is ${status}: ${isRefused ? rule : "done"}`, async () => {
			const id = await broadcastThatIs(status);
			const response = await call(method, `/api/broadcasts/${id}${path}`, body === undefined ? {} : { body });
			if (!isRefused) {
				expect(response.status).toBeLessThan(300);
				return;
			}
			const document = await problem(response, PROBLEMS[rule].status, rule);
			expect(document).toMatchObject({ expected: legalStatuses(type), found: status });
		});
	}
}

test("what is fixed once it is live is refused with the states in which it is not", async () => {
	const id = await broadcastThatIs("live");
	const inTwoHours = new Date(Date.now() + 2 * HOUR_MS).toISOString();
	for (const body of [{ scheduledStartTime: inTwoHours }, { startMode: "auto" }, { width: 640 }]) {
		const document = await problem(await call("PATCH", `/api/broadcasts/${id}`, { body }), 409, "wrong-state");
		expect(document).toMatchObject({ expected: ["scheduled", "lobby"], found: "live" });
	}
});

test.each(["ended", "cancelled"] as const)(
	"sockets of one that is %s are refused with the states that take them",
	async (status) => {
		const id = await broadcastThatIs(status);
		for (const path of ["control", "media/host?direction=publish", "media/program/main?direction=subscribe"]) {
			const response = await call("GET", `/api/broadcasts/${id}/${path}`, { headers: { Upgrade: "websocket" } });
			const document = await problem(response, 410, "broadcast-ended");
			expect(document).toMatchObject({ expected: ["scheduled", "lobby", "live"], found: status });
		}
	},
);
