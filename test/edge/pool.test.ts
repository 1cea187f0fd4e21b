import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { CompositorPool } from "../../worker/pool/compositor-pool.ts";
import {
	FRAMES_TIMEOUT_MS,
	RECONNECT_TIMEOUT_MS,
	SILENT_AFTER_MS,
	START_TIMEOUT_MS,
} from "../../worker/pool/lease-records.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { call, create, env, openSocket, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { RunnerPeer } from "./runner-peer.ts";

const RUNNER_TOKEN = "test-runner-token";

const pool = () => env.COMPOSITOR_POOL.getByName("default");

/** A broadcast that does not exist: it gives its lease back once it is told of it, which a lease assigned at once is not. */
let broadcastCount = 0;
const nextBroadcast = () => `pool-test-${++broadcastCount}`;

freezeClock();

/** The pool's alarm, rung when `ms` more have passed. */
async function ringAfter(ms: number): Promise<void> {
	advanceClock(ms);
	await runDurableObjectAlarm(pool());
}

async function runnersAre(count: number): Promise<void> {
	await until(`${count} runners`, async () => ((await pool().stats()).runners === count ? true : undefined));
}

async function standingIs(leaseId: string, standing: string): Promise<void> {
	await until(`lease ${standing}`, async () => ((await pool().standing(leaseId)) === standing ? true : undefined));
}

/** Resolves when all that the runner has sent has been taken: the pool answers a lease that is none of its own. */
async function heard(runner: RunnerPeer): Promise<void> {
	runner.heartbeat("of-another-time", 0);
	await runner.toldToRelease("of-another-time");
}

/** A broadcast that asks for a compositor itself, and asks again when it loses it. */
async function liveBroadcast(): Promise<string> {
	const { id } = await create({ alwaysCompose: true });
	await call("POST", `/api/broadcasts/${id}/start`);
	return id;
}

const end = (broadcastId: string) => call("POST", `/api/broadcasts/${broadcastId}/end`);

/** Closes the runner and lets its places expire, so that the next test has a pool of its own. */
async function retire(runner: RunnerPeer): Promise<void> {
	const before = (await pool().stats()).runners;
	runner.close();
	await runnersAre(before - 1);
	await ringAfter(RECONNECT_TIMEOUT_MS);
}

test("runners add places, leases take them, and health tells of both", async () => {
	const runner = await RunnerPeer.connect("runner-1", 2);
	await runnersAre(1);
	const health = async () => (await call("GET", "/api/health", { token: undefined })).json();
	expect(await health()).toEqual({ status: "ok", ready: true, runners: 1, freePlaces: 2 });
	const broadcastId = nextBroadcast();
	const answer = await pool().acquire({ broadcastId, token: "t", fence: 1 });
	expect(answer.outcome).toBe("assigned");
	expect(await runner.assigned(broadcastId)).toMatchObject({ token: "t", fence: 1 });
	expect(await health()).toMatchObject({ freePlaces: 1 });
	await retire(runner);
	expect(await health()).toEqual({ status: "ok", ready: false, runners: 0, freePlaces: 0 });
});

test("a lease without a first frame is lost after the time to start", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	const broadcastId = nextBroadcast();
	await runnersAre(1);
	await pool().acquire({ broadcastId, token: "t", fence: 1 });
	const { leaseId } = await runner.assigned(broadcastId);
	for (let ms = 0; ms < START_TIMEOUT_MS; ms += 1_000) {
		runner.heartbeat(leaseId, 0);
		await heard(runner);
		await ringAfter(ms === 0 ? 999 : 1_000);
		expect(await pool().standing(leaseId)).toBe("assigned");
	}
	await ringAfter(1);
	expect(await pool().standing(leaseId)).toBe("unknown");
	await runner.toldToRelease(leaseId);
	await retire(runner);
});

