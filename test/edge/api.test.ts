import { expect, test } from "vitest";
import { broadcastPageSchema, listedBroadcastSchema } from "../../worker/api/listing-schema.ts";
import {
	broadcastSchema,
	createdBroadcastSchema,
	destinationListSchema,
	destinationSchema,
} from "../../worker/api/schemas.ts";
import { broadcastStatsSchema } from "../../worker/api/stats-schema.ts";
import { newBroadcastId } from "../../worker/auth/random-id.ts";
import { verifyRoleToken } from "../../worker/auth/role-token.ts";
import { PROBLEMS } from "../../worker/protocol/problem.ts";
import { call, create, env, openSocket, problem } from "./api-client.ts";

interface Page {
	broadcasts: { id: string; title: string; status: string }[];
	nextCursor?: string;
}

const DESTINATION = { name: "Somewhere", url: "rtmp://127.0.0.1:9/app", streamKey: "a-key-nobody-may-see" };

test("creates a broadcast with defaults, links, tokens and stream keys", async () => {
	const response = await call("POST", "/api/broadcasts", { body: { title: "  A talk  " } });
	expect(response.status).toBe(201);
	const created = await response.json<Awaited<ReturnType<typeof create>>>();
	expect(response.headers.get("Location")).toBe(`/api/broadcasts/${created.id}`);
	expect(response.headers.get("Cache-Control")).toBe("no-store");
	expect(created).toMatchObject({
		title: "A talk",
		status: "lobby",
		hostName: "Host",
		guestName: "Guest",
		layout: "landscape",
		width: 1280,
		height: 720,
		frameRate: 30,
		videoBitrate: 3_000_000,
		liveStreams: [],
		destinations: [],
	});
	for (const [page, role] of [
		["studio", "host"],
		["join", "guest"],
		["watch", "viewer"],
	] as const) {
		const link = new URL(created.links[page]);
		expect(link.origin + link.pathname).toBe(`http://tandem.example/${page}/${created.id}`);
		const claims = await verifyRoleToken(
			new URLSearchParams(link.hash.slice(1)).get("token") ?? "",
			[env.SIGNING_KEY ?? ""],
			Date.now() / 1_000,
		);
		expect(claims).toMatchObject({ bid: created.id, role });
		expect(link.search).toBe("");
	}
	expect(created.ingest.host.rtmp).toEqual({
		url: env.RTMP_INGEST_URL,
		streamKey: expect.stringMatching(new RegExp(`^${created.id}-host-[0-9a-z]{24}$`)),
	});
	expect(created.ingest.guest.rtmp.streamKey).toMatch(new RegExp(`^${created.id}-guest-`));
	expect(created.ingest.host.whip).toEqual({
		url: `http://tandem.example/api/whip/${created.ingest.host.rtmp.streamKey}`,
		endpoint: "http://tandem.example/api/whip",
	});
});

test("shows what was asked for, and never again a token, a stream key or a destination's key", async () => {
	const asked = {
		title: "All of it",
		description: "Words",
		hostName: "Ada",
		guestName: "Grace",
		layout: "vertical",
		width: 720,
		height: 1280,
		frameRate: 60,
		videoBitrate: 6_000_000,
		alwaysCompose: true,
		holdSeconds: 0,
		guestGraceSeconds: 600,
	};
	const embedded = { url: "rtmp://user:pass-word@127.0.0.1:9/app/embedded-key?sig=secret" };
	const created = await create({
		...asked,
		startMode: "manual",
		record: false,
		destinations: [DESTINATION, { ...embedded, allowBFrames: false }],
	});
	expect(created).toMatchObject(asked);
	const answers = [created.destinations];
	for (const path of ["", "/destinations", "/stats"]) {
		const response = await call("GET", `/api/broadcasts/${created.id}${path}`);
		expect(response.status, path).toBe(200);
		answers.push(await response.json());
	}
	const shown = JSON.stringify(answers);
	for (const secret of [
		DESTINATION.streamKey,
		"embedded-key",
		"pass-word",
		"secret",
		...Object.values(created.tokens),
		created.ingest.host.rtmp.streamKey,
		created.ingest.guest.rtmp.streamKey,
	]) {
		expect(shown).not.toContain(secret);
	}
	expect(created.destinations).toMatchObject([
		{ name: "Somewhere", url: "rtmp://127.0.0.1:9/app", hasStreamKey: true, allowBFrames: true, state: "idle" },
		{ url: "rtmp://127.0.0.1:9/app/…", hasStreamKey: false, allowBFrames: false, state: "idle" },
	]);
});

