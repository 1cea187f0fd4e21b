import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Router } from "../../worker/router/router.ts";
import { call, create, env, openSocket, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { replaceObject } from "./replace-object.ts";
import { RunnerPeer } from "./runner-peer.ts";

freezeClock();

const CLOSED_PORT = { url: "rtmp://127.0.0.1:9/app", streamKey: "k" };
/** Defaults of the API. */
const GRACE_MS = 10_000;
const HOLD_MS = 120_000;

const broadcastOf = (id: string) => env.BROADCAST.getByName(id);
const pool = () => env.COMPOSITOR_POOL.getByName("default");

interface Shown {
	status: string;
	endReason?: string;
}
const shown = async (id: string) => (await call("GET", `/api/broadcasts/${id}`)).json<Shown>();

interface Stats {
	compositor: { lease: string; fence: number };
	program?: { source: string };
	unanswered: string[];
	destinations: { state: string; egress?: { state: string } }[];
}
const statsOf = async (id: string) => (await call("GET", `/api/broadcasts/${id}/stats`)).json<Stats>();

async function goLive(body: Record<string, unknown> = {}) {
	const created = await create(body);
	await call("POST", `/api/broadcasts/${created.id}/start`);
	return created;
}

/** The broadcast's alarm, rung when `ms` more have passed, with the object gone to sleep meanwhile. */
async function ringAfter(id: string, ms: number): Promise<void> {
	advanceClock(ms);
	await evictDurableObject(broadcastOf(id));
	await runDurableObjectAlarm(broadcastOf(id));
}

async function leaseIs(id: string, lease: string): Promise<void> {
	await until(`the lease ${lease}`, async () => ((await statsOf(id)).compositor.lease === lease ? true : undefined));
}

test("a guest brings a compositor and takes it along when gone for good, though everything is evicted on the way", async () => {
	const { id } = await goLive();
	const runner = await RunnerPeer.connect("runner-hybrid", 1);
	await broadcastOf(id).streamChanged({ stream: "host", state: "live", width: 1280, height: 720 });
	expect((await statsOf(id)).compositor).toEqual({ lease: "none", fence: 0 });
	await evictDurableObject(broadcastOf(id));

	await broadcastOf(id).streamChanged({ stream: "guest", state: "live" });
	const { token, leaseId } = await runner.assigned(id);
	const compositor = await openSocket(`/api/broadcasts/${id}/control`, { token });
	expect(await compositor.take("scene")).toMatchObject({
		scene: { layout: "landscape", people: [{ expected: true }, { expected: true }] },
	});
	await evictDurableObject(broadcastOf(id));
	await evictDurableObject(pool());
	runner.heartbeat(leaseId, 1);
	await leaseIs(id, "running");
	await broadcastOf(id).streamChanged({ stream: "composite/main", state: "live", fence: 1 });
	await broadcastOf(id).programChanged({ source: "composite" });

	await broadcastOf(id).streamChanged({ stream: "guest", state: "idle" });
	await ringAfter(id, GRACE_MS - 1);
	expect(compositor.messages.map(({ type }) => type)).toEqual(["call"]);
	await ringAfter(id, 1);
	expect(await compositor.take("scene")).toMatchObject({
		scene: { layout: "solo", people: [{ expected: true }, { expected: false }] },
	});
	expect((await statsOf(id)).compositor.lease).toBe("running");
	await evictDurableObject(broadcastOf(id));
	await broadcastOf(id).programChanged({ source: "host" });
	await runner.toldToRelease(leaseId);
	await leaseIs(id, "none");
	await call("POST", `/api/broadcasts/${id}/end`);
	expect(await shown(id)).toMatchObject({ status: "ended", endReason: "ended by the admin" });
	runner.close();
});

test("a compositor whose frames stop is replaced at once by another runner's, though broadcast and pool were evicted", async () => {
	const { id } = await goLive({ alwaysCompose: true });
	const failing = await RunnerPeer.connect("runner-failing", 2);
	const { leaseId } = await failing.assigned(id);
	failing.heartbeat(leaseId, 1);
	await leaseIs(id, "running");
	await broadcastOf(id).streamChanged({ stream: "composite/main", state: "live", fence: 1 });
	const other = await RunnerPeer.connect("runner-other", 1);
	await until("two runners", async () => ((await pool().stats()).runners >= 2 ? true : undefined));
	await evictDurableObject(broadcastOf(id));
	await evictDurableObject(pool());
	await broadcastOf(id).streamChanged({ stream: "composite/main", state: "idle", fence: 1 });
	expect((await other.assigned(id)).fence).toBe(2);
	await failing.toldToRelease(leaseId);
	await call("POST", `/api/broadcasts/${id}/end`);
	failing.close();
	other.close();
});

test("a broadcast that everyone has left is ended by its alarm, with all that hangs on it", async () => {
	const { id, tokens } = await goLive({ destinations: [CLOSED_PORT] });
	const host = await openSocket(`/api/broadcasts/${id}/control`, { token: tokens.host });
	await broadcastOf(id).streamChanged({ stream: "host", state: "live" });
	await broadcastOf(id).streamChanged({ stream: "host", state: "idle" });
	await ringAfter(id, HOLD_MS - 1);
	expect((await shown(id)).status).toBe("live");
	await ringAfter(id, 1);
	expect(await shown(id)).toMatchObject({ status: "ended", endReason: "nobody came back for 120 s" });
	expect((await statsOf(id)).destinations).toMatchObject([{ state: "stopped" }]);
	await host.closing();
	const row = await env.INDEX.prepare("SELECT status FROM broadcasts WHERE id = ?").bind(id).first();
	expect(row).toEqual({ status: "ended" });
});

test("a hold that is over ends the broadcast", async () => {
	const { id } = await goLive({ holdSeconds: 5 });
	await broadcastOf(id).streamChanged({ stream: "host", state: "live" });
	await broadcastOf(id).holdExpired();
	expect(await shown(id)).toMatchObject({ status: "ended", endReason: "nothing came for 5 s" });
});

test("a Router that is replaced is told what it is to do, and the broadcast goes on", async () => {
	const { id } = await goLive({ alwaysCompose: true, destinations: [CLOSED_PORT] });
	const runner = await RunnerPeer.connect("runner-restart", 1);
	const { leaseId } = await runner.assigned(id);
	await replaceObject(env.ROUTER.getByName(id) as unknown as DurableObjectStub);
	await broadcastOf(id).routerRestarted();
	expect((await statsOf(id)).compositor).toMatchObject({ lease: "assigned", fence: 1 });
	expect((await statsOf(id)).unanswered).toEqual([]);
	await call("POST", `/api/broadcasts/${id}/end`);
	await runner.toldToRelease(leaseId);
	runner.close();
});

test("ends, and shows its figures, though the Router does not answer", async () => {
	const { id } = await goLive({ destinations: [CLOSED_PORT] });
	const stub = env.ROUTER.getByName(id) as unknown as DurableObjectStub<Router>;
	// Only what its class has can be called from outside.
	const methods = await runInDurableObject(stub, (router) => Object.getPrototypeOf(router) as Router);
	const { end, stats } = methods;
	// Longer than anyone waits for it. What never ends at all is ended by the runtime at a moment of its own.
	const never = async (): Promise<never> => {
		await scheduler.wait(15_000);
		throw new Error("test: it did not answer");
	};
	Object.assign(methods, { end: never, stats: never });
	try {
		const figures = await statsOf(id);
		expect(figures.unanswered).toEqual(["router"]);
		expect(figures).not.toHaveProperty("program");
		expect(figures.destinations).toMatchObject([{ egress: { state: expect.any(String) } }]);
		const ended = await call("POST", `/api/broadcasts/${id}/end`);
		expect(ended.status).toBe(200);
		expect(await ended.json()).toMatchObject({ status: "ended" });
		expect((await statsOf(id)).destinations).toMatchObject([{ state: "stopped" }]);
	} finally {
		Object.assign(methods, { end, stats });
	}
	// However often it was tried meanwhile: longer than any back-off.
	await ringAfter(id, 60_000);
	expect((await statsOf(id)).unanswered).toEqual([]);
	const refused = await env.ROUTER.getByName(id).fetch("http://object/publish?stream=host", {
		headers: { Upgrade: "websocket" },
	});
	const socket = refused.webSocket;
	socket?.accept();
	const closing = await new Promise<CloseEvent>((resolve) => socket?.addEventListener("close", resolve));
	expect(closing.code).toBe(4410);
});
