import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { destinationSchema, destinationTestSchema } from "../../worker/api/schemas.ts";
import { serviceListSchema } from "../../worker/api/services.ts";
import { call, create, env, openSocket, problem, until } from "./api-client.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { PacedPublisher } from "./paced-publisher.ts";

/** Nothing listens there. */
const CLOSED_PORT = { url: "rtmp://127.0.0.1:9/app", streamKey: "k" };

interface Destination {
	readonly id: string;
	readonly name?: string;
	readonly via: string;
	readonly viaReason?: string;
	readonly url: string;
	readonly hasStreamKey: boolean;
	readonly allowBFrames: boolean;
	readonly state: string;
	readonly lastError?: string;
	readonly warnings: readonly { readonly code: string; readonly detail: string }[];
}

async function add(id: string, body: unknown): Promise<Destination> {
	const response = await call("POST", `/api/broadcasts/${id}/destinations`, { body });
	expect(response.status).toBe(201);
	return destinationSchema.strict().parse(await response.json()) as Destination;
}

async function get(id: string, destinationId: string): Promise<Destination> {
	const response = await call("GET", `/api/broadcasts/${id}/destinations/${destinationId}`);
	expect(response.status).toBe(200);
	return destinationSchema.strict().parse(await response.json()) as Destination;
}

function change(id: string, destinationId: string, body: unknown, headers: Record<string, string> = {}) {
	return call("PATCH", `/api/broadcasts/${id}/destinations/${destinationId}`, { body, headers });
}

afterEach(() => {
	vi.restoreAllMocks();
});