test("a running lease lives by new frames, not by heartbeats", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	await runnersAre(1);
	const broadcastId = await liveBroadcast();
	const { leaseId } = await runner.assigned(broadcastId);
	runner.heartbeat(leaseId, 30);
	await standingIs(leaseId, "running");
	runner.heartbeat(leaseId, 30);
	await ringAfter(FRAMES_TIMEOUT_MS - 1);
	expect(await pool().standing(leaseId)).toBe("running");
	await ringAfter(1);
	expect(await pool().standing(leaseId)).toBe("unknown");
	await runner.toldToRelease(leaseId);
	expect((await runner.assigned(broadcastId)).fence).toBe(2);
	await end(broadcastId);
	await retire(runner);
});

test("survives eviction with its leases, its queue and its runners' sockets", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	await runnersAre(1);
	const [held, queued] = [await liveBroadcast(), await liveBroadcast()];
	const { leaseId } = await runner.assigned(held);
	await evictDurableObject(pool());

	expect(await pool().stats()).toEqual({ runners: 1, capacity: 1, freePlaces: 0, leases: 1, waiting: 1 });
	runner.heartbeat(leaseId, 1);
	await standingIs(leaseId, "running");
	await evictDurableObject(pool());
	expect(await pool().standing(leaseId)).toBe("running");
	await end(held);
	await runner.toldToRelease(leaseId);
	expect((await runner.assigned(queued)).fence).toBe(1);
	await end(queued);
	await retire(runner);
});

test("a runner that was cut off while the pool was away loses its leases in time", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	const broadcastId = nextBroadcast();
	await runnersAre(1);
	await pool().acquire({ broadcastId, token: "t", fence: 1 });
	const { leaseId } = await runner.assigned(broadcastId);
	await evictDurableObject(pool(), { webSockets: "close" });
	expect(await pool().stats()).toMatchObject({ runners: 0, leases: 1 });
	await ringAfter(RECONNECT_TIMEOUT_MS);
	expect(await pool().standing(leaseId)).toBe("unknown");
});

test("a runner that reconnects in time keeps its leases", async () => {
	const before = await RunnerPeer.connect("runner-1", 2);
	const [kept, forgotten] = [nextBroadcast(), nextBroadcast()];
	await runnersAre(1);
	await pool().acquire({ broadcastId: kept, token: "t", fence: 1 });
	await pool().acquire({ broadcastId: forgotten, token: "t", fence: 1 });
	const [keptLease, forgottenLease] = [await before.assigned(kept), await before.assigned(forgotten)];
	before.close();
	await runnersAre(0);
	await ringAfter(RECONNECT_TIMEOUT_MS - 1);
	const after = await RunnerPeer.connect("runner-1", 2, [keptLease.leaseId, "of-another-time"]);
	await after.toldToRelease("of-another-time");
	expect(await pool().standing(keptLease.leaseId)).toBe("assigned");
	expect(await pool().standing(forgottenLease.leaseId)).toBe("unknown");
	await ringAfter(RECONNECT_TIMEOUT_MS / 2);
	await heard(after);
	await ringAfter(RECONNECT_TIMEOUT_MS / 2);
	expect(await pool().standing(keptLease.leaseId)).toBe("assigned");
	await pool().release(keptLease.leaseId, "test");
	await retire(after);
});

test("a runner that connects twice is one runner: the older socket is closed", async () => {
	const older = await RunnerPeer.connect("runner-1", 1);
	await runnersAre(1);
	const newer = await RunnerPeer.connect("runner-1", 1);
	expect((await older.socket.closing()).code).toBe(CLOSE.takenOver.code);
	expect(await pool().stats()).toMatchObject({ runners: 1, freePlaces: 1 });
	const broadcastId = nextBroadcast();
	await pool().acquire({ broadcastId, token: "t", fence: 1 });
	const { leaseId } = await newer.assigned(broadcastId);
	await pool().release(leaseId, "test");
	await retire(newer);
});