test("answers with what the document says and nothing more", async () => {
	const created = await create({ destinations: [DESTINATION] });
	await call("POST", `/api/broadcasts/${created.id}/start`);
	const answer = async (path: string) => (await call("GET", `/api/broadcasts${path}`)).json();
	expect(() => createdBroadcastSchema.strict().parse(created)).not.toThrow();
	expect(() => broadcastPageSchema.strict().parse(created)).toThrow();
	broadcastSchema.strict().parse(await answer(`/${created.id}`));
	broadcastStatsSchema.strict().parse(await answer(`/${created.id}/stats`));
	const { destinations } = destinationListSchema.strict().parse(await answer(`/${created.id}/destinations`));
	destinationSchema.strict().parse(destinations[0]);
	const page = broadcastPageSchema.strict().parse(await answer(""));
	listedBroadcastSchema.strict().parse(page.broadcasts[0]);
	await call("POST", `/api/broadcasts/${created.id}/end`);
	broadcastSchema.strict().parse(await answer(`/${created.id}`));
});

test("refuses bodies with what it does not know or cannot do, naming each fault", async () => {
	const bodies: [string, unknown, string][] = [
		["no title", {}, "title"],
		["an empty title", { title: "  " }, "title"],
		["a long title", { title: "x".repeat(201) }, "title"],
		["an unknown layout", { title: "x", layout: "diagonal" }, "layout"],
		["an odd width", { title: "x", width: 641 }, "width"],
		["a huge width", { title: "x", width: 3_840, height: 128 }, "width"],
		["too many pixels", { title: "x", width: 1_920, height: 1_920 }, "height"],
		["a slow frame rate", { title: "x", frameRate: 5 }, "frameRate"],
		["a bitrate in words", { title: "x", videoBitrate: "fast" }, "videoBitrate"],
		["a long hold", { title: "x", holdSeconds: 3_601 }, "holdSeconds"],
		["half a second's hold", { title: "x", holdSeconds: 0.5 }, "holdSeconds"],
		["a long grace", { title: "x", guestGraceSeconds: 601 }, "guestGraceSeconds"],
		["a negative grace", { title: "x", guestGraceSeconds: -1 }, "guestGraceSeconds"],
		["composing in words", { title: "x", alwaysCompose: "yes" }, "alwaysCompose"],
		["an option of later", { title: "x", record: true }, "record"],
		["a start years ahead", { title: "x", scheduledStartTime: "2130-01-01T00:00:00Z" }, "scheduledStartTime"],
		["a start of its own kind", { title: "x", startMode: "soon" }, "startMode"],
		[
			"an unknown field of a destination",
			{ title: "x", destinations: [{ url: "rtmp://a.example/b/c", key: "k" }] },
			"destinations.0.key",
		],
		["nine destinations", { title: "x", destinations: Array(9).fill(DESTINATION) }, "destinations"],
		["a list", [], ""],
	];
	for (const [what, body, path] of bodies) {
		const { errors } = await problem(await call("POST", "/api/broadcasts", { body }), 400, "invalid-request");
		expect(errors, what).toMatchObject([{ path, detail: expect.stringContaining("expected") }]);
	}
	const { id } = await create();
	const layout = await call("PUT", `/api/broadcasts/${id}/layout`, { body: { layout: "diagonal" } });
	expect((await problem(layout, 400, "invalid-request")).detail).toContain(
		'"solo"|"pip"|"landscape"|"vertical"|"grid"',
	);
});

test("refuses bodies that are not JSON, not declared so, or too large", async () => {
	await problem(await call("POST", "/api/broadcasts", { body: "{broken" }), 400, "invalid-request");
	const headers = { "Content-Type": "text/plain" };
	await problem(await call("POST", "/api/broadcasts", { body: "{}", headers }), 415, "unsupported-media-type");
	const large = { title: "x", description: "x".repeat(65 * 1024) };
	await problem(await call("POST", "/api/broadcasts", { body: large }), 413, "too-large");
});

test("refuses destinations that are no RTMP address", async () => {
	const { id } = await create();
	for (const url of [
		"https://live.example/app",
		"rtmp://",
		"rtmp://host.example",
		"rtmp://host.example/app",
		"live.example/app/key",
	]) {
		const response = await call("POST", `/api/broadcasts/${id}/destinations`, { body: { url } });
		await problem(response, 422, "destination-refused");
	}
	expect(await (await call("GET", `/api/broadcasts/${id}/destinations`)).json()).toEqual({ destinations: [] });
});