test("a service and a key are enough, and where Cloudflare's goes from is said with the reason", async () => {
	const { id, destinations } = await create({
		destinations: [
			{ service: "youtube", streamKey: "k" },
			{ service: "cloudflare-stream", streamKey: "k" },
		],
	});
	expect(destinations).toMatchObject([
		{ service: "youtube", via: "edge", url: "rtmps://a.rtmps.youtube.com:443/live2", warnings: [] },
		{ service: "cloudflare-stream", via: "runner", url: "rtmps://live.cloudflare.com:443/live/", warnings: [] },
	]);
	expect(destinations[0]).not.toHaveProperty("viaReason");
	expect(destinations[1]?.viaReason).toMatch(/^a Worker may not open connections to Cloudflare's own addresses/);
	const detected = await add(id, { url: "rtmps://live.cloudflare.com/live/", streamKey: "another" });
	expect(detected).toMatchObject({ service: "custom", via: "runner", viaReason: destinations[1]?.viaReason });
	const refusal = await problem(
		await call("POST", `/api/broadcasts/${id}/destinations`, {
			body: { service: "cloudflare-stream", via: "edge", streamKey: "third" },
		}),
		422,
		"destination-refused",
	);
	expect(refusal.detail).toContain(destinations[1]?.viaReason);
});

test("refuses rtmp:// to Facebook, and an address that is missing", async () => {
	const refused = { service: "facebook", url: "rtmp://live-api-s.facebook.com:80/rtmp/", streamKey: "k" };
	await problem(
		await call("POST", "/api/broadcasts", { body: { title: "x", destinations: [refused] } }),
		422,
		"destination-refused",
	);
	const { id } = await create();
	const path = `/api/broadcasts/${id}/destinations`;
	await problem(await call("POST", path, { body: refused }), 422, "destination-refused");
	await problem(await call("POST", path, { body: { ...refused, service: "custom" } }), 422, "destination-refused");
	await problem(await call("POST", path, { body: { streamKey: "k" } }), 400, "invalid-request");
	await problem(await call("POST", path, { body: { service: "twitch" } }), 422, "destination-refused");
});

test("warns by the service's limits in every answer, and anew when the program's settings change", async () => {
	const { id, destinations } = await create({
		videoBitrate: 9_000_000,
		destinations: [{ service: "twitch", streamKey: "k" }],
	});
	const tooHigh = [{ code: "video-bitrate-too-high", detail: expect.stringMatching(/^Twitch: expected at most 6000/) }];
	const destinationId = destinations[0]?.id ?? "";
	expect(destinations[0]?.warnings).toEqual(tooHigh);
	const shown = await Promise.all(
		["", "/destinations", "/stats"].map(async (path) => (await call("GET", `/api/broadcasts/${id}${path}`)).json()),
	);
	expect(shown).toMatchObject(Array(3).fill({ destinations: [{ warnings: tooHigh }] }));
	expect((await add(id, { url: "rtmps://fra05.contribute.live-video.net/app", streamKey: "b" })).warnings).toEqual(
		tooHigh,
	);
	expect((await add(id, CLOSED_PORT)).warnings).toEqual([]);

	const before = await call("GET", `/api/broadcasts/${id}/destinations/${destinationId}`);
	const changed = await call("PATCH", `/api/broadcasts/${id}`, { body: { videoBitrate: 6_000_000 } });
	expect(await changed.json()).toMatchObject({ destinations: [{ warnings: [] }, { warnings: [] }, { warnings: [] }] });
	expect(changed.headers.get("ETag")).not.toBe(before.headers.get("ETag"));
	expect((await get(id, destinationId)).warnings).toEqual([]);
});

test("one key is one destination, however its address is written", async () => {
	const same = [
		{ url: "rtmp://Live.Example.com/app", streamKey: "key-1" },
		{ url: "rtmp://live.example.com:1935/app/key-1" },
		{ url: "rtmp://live.example.com./app/", streamKey: "key-1" },
		{ url: "rtmps://user:pass@LIVE.example.com:443/app/", streamKey: "key-1", name: "Another name" },
	];
	const both = await call("POST", "/api/broadcasts", { body: { title: "x", destinations: same.slice(0, 2) } });
	expect((await problem(both, 409, "duplicate-destination")).detail).not.toContain("key-1");
	const { id, destinations } = await create({ destinations: [same[0]] });
	const path = `/api/broadcasts/${id}/destinations`;
	for (const body of same) {
		await problem(await call("POST", path, { body }), 409, "duplicate-destination");
	}
	const other = await add(id, { url: "rtmp://live.example.com/app", streamKey: "key-2" });
	await problem(await change(id, other.id, { streamKey: "key-1" }), 409, "duplicate-destination");
	expect(await get(id, other.id)).toEqual(other);
	expect((await call("DELETE", `${path}/${destinations[0]?.id}`)).status).toBe(204);
	expect((await change(id, other.id, { streamKey: "key-1" })).status).toBe(200);
	await problem(await call("POST", path, { body: same[1] }), 409, "duplicate-destination");
});

test("changes a name, what it takes and its key, on the version that was meant", async () => {
	const { id, destinations } = await create({ destinations: [{ url: "rtmp://127.0.0.1:9/app/in-path", name: "Old" }] });
	const destinationId = destinations[0]?.id ?? "";
	const before = await call("GET", `/api/broadcasts/${id}/destinations/${destinationId}`);
	const tag = before.headers.get("ETag") ?? "";
	const renamed = await change(id, destinationId, { name: "New", allowBFrames: false }, { "If-Match": tag });
	expect(renamed.status).toBe(200);
	expect(await renamed.json()).toMatchObject({
		id: destinationId,
		name: "New",
		allowBFrames: false,
		url: "rtmp://127.0.0.1:9/app/…",
	});
	expect(renamed.headers.get("ETag")).not.toBe(tag);
	await problem(await change(id, destinationId, { name: "Late" }, { "If-Match": tag }), 412, "precondition-failed");

	const sealedBefore = await sealedAddressOf(id);
	const keyed = await change(id, destinationId, { streamKey: "apart" });
	expect(await keyed.json()).toMatchObject({ name: "New", hasStreamKey: true, url: "rtmp://127.0.0.1:9/app/" });
	const sealed = await sealedAddressOf(id);
	expect(sealed).not.toBe(sealedBefore);
	await change(id, destinationId, { streamKey: "apart" });
	expect(await sealedAddressOf(id)).toBe(sealed);

	await problem(await change(id, destinationId, { streamKey: "with space" }), 400, "invalid-request");
	await problem(await change(id, destinationId, { url: "rtmp://b.example/app" }), 400, "invalid-request");
	await problem(await change(id, "none", { name: "x" }), 404, "not-found");
	await problem(await change(id, "none", { streamKey: "x" }), 404, "not-found");
	await problem(await call("GET", `/api/broadcasts/${id}/destinations/none`), 404, "not-found");
	await call("POST", `/api/broadcasts/${id}/end`);
	const late = await problem(await change(id, destinationId, { name: "x" }), 410, "broadcast-ended");
	expect(late).toMatchObject({ expected: ["scheduled", "lobby", "live"], found: "ended" });
});

test("a new key while live begins that destination anew and no other", async () => {
	const { id, destinations } = await create({ destinations: [CLOSED_PORT, { ...CLOSED_PORT, streamKey: "other" }] });
	const [first, second] = destinations.map((destination) => destination.id);
	await call("POST", `/api/broadcasts/${id}/start`);
	const [before, beforeOther] = [await egressAddressOf(id, first), await egressAddressOf(id, second)];
	expect((await change(id, first ?? "", { streamKey: "fresh" })).status).toBe(200);
	expect(await egressAddressOf(id, first)).not.toBe(before);
	expect(await egressAddressOf(id, second)).toBe(beforeOther);
	expect(["connecting", "retrying"]).toContain((await get(id, first ?? "")).state);
	await call("POST", `/api/broadcasts/${id}/end`);
	for (const destinationId of [first, second]) {
		expect((await env.EGRESS.getByName(`${id}/${destinationId}`).status()).state).toBe("stopped");
	}
});

test("a test says how far it came, also where that is nowhere, and warns", async () => {
	const { id, tokens } = await create({ videoBitrate: 12_000_000 });
	const { id: destinationId } = await add(id, { ...CLOSED_PORT, service: "twitch" });
	const path = `/api/broadcasts/${id}/destinations/${destinationId}/test`;
	const response = await call("POST", path);
	expect(response.status).toBe(200);
	const report = destinationTestSchema.strict().parse(await response.json());
	expect(report).toMatchObject({ ok: false, steps: [], error: expect.stringMatching(/./) });
	expect(report.warnings.map(({ code }) => code)).toEqual(["unencrypted", "video-bitrate-too-high"]);
	await problem(await call("POST", path, { token: tokens.guest }), 403, "forbidden");
	await problem(await call("POST", `/api/broadcasts/${id}/destinations/none/test`), 404, "not-found");

	await call("POST", `/api/broadcasts/${id}/start`);
	const busy = await problem(await call("POST", path), 409, "wrong-state");
	expect(busy).toMatchObject({ expected: ["idle", "refused", "stopped"] });
	expect(["connecting", "retrying"]).toContain((busy as unknown as { found: string }).found);
	await call("POST", `/api/broadcasts/${id}/end`);
	expect(await problem(await call("POST", path), 410, "broadcast-ended")).toMatchObject({ found: "ended" });
});

test("says in its description what of a test's report may be absent", async () => {
	const { components } = await (await call("GET", "/api/openapi.json")).json<{
		components: { schemas: { DestinationTest: { required: string[] } } };
	}>();
	expect(components.schemas.DestinationTest.required).toEqual(["ok", "steps", "bytes", "warnings"]);
});

test("tells everyone the services it knows, with their servers and limits", async () => {
	const response = await call("GET", "/api/services", { token: undefined });
	expect(response.status).toBe(200);
	expect(response.headers.get("Cache-Control")).toMatch(/^public/);
	const { services } = serviceListSchema.strict().parse(await response.json());
	expect(services.map(({ id }) => id)).toEqual(["facebook", "youtube", "twitch", "cloudflare-stream", "custom"]);
	expect(services[0]).toMatchObject({ rtmpsOnly: true, limits: { maxHours: 8, keyFrameIntervalS: { max: 4 } } });
	expect(services[3]).toMatchObject({ onlyVia: { via: "runner", reason: expect.stringMatching(/Worker/) } });
});

const MARKS = ["MARK-path", "MARK-query", "MARK-user", "MARK-password", "MARK-key", "MARK-renewed"];

test("no mark of a key is in any answer, event, log line or error, and in storage none that is not sealed", async () => {
	const lines: unknown[] = [];
	for (const level of ["debug", "info", "log", "warn", "error"] as const) {
		vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => lines.push(...parts.map(inWords)));
	}
	const answers: string[] = [];
	const hear = async (response: Response) => {
		answers.push(await response.clone().text(), JSON.stringify([...response.headers]));
		return response;
	};
	const marked = [
		{ url: "rtmp://127.0.0.1:9/app/MARK-path?sig=MARK-query", name: "Somewhere" },
		{ url: "rtmp://MARK-user:MARK-password@127.0.0.1:9/app", streamKey: "MARK-key?token=MARK-query" },
		{ url: "rtmp://127.0.0.1:9/app/inst?also=MARK-query", streamKey: "MARK-key" },
	];
	const created = await create({ destinations: marked });
	answers.push(JSON.stringify(created));
	const { id } = created;
	const path = `/api/broadcasts/${id}`;
	const control = await openSocket(`${path}/control`, { token: created.tokens.host });
	const destinationIds = created.destinations.map((destination) => destination.id);

	for (const body of [
		...marked,
		{ url: "rtmp://MARK-user:MARK-password@127.0.0.1:9/", streamKey: "MARK-key" },
		{ url: "http://127.0.0.1/app/MARK-path?MARK-query" },
		{ url: "rtmp://127.0.0.1:9/app/MARK-path/" },
		{ url: "rtmp://127.0.0.1:9/MARK-path app" },
		{ url: "rtmp://%zz:MARK-password@127.0.0.1:9/app/MARK-path" },
		{ url: `rtmp://127.0.0.1:9/app/MARK-path${"x".repeat(2_048)}` },
		{ url: "rtmp://127.0.0.1:9/app", streamKey: "MARK-key with space" },
		{ service: "facebook", url: "rtmp://live-api-s.facebook.com/rtmp/MARK-path?MARK-query" },
		{ service: "cloudflare-stream", via: "edge", streamKey: "MARK-key" },
		{ url: "rtmp://127.0.0.1:9/app", streamKey: "MARK-key", unknown: "MARK-key" },
	]) {
		expect((await hear(await call("POST", `${path}/destinations`, { body }))).status).toBeGreaterThanOrEqual(400);
	}
	expect((await hear(await call("POST", `${path}/destinations/${destinationIds[1]}/test`))).status).toBe(200);
	await hear(await change(id, destinationIds[2] ?? "", { streamKey: "MARK-renewed" }));
	await hear(await change(id, destinationIds[2] ?? "", { streamKey: "MARK-key MARK-renewed" }));
	await hear(await call("POST", `${path}/start`));
	control.send({ type: "command", id: "1", command: { type: "add-destination", ...marked[0] } });
	control.send({
		type: "command",
		id: "2",
		command: { type: "add-destination", ...CLOSED_PORT, streamKey: "MARK-key" },
	});
	control.send({ type: "command", id: "3", command: { type: "add-destination", streamKey: "MARK-key with space" } });
	await until("three answers", () => (control.messages.filter(({ id }) => id).length === 3 ? true : undefined));
	const host = await publishHost(id, created.tokens.host);
	await until("the destinations to fail", async () => {
		const { destinations } = await (await call("GET", path)).json<{ destinations: Destination[] }>();
		return destinations.every(({ lastError }) => lastError !== undefined) ? true : undefined;
	});
	await hear(await change(id, destinationIds[0] ?? "", { streamKey: "MARK-renewed-live" }));
	await hear(await call("POST", `${path}/destinations/${destinationIds[0]}/test`));
	for (const read of ["", "/destinations", "/stats", `/destinations/${destinationIds[0]}`, "/log", "/webhooks"]) {
		await hear(await call("GET", path + read));
	}
	await hear(await call("GET", "/api/broadcasts"));
	await hear(await call("DELETE", `${path}/destinations/${destinationIds[2]}`));
	const objects = [
		env.BROADCAST.getByName(id),
		env.ROUTER.getByName(id),
		...destinationIds
			.flatMap((each) => [`${id}/${each}`, `${id}/test-${each}`])
			.map((name) => env.EGRESS.getByName(name)),
	];
	host.stop();
	const listed = await env.INDEX.prepare("SELECT * FROM broadcasts").all();
	const stored = [...(await Promise.all(objects.map(dump))), JSON.stringify(listed)].join("\n");
	await hear(await call("POST", `${path}/end`));

	expect(answers.length).toBeGreaterThan(40);
	expect(control.messages.length).toBeGreaterThan(0);
	expect(stored).toContain("sealedAddress");
	for (const mark of MARKS) {
		expect(answers.join("\n"), mark).not.toContain(mark);
		expect(JSON.stringify(control.messages), mark).not.toContain(mark);
		expect(lines.join("\n"), mark).not.toContain(mark);
		expect(stored, mark).not.toContain(mark);
	}
});

