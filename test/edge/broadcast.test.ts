import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { verifyRoleToken } from "../../worker/auth/role-token.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import { interFrame, keyFrame, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { call, create as createBroadcast, env, openSocket, problem, roleToken, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { RunnerPeer } from "./runner-peer.ts";

freezeClock();

/** Composed from the start, unless the test is about those that are not. */
async function create(body: Record<string, unknown> = {}) {
	const created = await createBroadcast({ alwaysCompose: true, ...body });
	made.push(created.id);
	return created;
}

/** One that is left live goes on asking for a compositor, and takes the place that the next test's runner has. */
const made: string[] = [];
afterEach(async () => {
	for (const id of made.splice(0)) {
		await call("DELETE", `/api/broadcasts/${id}`);
	}
});

/** Nothing listens there: an Egress that dials it goes on retrying. */
const CLOSED_PORT = { url: "rtmp://127.0.0.1:9/app", streamKey: "k" };

interface Stats {
	unanswered: string[];
	compositor: { lease: string; fence: number; reported?: { ageMs: number; stats: CompositorStats } };
	destinations: { id: string; state: string; egress?: { state: string } }[];
	sources: unknown[];
}

async function statsOf(id: string): Promise<Stats> {
	return (await call("GET", `/api/broadcasts/${id}/stats`)).json<Stats>();
}

async function statusOf(id: string): Promise<string> {
	return (await (await call("GET", `/api/broadcasts/${id}`)).json<{ status: string }>()).status;
}

function figures(fence: number): CompositorStats {
	const stage = { p50: 1, p95: 2 };
	return {
		fence,
		uptimeMs: 1_000,
		compositor: "planar",
		audioEncoder: "wasm",
		program: {
			width: 1280,
			height: 720,
			frameRate: 30,
			layout: "landscape",
			frames: 30,
			heldFrames: 0,
			droppedFrames: 0,
			keyFrames: 1,
			videoBitrateBps: 3_000_000,
			targetBitrateBps: 3_000_000,
			audioFrames: 47,
			encodeQueue: 0,
			socketQueueBytes: 0,
		},
		latencyMs: { inputToEncodedP50: 40, inputToEncodedP95: 50 },
		avSkewMs: 1,
		stagesMs: { decode: stage, composite: stage, encode: stage, mix: stage },
		people: [],
	};
}

const control = (id: string, token: string) => openSocket(`/api/broadcasts/${id}/control`, { token });

test("going live leases a compositor, which takes its scene and reports its figures to everyone else", async () => {
	const { id, tokens } = await create({ hostName: "Ada", guestName: "Grace", layout: "pip" });
	const runner = await RunnerPeer.connect("runner-a", 1);
	const host = await control(id, tokens.host);
	expect(await host.take("status")).toEqual({
		type: "status",
		status: "lobby",
		layout: "pip",
		liveStreams: [],
		program: "none",
		version: 1,
		labels: true,
		order: [],
		people: [
			{ id: "host", name: "Ada", live: false, admitted: true, muted: false },
			{ id: "guest", name: "Grace", live: false, admitted: true, muted: false },
		],
	});
	await call("POST", `/api/broadcasts/${id}/start`, { token: tokens.host });
	await host.take("status", ({ status }) => status === "live");

	const { token, fence, leaseId } = await runner.assigned(id);
	expect(fence).toBe(1);
	expect(await verifyRoleToken(token, [env.SIGNING_KEY ?? ""], Date.now() / 1_000)).toMatchObject({
		bid: id,
		role: "compositor",
		fence: 1,
	});
	expect((await statsOf(id)).compositor).toEqual({ lease: "assigned", fence: 1 });

	const compositor = await control(id, token);
	expect(await compositor.take("scene")).toEqual({
		type: "scene",
		scene: {
			layout: "solo",
			labels: true,
			width: 1280,
			height: 720,
			frameRate: 30,
			videoBitrateBps: 3_000_000,
			audioBitrateBps: 128_000,
			keyFrameIntervalS: 2,
			people: [
				{ id: "host", name: "Ada", gain: 1, expected: false },
				{ id: "guest", name: "Grace", gain: 1, expected: false },
			],
		},
	});
	runner.heartbeat(leaseId, 1);
	await until("the lease to run", async () => ((await statsOf(id)).compositor.lease === "running" ? true : undefined));
	compositor.send({ type: "compositor-stats", stats: figures(1) });
	expect(await host.take("stats")).toEqual({ type: "stats", stats: figures(1) });
	expect((await statsOf(id)).compositor.reported?.stats).toEqual(figures(1));
	const guest = await control(id, tokens.guest);
	expect(await guest.take("stats")).toMatchObject({ stats: { fence: 1 } });
	await compositor.take("call");
	expect(compositor.messages).toEqual([]);

	await call("POST", `/api/broadcasts/${id}/end`);
	await runner.toldToRelease(leaseId);
	for (const socket of [host, guest, compositor]) {
		expect((await socket.closing()).code).toBe(CLOSE.ended.code);
	}
	runner.close();
});