test("answers for broadcasts that do not exist, whatever is asked", async () => {
	const routes: [string, string, unknown?][] = [
		["GET", ""],
		["DELETE", ""],
		["POST", "/start"],
		["POST", "/end"],
		["PUT", "/layout", { layout: "pip" }],
		["GET", "/stats"],
		["GET", "/destinations"],
		["POST", "/destinations", DESTINATION],
		["DELETE", "/destinations/abc"],
	];
	for (const id of [newBroadcastId(), "no-such-id", "x".repeat(16), "%2e%2e"]) {
		for (const [method, path, body] of routes) {
			const response = await call(method, `/api/broadcasts/${id}${path}`, body === undefined ? {} : { body });
			await problem(response, 404, "not-found");
		}
		for (const path of ["/control", "/media/host?direction=publish", "/media/program/main?direction=subscribe"]) {
			const response = await call("GET", `/api/broadcasts/${id}${path}`, { headers: { Upgrade: "websocket" } });
			await problem(response, 404, "not-found");
		}
	}
	await problem(await call("GET", "/api/nowhere"), 404, "not-found");
});

test("lists broadcasts newest first, by status, in pages that neither repeat nor miss one", async () => {
	const created: string[] = [];
	for (let n = 0; n < 5; n++) {
		created.push((await create({ title: `Listed ${n}` })).id);
	}
	await call("POST", `/api/broadcasts/${created[1]}/end`);
	const walk = async (query: string): Promise<string[]> => {
		const seen: string[] = [];
		let cursor = "";
		do {
			const page = await (await call("GET", `/api/broadcasts?limit=2${query}${cursor}`)).json<Page>();
			expect(page.broadcasts.length).toBeLessThanOrEqual(2);
			seen.push(...page.broadcasts.map(({ id }) => id).filter((id) => created.includes(id)));
			cursor = page.nextCursor === undefined ? "" : `&cursor=${encodeURIComponent(page.nextCursor)}`;
		} while (cursor !== "");
		return seen;
	};
	const all = await walk("");
	expect(all.toSorted()).toEqual(created.toSorted());
	expect(await walk("&status=ended")).toEqual([created[1]]);
	expect((await walk("&status=lobby")).toSorted()).toEqual(created.filter((_, n) => n !== 1).toSorted());
	await call("DELETE", `/api/broadcasts/${created[3]}`);
	expect(await walk("")).toEqual(all.filter((id) => id !== created[3]));
	for (const query of ["limit=0", "limit=101", "status=gone", "cursor=zzz", "sort=title"]) {
		await problem(await call("GET", `/api/broadcasts?${query}`), 400, "invalid-request");
	}
});

test("every command in every state", async () => {
	type Step = [method: string, path: string, body: unknown, expected: number, problem?: string];
	const inState: Record<string, Step[]> = {
		lobby: [
			["PUT", "/layout", { layout: "pip" }, 200],
			["PUT", "/layout", { layout: "pip", scene: "main" }, 200],
			["PUT", "/layout", { layout: "pip", scene: "other" }, 400, "invalid-request"],
			["GET", "/stats", undefined, 200],
			["POST", "/destinations", DESTINATION, 201],
		],
		live: [
			["POST", "/start", undefined, 200],
			["PUT", "/layout", { layout: "solo" }, 200],
			["POST", "/destinations", DESTINATION, 409, "duplicate-destination"],
			["POST", "/destinations", { ...DESTINATION, streamKey: "another" }, 201],
			["GET", "/stats", undefined, 200],
			["DELETE", "", undefined, 409, "already-live"],
		],
		ended: [
			["POST", "/end", undefined, 200],
			["POST", "/start", undefined, 410, "broadcast-ended"],
			["PUT", "/layout", { layout: "solo" }, 410, "broadcast-ended"],
			["POST", "/destinations", DESTINATION, 410, "broadcast-ended"],
			["GET", "/destinations", undefined, 200],
			["GET", "/stats", undefined, 200],
		],
	};
	const { id } = await create();
	for (const [state, steps] of Object.entries(inState)) {
		if (state !== "lobby") {
			expect((await call("POST", `/api/broadcasts/${id}/${state === "live" ? "start" : "end"}`)).status).toBe(200);
		}
		const before = await (await call("GET", `/api/broadcasts/${id}`)).json<Record<string, unknown>>();
		expect(before.status).toBe(state);
		for (const [method, path, body, expected, kind] of steps) {
			const response = await call(method, `/api/broadcasts/${id}${path}`, body === undefined ? {} : { body });
			expect(response.status, `${method} ${path} when ${state}`).toBe(expected);
			if (kind !== undefined) {
				await problem(response, expected, kind);
			}
		}
		const after = await (await call("GET", `/api/broadcasts/${id}`)).json<Record<string, unknown>>();
		expect({ status: after.status, startedAt: after.startedAt, endedAt: after.endedAt }).toEqual({
			status: before.status,
			startedAt: before.startedAt,
			endedAt: before.endedAt,
		});
	}
	expect((await call("DELETE", `/api/broadcasts/${id}`)).status).toBe(204);
	await problem(await call("DELETE", `/api/broadcasts/${id}`), 404, "not-found");
	await problem(await call("GET", `/api/broadcasts/${id}`), 404, "not-found");
});