/** A host who is passed through: what has a program is dialled. */
async function publishHost(id: string, token: string): Promise<PacedPublisher> {
	const path = `/api/broadcasts/${id}/media/host?direction=publish`;
	const { webSocket } = await call("GET", path, { token, headers: { Upgrade: "websocket" } });
	if (webSocket === null) {
		throw new Error("test: expected a media socket, got none");
	}
	return new PacedPublisher(new MediaSocketPeer(webSocket), { isComposite: false });
}

function inWords(part: unknown): string {
	return part instanceof Error
		? `${part.stack} ${inWords(part.cause)}`
		: typeof part === "string"
			? part
			: (JSON.stringify(part) ?? "");
}

/** All that an object keeps: its values, and the rows of its tables. */
async function dump(stub: DurableObjectStub): Promise<string> {
	return runInDurableObject(stub, async (_object, { storage }) => {
		const tables = [...storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")];
		const rows = tables
			.filter(({ name }) => !name.startsWith("_cf_") && !name.startsWith("sqlite_"))
			.map(({ name }) => [...storage.sql.exec(`SELECT * FROM "${name}"`)]);
		return JSON.stringify([[...(await storage.list())], rows]);
	});
}

interface StoredDestinations {
	readonly destinations: readonly { readonly sealedAddress: string }[];
}

async function sealedAddressOf(id: string): Promise<string | undefined> {
	return runInDurableObject(env.BROADCAST.getByName(id) as DurableObjectStub, async (_object, { storage }) => {
		const record = await storage.get<StoredDestinations>("broadcast");
		return record?.destinations[0]?.sealedAddress;
	});
}

async function egressAddressOf(id: string, destinationId: string | undefined): Promise<string> {
	const stub = env.EGRESS.getByName(`${id}/${destinationId}`) as DurableObjectStub;
	const stored = await dump(stub);
	return /"sealedAddress":"([^"]+)"/.exec(stored)?.[1] ?? "";
}