test("the layout is changed over HTTP and over the control socket, by host and admin only", async () => {
	const { id, tokens } = await create();
	const runner = await RunnerPeer.connect("runner-layout", 1);
	await call("POST", `/api/broadcasts/${id}/start`);
	await env.BROADCAST.getByName(id).streamChanged({ stream: "guest", state: "live" });
	const { token } = await runner.assigned(id);
	const [host, guest, compositor] = [
		await control(id, tokens.host),
		await control(id, tokens.guest),
		await control(id, token),
	];
	await compositor.take("scene");
	host.send({ type: "set-layout", layout: "vertical" });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "vertical" } });
	await guest.take("status", ({ layout }) => layout === "vertical");
	await call("PUT", `/api/broadcasts/${id}/layout`, { body: { layout: "solo", scene: "main" } });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "solo" } });
	guest.send({ type: "set-layout", layout: "pip" });
	expect(await guest.take("error")).toMatchObject({ detail: expect.stringContaining("got guest") });
	for (const wrong of [{ type: "set-layout", layout: "diagonal" }, { type: "dance" }, "not json"]) {
		host.send(wrong);
		expect(await host.take("error")).toMatchObject({ detail: expect.stringContaining("expected") });
	}
	host.send({ type: "ping" });
	await host.take("pong");
	expect(await (await call("GET", `/api/broadcasts/${id}`)).json()).toMatchObject({ layout: "solo" });
	await compositor.take("call");
	expect(compositor.messages).toEqual([]);
	runner.close();
});

test("control and runner sockets that a client closes end normally", async () => {
	const { id, tokens } = await create();
	const host = await control(id, tokens.host);
	const runner = await RunnerPeer.connect("runner-closing", 1);
	for (const { socket } of [host, runner.socket]) {
		socket.close(1000, "done");
	}
	expect((await host.closing()).code).toBe(1000);
	expect((await runner.socket.closing()).code).toBe(1000);
});

test("a message larger than the limit ends that socket and no other", async () => {
	const { id, tokens } = await create();
	const [host, guest] = [await control(id, tokens.host), await control(id, tokens.guest)];
	host.send("x".repeat(64 * 1024 + 1));
	expect((await host.closing()).code).toBe(CLOSE.tooLarge.code);
	guest.send({ type: "ping" });
	await guest.take("pong");
});

test("a lost compositor is replaced under a higher fence, and the old one has no say any more", async () => {
	const { id, tokens } = await create();
	const runner = await RunnerPeer.connect("runner-loss", 2);
	await call("POST", `/api/broadcasts/${id}/start`);
	const first = await runner.assigned(id);
	const old = await control(id, first.token);
	await old.take("scene");
	runner.released(first.leaseId, "the browser died");
	const second = await runner.assigned(id);
	expect(second.fence).toBe(2);
	expect((await old.closing()).code).toBe(CLOSE.takenOver.code);
	expect((await statsOf(id)).compositor).toMatchObject({ fence: 2, lastFailure: "the browser died" });
	const headers = { Upgrade: "websocket" };
	for (const path of ["control", "media/composite/main?direction=publish"]) {
		const refused = await call("GET", `/api/broadcasts/${id}/${path}`, { token: first.token, headers });
		await problem(refused, 409, "taken-over");
	}
	const fresh = await control(id, second.token);
	await fresh.take("scene");
	fresh.send({ type: "compositor-stats", stats: figures(1) });
	expect((await fresh.closing()).code).toBe(CLOSE.takenOver.code);
	const host = await control(id, tokens.host);
	host.send({ type: "compositor-stats", stats: figures(2) });
	await host.take("error");
	expect((await statsOf(id)).compositor.reported).toBeUndefined();
	const withoutFence = await roleToken(id, "compositor");
	await problem(await call("GET", `/api/broadcasts/${id}/control`, { token: withoutFence, headers }), 403, "forbidden");
	await call("POST", `/api/broadcasts/${id}/end`);
	await runner.toldToRelease(second.leaseId);
	runner.close();
});

test("keeps asking, less and less often, while compositors fail", async () => {
	const { id } = await create();
	const runner = await RunnerPeer.connect("runner-failing", 1);
	await call("POST", `/api/broadcasts/${id}/start`);
	const broadcast = env.BROADCAST.getByName(id);
	runner.released((await runner.assigned(id)).leaseId, "no codec");
	runner.released((await runner.assigned(id)).leaseId, "no codec");
	await until("a retry to be due later", async () =>
		(await statsOf(id)).compositor.lease === "retrying" ? true : undefined,
	);
	expect((await statsOf(id)).compositor.fence).toBe(2);
	advanceClock(500);
	await runDurableObjectAlarm(broadcast);
	expect((await runner.assigned(id)).fence).toBe(3);
	await call("POST", `/api/broadcasts/${id}/end`);
	runner.close();
});