test("takes at most eight destinations, counting those added later", async () => {
	const numbered = (number: number) => ({ ...DESTINATION, streamKey: `key-${number}` });
	const { id } = await create({ destinations: [1, 2, 3, 4, 5, 6, 7].map(numbered) });
	const path = `/api/broadcasts/${id}/destinations`;
	const eighth = await call("POST", path, { body: numbered(8) });
	expect(eighth.status).toBe(201);
	await problem(await call("POST", path, { body: numbered(9) }), 409, "too-many");
	const { id: destinationId } = await eighth.json<{ id: string }>();
	expect((await call("DELETE", `${path}/${destinationId}`)).status).toBe(204);
	await problem(await call("DELETE", `${path}/${destinationId}`), 404, "not-found");
	expect((await call("POST", path, { body: numbered(8) })).status).toBe(201);
});

test("tells whether a broadcast could go live", async () => {
	const response = await call("GET", "/api/health", { token: undefined });
	expect(await response.json()).toEqual({ status: "ok", ready: false, runners: 0, freePlaces: 0 });
});

test("the documentation page shows every route and problem, and fetches nothing", async () => {
	const response = await call("GET", "/api/docs", { token: undefined });
	expect(response.headers.get("Content-Type")).toContain("text/html");
	expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
	const page = await response.text();
	expect(page).toContain("/api/broadcasts/{id}/destinations/{destinationId}");
	expect(page).not.toMatch(/<script|src=|url\(|@import/);
	for (const kind of Object.keys(PROBLEMS)) {
		expect(page).toContain(`id="problem-${kind}"`);
	}
});

test("a guest is shown the broadcast, and not where its program goes", async () => {
	const { id, tokens } = await create({ destinations: [DESTINATION] });
	for (const [token, count] of [
		[tokens.host, 1],
		[tokens.guest, 0],
	] as const) {
		for (const path of [`/api/broadcasts/${id}`, `/api/broadcasts/${id}/stats`]) {
			const shown = await (await call("GET", path, { token })).json<{ destinations: unknown[] }>();
			expect(shown.destinations.length).toBe(count);
		}
	}
});

test("a command over the control socket that is not right is answered under its id, with what is wrong", async () => {
	const { id, tokens } = await create();
	const socket = await openSocket(`/api/broadcasts/${id}/control`, { token: tokens.host });
	socket.send({ type: "command", id: "mine", command: { type: "set-person", personId: "guest", gain: 9 } });
	const answer = await socket.take("error");
	expect(answer).toMatchObject({ id: "mine" });
	expect(answer.detail).toContain("command.gain: ");
	socket.send({ type: "command", id: 7, command: { type: "bogus" } });
	expect(await socket.take("error")).toMatchObject({ id: 7 });
	socket.send("{");
	expect(await socket.take("error")).not.toHaveProperty("id");
});

test("pages of other origins may ask, with a token of their own", async () => {
	const { id, tokens } = await create();
	const headers = { Origin: "https://show.example" };
	const preflight = await call("OPTIONS", `/api/broadcasts/${id}/people/host`, {
		token: undefined,
		headers: {
			...headers,
			"Access-Control-Request-Method": "PATCH",
			"Access-Control-Request-Headers": "authorization",
		},
	});
	expect(preflight.status).toBe(204);
	expect(preflight.headers.get("Access-Control-Allow-Methods")).toContain("PATCH");
	expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
	const answer = await call("GET", `/api/broadcasts/${id}`, { token: tokens.host, headers });
	expect(answer.status).toBe(200);
	expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
	expect(answer.headers.get("Access-Control-Allow-Credentials")).toBeNull();
	expect(answer.headers.get("Access-Control-Expose-Headers")).toContain("ETag");
	const refused = await call("GET", `/api/broadcasts/${id}`, { token: undefined, headers });
	expect([refused.status, refused.headers.get("Access-Control-Allow-Origin")]).toEqual([401, "*"]);
});