test("a runner that talks nonsense is closed, and the others do not notice", async () => {
	const good = await RunnerPeer.connect("runner-1", 1);
	await runnersAre(1);
	for (const wrong of [
		"not json",
		{ type: "dance" },
		{ type: "hello", runnerId: "", capacity: 1, leaseIds: [] },
		"x".repeat(65 * 1024),
	]) {
		const socket = await openSocket("/api/runners/connect", { token: RUNNER_TOKEN });
		socket.send(wrong);
		expect((await socket.closing()).code).toBe(CLOSE.badMedia.code);
	}
	const early = await openSocket("/api/runners/connect", { token: RUNNER_TOKEN });
	early.send({ type: "heartbeat", leases: [] });
	expect((await early.closing()).code).toBe(CLOSE.forbidden.code);
	expect(await pool().stats()).toMatchObject({ runners: 1, freePlaces: 1 });
	await retire(good);
});

test("a frozen runner loses its lease to another, gets none while it is silent, and serves again when it is heard", async () => {
	const frozen = await RunnerPeer.connect("runner-1", 2);
	await runnersAre(1);
	const broadcastId = await liveBroadcast();
	const first = await frozen.assigned(broadcastId);
	frozen.heartbeat(first.leaseId, 30);
	await standingIs(first.leaseId, "running");
	const other = await RunnerPeer.connect("runner-2", 1);
	await runnersAre(2);
	await ringAfter(FRAMES_TIMEOUT_MS);
	await heard(other);
	expect((await other.assigned(broadcastId)).fence).toBe(2);
	advanceClock(SILENT_AFTER_MS);
	await heard(other);
	expect(await pool().stats()).toEqual({ runners: 2, capacity: 3, freePlaces: 0, leases: 1, waiting: 0 });
	const queued = nextBroadcast();
	const answer = await pool().acquire({ broadcastId: queued, token: "t", fence: 1 });
	expect(answer.outcome).toBe("waiting");
	await evictDurableObject(pool());
	frozen.heartbeat(first.leaseId, 31);
	await frozen.toldToRelease(first.leaseId);
	await frozen.assigned(queued);
	await end(broadcastId);
	await retire(frozen);
	await retire(other);
});

test("a lease that is starting is not forgotten by a pool that falls asleep over it", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	const broadcastId = nextBroadcast();
	await runnersAre(1);
	const answer = await pool().acquire({ broadcastId, token: "t", fence: 1 });
	const { leaseId } = await runner.assigned(broadcastId);
	expect(answer).toEqual({ outcome: "assigned", leaseId });
	for (let ms = 0; ms < START_TIMEOUT_MS; ms += 2_000) {
		await evictDurableObject(pool());
		await heard(runner);
		expect(await pool().standing(leaseId)).toBe("assigned");
		await ringAfter(2_000);
	}
	expect(await pool().standing(leaseId)).toBe("unknown");
	await retire(runner);
});

test("does not write to storage at each heartbeat", async () => {
	const runner = await RunnerPeer.connect("runner-1", 1);
	await runnersAre(1);
	const broadcastId = await liveBroadcast();
	const { leaseId } = await runner.assigned(broadcastId);
	runner.heartbeat(leaseId, 1);
	await standingIs(leaseId, "running");
	const stub = pool() as unknown as DurableObjectStub<CompositorPool>;
	const stored = () =>
		runInDurableObject(stub, async (_, state) => JSON.stringify([...(await state.storage.list()).values()]));
	const before = await stored();
	for (let frames = 2; frames < 20; frames++) {
		runner.heartbeat(leaseId, frames);
	}
	runner.heartbeat("of-another-time", 1);
	await runner.toldToRelease("of-another-time");
	expect(await stored()).toBe(before);
	await end(broadcastId);
	await retire(runner);
});

test("is not to be reached without an upgrade", async () => {
	await problem(await call("GET", "/api/runners/connect", { token: RUNNER_TOKEN }), 426, "upgrade-required");
});