test("waits for a runner when there is none, and is served when one connects", async () => {
	const { id } = await create();
	await call("POST", `/api/broadcasts/${id}/start`);
	expect((await statsOf(id)).compositor.lease).toBe("waiting");
	const runner = await RunnerPeer.connect("runner-late", 1);
	await runner.assigned(id);
	await until("the lease to be assigned", async () =>
		(await statsOf(id)).compositor.lease === "assigned" ? true : undefined,
	);
	await call("POST", `/api/broadcasts/${id}/end`);
	runner.close();
});

test("survives eviction with its state and its sockets", async () => {
	const { id, tokens, ingest } = await create({ destinations: [CLOSED_PORT] });
	const runner = await RunnerPeer.connect("runner-evicted", 1);
	const host = await control(id, tokens.host);
	await call("POST", `/api/broadcasts/${id}/start`);
	const { token, leaseId } = await runner.assigned(id);
	const compositor = await control(id, token);
	await compositor.take("scene");
	await host.take("status", ({ status }) => status === "live");
	await env.BROADCAST.getByName(id).streamChanged({ stream: "guest", state: "live" });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "landscape" } });
	await evictDurableObject(env.BROADCAST.getByName(id));

	expect(await statusOf(id)).toBe("live");
	host.send({ type: "set-layout", layout: "solo" });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "solo" } });
	await host.take("status", ({ layout }) => layout === "solo");
	compositor.send({ type: "compositor-stats", stats: figures(1) });
	await host.take("stats");
	expect((await call("GET", `/api/broadcasts/${id}`, { token: ingest.host.rtmp.streamKey })).status).toBe(200);
	expect((await statsOf(id)).compositor.fence).toBe(1);

	await evictDurableObject(env.BROADCAST.getByName(id));
	runner.released(leaseId, "the browser died");
	expect((await runner.assigned(id)).fence).toBe(2);
	expect((await compositor.closing()).code).toBe(CLOSE.takenOver.code);
	await evictDurableObject(env.BROADCAST.getByName(id));
	await call("POST", `/api/broadcasts/${id}/end`);
	expect((await host.closing()).code).toBe(CLOSE.ended.code);
	await evictDurableObject(env.BROADCAST.getByName(id));
	expect(await statusOf(id)).toBe("ended");
	runner.close();
});

test("destinations come and go while live, each with its own Egress", async () => {
	const { id } = await create({ destinations: [CLOSED_PORT] });
	const path = `/api/broadcasts/${id}/destinations`;
	expect((await statsOf(id)).destinations).toMatchObject([{ state: "idle" }]);
	await call("POST", `/api/broadcasts/${id}/start`);
	const added = await (
		await call("POST", path, { body: { ...CLOSED_PORT, streamKey: "another", name: "Second" } })
	).json<{ id: string }>();
	const [first, second] = (await statsOf(id)).destinations;
	expect(second?.id).toBe(added.id);
	for (const destination of [first, second]) {
		expect(["connecting", "retrying"]).toContain(destination?.egress?.state);
	}
	expect((await call("DELETE", `${path}/${added.id}`)).status).toBe(204);
	expect((await statsOf(id)).destinations.map((destination) => destination.id)).toEqual([first?.id]);
	expect((await env.EGRESS.getByName(`${id}/${added.id}`).status()).state).toBe("stopped");
	expect((await env.EGRESS.getByName(`${id}/${first?.id}`).status()).state).not.toBe("stopped");
	await call("POST", `/api/broadcasts/${id}/end`);
	expect((await env.EGRESS.getByName(`${id}/${first?.id}`).status()).state).toBe("stopped");
	expect((await statsOf(id)).destinations).toMatchObject([{ state: "stopped" }]);
});

test("starting and ending twice at once disturbs nothing", async () => {
	const { id } = await create({ destinations: [CLOSED_PORT] });
	const runner = await RunnerPeer.connect("runner-twice", 4);
	const twice = (command: string) => Promise.all([1, 2].map(() => call("POST", `/api/broadcasts/${id}/${command}`)));
	const started = await Promise.all((await twice("start")).map((response) => response.json<{ startedAt: string }>()));
	expect(started[0]?.startedAt).toBe(started[1]?.startedAt);
	const { leaseId } = await runner.assigned(id);
	expect((await statsOf(id)).compositor.fence).toBe(1);
	const ended = await Promise.all((await twice("end")).map((response) => response.json<{ endedAt: string }>()));
	expect(ended[0]?.endedAt).toBe(ended[1]?.endedAt);
	await runner.toldToRelease(leaseId);
	expect(runner.socket.messages).toEqual([]);
	runner.close();
});

