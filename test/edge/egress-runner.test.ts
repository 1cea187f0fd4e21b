import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { seal } from "../../worker/auth/sealing.ts";
import { EGRESS_LOST_AFTER_MS } from "../../worker/pool/egress-book.ts";
import type { EgressJob, EgressJobName, EgressJobReport } from "../../worker/protocol/egress-jobs.ts";
import type { EgressState } from "../../worker/protocol/egress-status.ts";
import type { EgressConfig } from "../../worker/protocol/object-rpc.ts";
import { create, env, type JsonSocket, openSocket, roleToken, until, worker } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { replaceObject } from "./replace-object.ts";

const RUNNER_TOKEN = "test-runner-token";
const KEY = "s3cret-key";
const URL_OPEN = "rtmp://live.example/app";

freezeClock();

const pool = () => env.COMPOSITOR_POOL.getByName("default");

let runnerCount = 0;

/** A runner that publishes nothing, and says what a test tells it to. */
class Publisher {
	readonly socket: JsonSocket;
	readonly runnerId: string;

	private constructor(socket: JsonSocket, runnerId: string) {
		this.socket = socket;
		this.runnerId = runnerId;
	}

	static async connect(runnerId = `publisher-${++runnerCount}`, egressJobs: EgressJobName[] = []): Promise<Publisher> {
		const socket = await openSocket("/api/runners/connect", { token: RUNNER_TOKEN });
		socket.send({ type: "hello", runnerId, capacity: 0, leaseIds: [], egressPlaces: 16, egressJobs });
		return new Publisher(socket, runnerId);
	}

	async started(jobId: string): Promise<EgressJob> {
		const { job } = await this.socket.take("egress-start", (message) => (message.job as EgressJob).jobId === jobId);
		return job as EgressJob;
	}

	async told(jobId: string): Promise<{ fence: number; final: boolean }> {
		const told = await this.socket.take("egress-stop", (message) => message.jobId === jobId);
		return told as unknown as { fence: number; final: boolean };
	}

	/** Whether it has been given a job that it has not been asked about here. */
	get hasMore(): boolean {
		return this.socket.messages.some(({ type }) => type === "egress-start");
	}

	says({ jobId, fence }: EgressJobName, state: EgressState, more: Partial<EgressJobReport> = {}): void {
		const status = { state, bytes: 1_000 * fence, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 0 };
		this.socket.send({ type: "egress-status", jobId, fence, report: { status, held: true, ...more } });
	}

	heartbeat(): void {
		this.socket.send({ type: "heartbeat", leases: [] });
	}

	close(): void {
		this.socket.socket.close(1000);
	}
}

/** A destination that is published to from a runner, and its Egress. */
async function destination() {
	const { id } = await create();
	const config: EgressConfig = {
		broadcastId: id,
		destinationId: "d",
		stream: "program/main",
		sealedAddress: await seal(JSON.stringify({ url: URL_OPEN, streamKey: KEY }), env, `destination:${id}`),
		via: "runner",
		...{ width: 1280, height: 720, frameRate: 30, videoBitrateBps: 3_000_000, audioBitrateBps: 128_000 },
	};
	const jobId = `${id}/d`;
	const stub = () => env.EGRESS.getByName(jobId);
	const stateIs = (state: EgressState) =>
		until(`the egress ${state}`, async () => ((await stub().status()).state === state ? true : undefined));
	return { id, config, jobId, stub, stateIs };
}

/** Lets the runners' time to come back pass, so that the next test has a pool of its own. */
async function retire(...publishers: Publisher[]): Promise<void> {
	const before = (await pool().stats()).runners;
	for (const publisher of publishers) {
		publisher.close();
	}
	await until("the runners gone", async () =>
		(await pool().stats()).runners === before - publishers.length ? true : undefined,
	);
	advanceClock(EGRESS_LOST_AFTER_MS);
	await runDurableObjectAlarm(pool());
}

async function stored(stub: DurableObjectStub): Promise<string> {
	return await runInDurableObject(stub, async (_, { storage }) =>
		JSON.stringify([...(await storage.list()).entries()]),
	);
}

const plain = (stub: unknown) => stub as DurableObjectStub;

async function subscribes(id: string, stream: string, token: string): Promise<number> {
	const url = `http://tandem.example/api/broadcasts/${id}/media/${stream}?direction=subscribe&ack=1`;
	const headers = { Upgrade: "websocket", Authorization: `Bearer ${token}` };
	const response = await worker().fetch(url, { headers });
	response.webSocket?.accept();
	response.webSocket?.close(1000);
	return response.status;
}

test("waits for a runner, then hands it the address and a token that opens the program and nothing else", async () => {
	const { id, config, jobId, stub, stateIs } = await destination();
	await stub().start(config);
	await stateIs("retrying");
	expect((await stub().status()).lastError).toContain("expected a runner");
	const publisher = await Publisher.connect();
	const job = await publisher.started(jobId);
	expect(job).toMatchObject({ fence: 1, work: "publish", target: { url: URL_OPEN, streamKey: KEY, width: 1280 } });
	expect(await subscribes(id, "program/main", job.token)).toBe(101);
	expect(await subscribes(id, "host", job.token)).toBe(403);
	publisher.says(job, "live");
	await stateIs("live");
	for (const object of [plain(pool()), plain(stub())]) {
		const text = await stored(object);
		expect(text).toContain(jobId.split("/")[0]);
		expect(text).not.toContain(KEY);
		expect(text).not.toContain("live.example");
		expect(text).not.toContain(job.token);
	}
	const stopping = stub().stop("test");
	expect(await publisher.told(jobId)).toMatchObject({ fence: 1, final: true });
	publisher.says(job, "stopped");
	await stopping;
	expect((await stub().status()).state).toBe("stopped");
	await retire(publisher);
});

