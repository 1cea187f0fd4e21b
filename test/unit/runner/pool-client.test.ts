import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PoolClient } from "../../../runner/pool/pool-client.ts";
import type { PoolMessage } from "../../../worker/protocol/pool-messages.ts";
import { type FakeEdge, startFakeEdge } from "./fake-edge.ts";

const EVENTUALLY = { timeout: 15_000, interval: 10 };
const TOKEN = "runner-secret";
const ASSIGN = { type: "assign", leaseId: "l1", broadcastId: "b", fence: 1, token: "compositor-secret" };

let edge: FakeEdge;
let client: PoolClient;
let leases: string[];
const taken: PoolMessage[] = [];
const refusals: string[] = [];
const connections: boolean[] = [];
const lines: string[] = [];

beforeEach(async () => {
	for (const list of [taken, refusals, connections, lines]) {
		list.length = 0;
	}
	leases = [];
	edge = await startFakeEdge();
	client = new PoolClient({
		apiUrl: edge.apiUrl,
		runnerToken: TOKEN,
		hello: () => ({ type: "hello", runnerId: "r", capacity: 2, leaseIds: leases, egressPlaces: 0, egressJobs: [] }),
		heartbeat: () => ({
			type: "heartbeat",
			leases: leases.map((leaseId) => ({ leaseId, state: "running", programFrames: 7 })),
		}),
		onMessage: (message) => taken.push(message),
		onConnected: (again) => connections.push(again),
		onRefused: (reason) => refusals.push(reason),
		log: (line) => lines.push(line),
		retry: { firstMs: 5, capMs: 20 },
	});
});

afterEach(async () => {
	await client.close();
	await edge.close();
});

function sent(): unknown[] {
	return edge.texts.map((text) => JSON.parse(text));
}

describe("the runner's line to the pool", () => {
	it("says hello with its token as bearer, then a heartbeat every second", async () => {
		client.start();
		await vi.waitFor(() => expect(sent()).toHaveLength(2), EVENTUALLY);
		expect(edge.requests[0]?.url).toBe("/api/runners/connect");
		expect(edge.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
		expect(sent()).toEqual([
			{ type: "hello", runnerId: "r", capacity: 2, leaseIds: [], egressPlaces: 0, egressJobs: [] },
			{ type: "heartbeat", leases: [] },
		]);
	});

	it("passes on assignments and releases, and nothing that is neither", async () => {
		client.start();
		await vi.waitFor(() => expect(edge.sockets).toHaveLength(1), EVENTUALLY);
		for (const text of ["garbage compositor-secret", JSON.stringify({ type: "dance" }), JSON.stringify(ASSIGN)]) {
			edge.sockets[0]?.send(text);
		}
		edge.sockets[0]?.send(JSON.stringify({ type: "release", leaseId: "l1" }));
		await vi.waitFor(() => expect(taken).toEqual([ASSIGN, { type: "release", leaseId: "l1" }]), EVENTUALLY);
		expect(lines.filter((line) => line.startsWith("expected a message of the pool"))).toHaveLength(2);
		expect(lines.join()).not.toContain("secret");
	});

	it("comes back after a break and says which leases it still holds", async () => {
		client.start();
		await vi.waitFor(() => expect(connections).toEqual([false]), EVENTUALLY);
		leases = ["l1"];
		edge.sockets[0]?.terminate();
		await vi.waitFor(() => expect(connections).toEqual([false, true]), EVENTUALLY);
		await vi.waitFor(
			() =>
				expect(sent()).toContainEqual({
					type: "hello",
					runnerId: "r",
					capacity: 2,
					leaseIds: ["l1"],
					egressPlaces: 0,
					egressJobs: [],
				}),
			EVENTUALLY,
		);
	});

	it("keeps trying while the Worker cannot be reached", async () => {
		edge.refuseWith = { status: 503, body: "" };
		client.start();
		await vi.waitFor(() => expect(edge.requests.length).toBeGreaterThan(2), EVENTUALLY);
		edge.refuseWith = undefined;
		await vi.waitFor(() => expect(connections).toEqual([false]), EVENTUALLY);
		expect(refusals).toEqual([]);
	});

	it("takes a refused token for final", async () => {
		edge.refuseWith = { status: 401, body: "" };
		client.start();
		await vi.waitFor(
			() => expect(refusals).toEqual(["expected the Worker to take RUNNER_TOKEN, got HTTP 401"]),
			EVENTUALLY,
		);
		await client.close();
		expect(edge.requests).toHaveLength(1);
	});

	it("closes while it is still trying", async () => {
		edge.refuseWith = { status: 503, body: "" };
		client.start();
		await vi.waitFor(() => expect(edge.requests.length).toBeGreaterThan(0), EVENTUALLY);
		await client.close();
		await client.close();
		expect(connections).toEqual([]);
	});
});
