import { once } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { keepAlive } from "../../../runner/socket-keep-alive.ts";
import { type FakeEdge, startFakeEdge } from "./fake-edge.ts";

const PACE = { pingEveryMs: 10, pongWithinMs: 100 };
const EVENTUALLY = { timeout: 20_000, interval: 10 };

let edge: FakeEdge;
let socket: WebSocket;
let closed: Promise<unknown>;

beforeEach(async () => {
	edge = await startFakeEdge();
	socket = new WebSocket(edge.apiUrl.replace("http", "ws"));
	await once(socket, "open");
	closed = once(socket, "close");
});

afterEach(async () => {
	vi.restoreAllMocks();
	socket.terminate();
	await edge.close();
});

it("ends a line on which no pong comes back, though nobody has closed it", async () => {
	edge.answersPings = false;
	const stop = keepAlive(socket, PACE);
	await closed;
	stop();
});

it("leaves a line alone that answers, and one that is no longer watched", async () => {
	let pongs = 0;
	socket.on("pong", () => pongs++);
	const stop = keepAlive(socket, PACE);
	await vi.waitFor(() => expect(pongs).toBeGreaterThan(30), EVENTUALLY);
	stop();
	expect(socket.readyState).toBe(WebSocket.OPEN);
	const before = pongs;
	await new Promise((resolve) => setTimeout(resolve, 5 * PACE.pingEveryMs));
	expect(pongs).toBeLessThanOrEqual(before + 1);
});

it("does not take its own standing still for the line's", async () => {
	let aheadMs = 0;
	const real = performance.now.bind(performance);
	vi.spyOn(performance, "now").mockImplementation(() => real() + aheadMs);
	let pongs = 0;
	socket.on("pong", () => pongs++);
	const stop = keepAlive(socket, PACE);
	await vi.waitFor(() => expect(pongs).toBeGreaterThan(2), EVENTUALLY);
	aheadMs = 60_000;
	const before = pongs;
	await vi.waitFor(() => expect(pongs).toBeGreaterThan(before + 5), EVENTUALLY);
	expect(socket.readyState).toBe(WebSocket.OPEN);
	stop();
});