test("a runner's subscription outlives the links of all viewers", async () => {
	const { id, config, jobId, stub } = await destination();
	const publisher = await Publisher.connect();
	await stub().start(config);
	const { token } = await publisher.started(jobId);
	const url = `/api/broadcasts/${id}/media/program/main?direction=subscribe&ack=1`;
	const program = await openSocket(url, { token });
	const viewer = await openSocket(url, { token: await roleToken(id, "viewer") });
	await env.BROADCAST.getByName(id).command({ type: "renew-viewers" }, { actor: "admin" });
	await viewer.closing();
	expect(program.closed).toBeUndefined();
	expect(await subscribes(id, "program/main", token)).toBe(101);
	expect(await subscribes(id, "program/main", await roleToken(id, "viewer"))).toBe(401);
	program.socket.close(1000);
	const stopping = stub().stop("test");
	publisher.says({ jobId, fence: 1 }, "stopped");
	await stopping;
	await retire(publisher);
});

test("gives the job to another when its runner has been gone for 12 s, under a higher fence, and not before", async () => {
	const { config, jobId, stub, stateIs } = await destination();
	const first = await Publisher.connect();
	await stub().start(config);
	const job = await first.started(jobId);
	first.says(job, "live", { timeMs: 40_000 });
	await stateIs("live");
	const second = await Publisher.connect();
	first.close();
	await until("one runner", async () => ((await pool().stats()).runners === 1 ? true : undefined));
	advanceClock(EGRESS_LOST_AFTER_MS - 1_000);
	second.heartbeat();
	await runDurableObjectAlarm(pool());
	await stub().resume();
	expect(second.hasMore).toBe(false);
	advanceClock(1_000);
	second.heartbeat();
	await runDurableObjectAlarm(pool());
	const again = await second.started(jobId);
	expect(again).toMatchObject({ fence: 2, carryOver: { held: true, bytes: 1_000 } });
	expect(again.carryOver?.firstMs).toBeGreaterThanOrEqual(40_000 + EGRESS_LOST_AFTER_MS);
	const back = await Publisher.connect(first.runnerId, [{ jobId, fence: 1 }]);
	expect(await back.told(jobId)).toMatchObject({ fence: 1, final: false });
	second.says(again, "live");
	await stateIs("live");
	back.says(job, "retrying");
	expect(await back.told(jobId)).toMatchObject({ fence: 1 });
	expect((await stub().status()).state).toBe("live");
	const stopping = stub().stop("test");
	await second.told(jobId);
	second.says(again, "stopped");
	await stopping;
	await retire(second, back);
});

test("an Egress that was lost goes on with the runner it has, and a pool that slept knows it still", async () => {
	const { config, jobId, stub, stateIs } = await destination();
	const publisher = await Publisher.connect();
	await stub().start(config);
	const job = await publisher.started(jobId);
	publisher.says(job, "live");
	await stateIs("live");
	await evictDurableObject(pool());
	await replaceObject(plain(stub()));
	await stub().resume();
	expect(await publisher.started(jobId), "the same job, a new token").toMatchObject({ fence: 1 });
	publisher.says(job, "live");
	await stateIs("live");
	publisher.says(job, "refused");
	await stateIs("refused");
	await stub().stop("test");
	await retire(publisher);
});

test("a runner that gives a job up is followed by another at once", async () => {
	const { config, jobId, stub, stateIs } = await destination();
	const publisher = await Publisher.connect();
	await stub().start(config);
	const job = await publisher.started(jobId);
	publisher.socket.send({ type: "egress-lost", jobId, fence: job.fence, reason: "runner stops" });
	const again = await publisher.started(jobId);
	expect(again.fence).toBe(2);
	publisher.says(again, "live");
	await stateIs("live");
	publisher.says(again, "stopped");
	await stateIs("stopped");
	await retire(publisher);
});

test("a test of the destination is made by a runner, and says so when there is none", async () => {
	const { id, config } = await destination();
	const bench = env.EGRESS.getByName(`${id}/test-d`);
	expect(await bench.testDestination(config)).toMatchObject({
		ok: false,
		error: expect.stringContaining("expected a runner"),
	});
	const publisher = await Publisher.connect();
	await until("the runner", async () => ((await pool().stats()).runners === 1 ? true : undefined));
	const testing = bench.testDestination(config);
	const job = await publisher.started(`${id}/test-d`);
	expect(job).toMatchObject({ work: "test", target: { streamKey: KEY } });
	const report = { ok: true, steps: [{ step: "dial", ms: 3 }], bytes: 12 };
	publisher.socket.send({ type: "egress-tested", jobId: job.jobId, fence: job.fence, report });
	expect(await testing).toEqual(report);
	expect(await stored(plain(bench))).toBe("[]");
	await retire(publisher);
});