test("an ended broadcast takes no socket; a deleted one is gone for its tokens and keys too", async () => {
	const { id, tokens, ingest } = await create();
	const host = await control(id, tokens.host);
	await host.take("status");
	await call("POST", `/api/broadcasts/${id}/end`);
	expect((await host.closing()).code).toBe(CLOSE.ended.code);
	const headers = { Upgrade: "websocket" };
	const publish = `/api/broadcasts/${id}/media/host?direction=publish`;
	await problem(await call("GET", publish, { token: ingest.host.rtmp.streamKey, headers }), 410, "broadcast-ended");
	await problem(
		await call("GET", `/api/broadcasts/${id}/control`, { token: tokens.host, headers }),
		410,
		"broadcast-ended",
	);
	await call("DELETE", `/api/broadcasts/${id}`);
	await problem(await call("GET", publish, { token: ingest.host.rtmp.streamKey, headers }), 401, "unauthorized");
	await problem(await call("GET", publish, { token: tokens.host, headers }), 404, "not-found");
});

test("deleting closes the sockets of a broadcast in the lobby", async () => {
	const { id, tokens } = await create();
	const host = await control(id, tokens.host);
	await host.take("status");
	expect((await call("DELETE", `/api/broadcasts/${id}`)).status).toBe(204);
	expect((await host.closing()).code).toBe(CLOSE.ended.code);
	expect(await env.INDEX.prepare("SELECT id FROM broadcasts WHERE id = ?").bind(id).first()).toBeNull();
});

test("tells the control sockets which streams are live, and forgets none when evicted", async () => {
	const { id, tokens } = await create();
	const host = await control(id, tokens.host);
	const broadcast = env.BROADCAST.getByName(id);
	await broadcast.streamChanged({ stream: "guest", state: "live", width: 640, height: 360 });
	await host.take("status", ({ liveStreams }) => JSON.stringify(liveStreams) === '["guest"]');
	await evictDurableObject(env.BROADCAST.getByName(id));
	await env.BROADCAST.getByName(id).streamChanged({ stream: "host", state: "live" });
	await host.take("status", ({ liveStreams }) => JSON.stringify(liveStreams) === '["guest","host"]');
	await env.BROADCAST.getByName(id).streamChanged({ stream: "guest", state: "idle" });
	await host.take("status", ({ liveStreams }) => JSON.stringify(liveStreams) === '["host"]');
});

test("gives back a compositor granted to a broadcast that is gone", async () => {
	const { id } = await create();
	const runner = await RunnerPeer.connect("runner-orphan", 1);
	await env.COMPOSITOR_POOL.getByName("default").acquire({ broadcastId: id, token: "t", fence: 7 });
	const { leaseId } = await runner.assigned(id);
	await call("DELETE", `/api/broadcasts/${id}`);
	runner.heartbeat(leaseId, 1);
	await runner.toldToRelease(leaseId);
	runner.close();
});

test("what is published with a stream key reaches those who may watch it, and everyone is told that it is live", async () => {
	const { id, tokens, ingest } = await create();
	const host = await control(id, tokens.host);
	await host.take("status");
	const headers = { Upgrade: "websocket" };
	const open = async (direction: string, token: string, options = "") => {
		const path = `/api/broadcasts/${id}/media/guest?direction=${direction}${options}`;
		const { webSocket } = await call("GET", path, { token, headers });
		if (webSocket === null) {
			throw new Error("test: expected a WebSocket");
		}
		return new MediaSocketPeer(webSocket);
	};
	const publisher = await open("publish", ingest.guest.rtmp.streamKey);
	publisher.publish([videoConfig(0), keyFrame(0), interFrame(33)]);
	await host.take("status", ({ liveStreams }) => JSON.stringify(liveStreams) === '["guest"]');
	const watching = await open("subscribe", tokens.host, "&ack=1");
	expect((await watching.waitForTags(3)).length).toBe(3);
	expect((await statsOf(id)).sources).toContainEqual(
		expect.objectContaining({ stream: "guest", publisherConnected: true, videoCodec: "avc", width: 1280 }),
	);
	publisher.socket.close(1000);
	await until("the stream to be given up", () => {
		advanceClock(100);
		return host.messages.some(({ liveStreams }) => JSON.stringify(liveStreams) === "[]") || undefined;
	});
	await call("POST", `/api/broadcasts/${id}/end`);
	expect((await watching.closed).code).toBe(CLOSE.ended.code);
});
