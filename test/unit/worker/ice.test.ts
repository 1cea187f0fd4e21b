import { describe, expect, test } from "vitest";
import { TURN_TIMEOUT_MS, TURN_TTL_S } from "../../../worker/ice/cloudflare-turn.ts";
import { configuredServers } from "../../../worker/ice/configured-servers.ts";
import { IceDesk, type IceDeskPorts, iceGrantSchema } from "../../../worker/ice/ice-desk.ts";

const SECRET = "turn-api-token-nobody-may-see";
const SETTINGS = { TURN_KEY_ID: "key id/1", TURN_KEY_API_TOKEN: SECRET };
const HOUR_MS = 3_600_000;

/** As Cloudflare answered when it was asked. */
const ANSWER = {
	iceServers: [
		{ urls: ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"] },
		{
			urls: [
				"turn:turn.cloudflare.com:3478?transport=udp",
				"turn:turn.cloudflare.com:53?transport=udp",
				"turn:turn.cloudflare.com:80?transport=tcp",
				"turns:turn.cloudflare.com:443?transport=tcp",
			],
			username: "u".repeat(96),
			credential: "c".repeat(96),
		},
	],
};

interface Asked {
	readonly url: string;
	readonly init: RequestInit;
}

/** A desk whose requests are noted and answered by `answer`. */
function deskWith(answer: (asked: Asked) => Promise<Response> | Response, settings: Record<string, string> = SETTINGS) {
	const asked: Asked[] = [];
	const reports: string[] = [];
	const timers: { readonly ms: number; readonly abort: () => void }[] = [];
	const ports: IceDeskPorts = {
		fetch: async (url, init) => {
			asked.push({ url, init });
			return answer({ url, init });
		},
		timeout: (ms) => {
			const controller = new AbortController();
			timers.push({ ms, abort: () => controller.abort() });
			return controller.signal;
		},
		report: (fault) => reports.push(fault),
	};
	return { desk: new IceDesk(settings, ports), asked, reports, timers };
}

describe("servers that are configured", () => {
	test.each([
		["one address as text", '[{"urls":"stun:s.example"}]', [{ urls: ["stun:s.example"] }]],
		[
			"several, with credentials",
			'[{"urls":["turn:t.example:3478?transport=udp","turns:t.example:443"],"username":"u","credential":"c"},{"urls":["stun:[2001:db8::1]:3478"]}]',
			[
				{ urls: ["turn:t.example:3478?transport=udp", "turns:t.example:443"], username: "u", credential: "c" },
				{ urls: ["stun:[2001:db8::1]:3478"] },
			],
		],
		["none", "[]", []],
	])("are taken: %s", (_, text, servers) => {
		const faults: string[] = [];
		expect(configuredServers(text, (fault) => faults.push(fault))).toEqual(servers);
		expect(faults).toEqual([]);
	});

	test.each(["", "  "])("are none where nothing is set (%j)", (text) => {
		const faults: string[] = [];
		expect(configuredServers(text, (fault) => faults.push(fault))).toEqual([]);
		expect(faults).toEqual([]);
	});

	test.each([
		["no JSON", "stun:s.example"],
		["cut short", '[{"urls":"stun:s.example"'],
		["no array", '{"urls":"stun:s.example"}'],
		["a web address", '[{"urls":"https://s.example"}]'],
		["a query that STUN has not", '[{"urls":"stun:s.example?transport=udp"}]'],
		["no address", '[{"urls":[]}]'],
		["TURN without credentials", '[{"urls":"turn:t.example"}]'],
		["TURN without a password", '[{"urls":"turns:t.example","username":"u"}]'],
		["too many", JSON.stringify(Array.from({ length: 9 }, () => ({ urls: "stun:s.example" })))],
	])("are none, and it is reported without what is in it: %s", (_, text) => {
		const faults: string[] = [];
		expect(configuredServers(text, (fault) => faults.push(fault))).toEqual([]);
		expect(faults).toEqual([expect.stringContaining("expected ICE_SERVERS")]);
		expect(faults.join()).not.toContain("example");
	});

	test("that are broken are reported once, however many desks there are", () => {
		const settings = { ICE_SERVERS: "nonsense" };
		const reports = [1, 2].map(() => deskWith(() => new Response(), settings).reports);
		expect(reports.map(({ length }) => length)).toEqual([1, 0]);
	});
});

describe("credentials of Cloudflare's TURN service", () => {
	test("are asked for with key and lifetime, and come without the ports that browsers block", async () => {
		const { desk, asked, reports } = deskWith(() => Response.json(ANSWER, { status: 201 }));
		const grant = await desk.grant(1_000);
		expect(grant).toEqual({
			servers: [
				{ urls: ["stun:stun.cloudflare.com:3478"] },
				{
					urls: [
						"turn:turn.cloudflare.com:3478?transport=udp",
						"turn:turn.cloudflare.com:80?transport=tcp",
						"turns:turn.cloudflare.com:443?transport=tcp",
					],
					username: "u".repeat(96),
					credential: "c".repeat(96),
				},
			],
			untilMs: 1_000 + TURN_TTL_S * 1_000,
			renewAtMs: 1_000 + TURN_TTL_S * 1_000 - HOUR_MS / 2,
		});
		expect(iceGrantSchema.parse(grant)).toEqual(grant);
		expect(asked).toHaveLength(1);
		expect(asked[0]?.url).toBe(
			"https://rtc.live.cloudflare.com/v1/turn/keys/key%20id%2F1/credentials/generate-ice-servers",
		);
		expect(asked[0]?.init).toMatchObject({ method: "POST", headers: { Authorization: `Bearer ${SECRET}` } });
		expect(JSON.parse(String(asked[0]?.init.body))).toEqual({ ttl: TURN_TTL_S });
		expect(reports).toEqual([]);
	});

	test("may come as one server instead of a list", async () => {
		const one = { iceServers: { urls: ["turn:t.example"], username: "u", credential: "c" } };
		const { desk } = deskWith(() => Response.json(one));
		expect((await desk.grant(0))?.servers).toEqual([{ urls: ["turn:t.example"], username: "u", credential: "c" }]);
	});

	test("are made anew for each connection", async () => {
		const { desk, asked } = deskWith(() => Response.json(ANSWER));
		await Promise.all([desk.grant(0), desk.grant(0)]);
		expect(asked).toHaveLength(2);
	});

	test.each([
		[{}],
		[{ TURN_KEY_ID: "k" }],
		[{ TURN_KEY_API_TOKEN: "t" }],
		[{ TURN_KEY_ID: " ", TURN_KEY_API_TOKEN: "t" }],
	])("are not asked for without a whole key (%j)", async (settings) => {
		const { desk, asked } = deskWith(() => Response.json(ANSWER), settings as Record<string, string>);
		expect(await desk.grant(0)).toBeUndefined();
		expect(asked).toEqual([]);
	});

	const nested = { iceServers: [{ urls: ["turn:t.example"], username: SECRET.repeat(40), credential: "c" }] };
	test.each<[string, () => Promise<Response> | Response]>([
		["a refusal", () => new Response(`wrong token ${SECRET}`, { status: 401 })],
		["a redirect", () => new Response(null, { status: 302, headers: { Location: "https://elsewhere.example" } })],
		["a line that breaks", () => Promise.reject(new TypeError(`fetch failed for Bearer ${SECRET}`))],
		["no JSON", () => new Response(`<html>${SECRET}`)],
		["another answer", () => Response.json({ username: SECRET })],
		["servers that browsers refuse", () => Response.json({ iceServers: [{ urls: [SECRET] }] })],
		["no servers", () => Response.json({ iceServers: [] })],
		["far too much", () => Response.json(nested)],
	])("are done without, reported without a secret, and not asked for again at once: %s", async (_, answer) => {
		const { desk, asked, reports } = deskWith(answer);
		expect(await desk.grant(1_000)).toEqual({ servers: [], renewAtMs: 61_000 });
		expect(await desk.grant(60_999)).toEqual({ servers: [], renewAtMs: 61_000 });
		expect(asked).toHaveLength(1);
		expect(reports).toEqual([expect.stringMatching(/^turn: expected .+, got .+/)]);
		expect(reports.join()).not.toContain(SECRET);
		await desk.grant(61_000);
		expect(asked).toHaveLength(2);
	});

	test.each<[string, () => Promise<Response>]>([
		["never answers", () => new Promise(() => {})],
		["never ends its answer", async () => new Response(new ReadableStream())],
	])("are done without where the service %s in time", async (_, answer) => {
		const { desk, reports, timers } = deskWith(answer);
		const granting = desk.grant(0);
		expect(timers.map(({ ms }) => ms)).toEqual([TURN_TIMEOUT_MS]);
		timers[0]?.abort();
		expect(await granting).toEqual({ servers: [], renewAtMs: 60_000 });
		expect(reports).toEqual([`turn: expected credentials within ${TURN_TIMEOUT_MS} ms, got none`]);
	});

	test("count on where new ones are refused, until they run out", () => {
		const { desk } = deskWith(() => Response.json(ANSWER));
		const grant = { servers: [{ urls: ["stun:s.example"] }], untilMs: 100_000, renewAtMs: 50_000 };
		expect(desk.kept(grant, { servers: [], renewAtMs: 60_000 })).toEqual({ ...grant, renewAtMs: 60_000 });
		const last = { servers: [], renewAtMs: 110_000 };
		expect(desk.kept(grant, last)).toEqual(last);
		const fresh = { servers: [{ urls: ["stun:new.example"] }], untilMs: 900_000, renewAtMs: 800_000 };
		expect(desk.kept(grant, fresh)).toEqual(fresh);
	});
});
