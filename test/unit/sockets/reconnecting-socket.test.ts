import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
	ReconnectingSocket,
	type SilenceWatch,
	type SocketEvents,
	socketUrl,
} from "../../../sockets/reconnecting-socket.ts";
import { CLOSE, type CloseKind } from "../../../worker/protocol/close-codes.ts";
import { FakeWebSocket } from "./fake-web-socket.ts";

const URL = "ws://localhost/api";
/** No wait for a retry is longer. */
const CAP_MS = 5_000;

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal("WebSocket", FakeWebSocket);
	FakeWebSocket.made = [];
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

function open(watch?: SilenceWatch): { socket: ReconnectingSocket; said: string[] } {
	const said: string[] = [];
	const events: SocketEvents = {
		onOpen: () => said.push("open"),
		onMessage: (data) => said.push(`message ${typeof data === "string" ? data : data.byteLength}`),
		onBroken: (reason) => said.push(`broken: ${reason}`),
		onRefused: (code, reason) => said.push(`refused: ${code} ${reason}`),
	};
	const socket = new ReconnectingSocket(URL, "a.b.c", events, watch);
	return { socket, said };
}

const { latest } = FakeWebSocket;

/** How long until the next attempt, by 10 ms. */
function waitForNextAttempt(): number {
	const before = FakeWebSocket.made.length;
	for (let waitedMs = 10; waitedMs <= CAP_MS; waitedMs += 10) {
		vi.advanceTimersByTime(10);
		if (FakeWebSocket.made.length > before) {
			return waitedMs;
		}
	}
	return Number.POSITIVE_INFINITY;
}

describe("ReconnectingSocket", () => {
	test("brings its token as a subprotocol beside the one both ends speak, and takes binary messages as bytes", () => {
		const { said, socket } = open();
		expect(latest()).toMatchObject({ url: URL, protocols: ["tandem", "bearer.a.b.c"], binaryType: "arraybuffer" });
		expect(socket.open).toBeUndefined();
		latest().accept();
		expect(socket.open).toBe(latest());
		latest().onmessage?.({ data: new ArrayBuffer(3) });
		latest().onmessage?.({ data: "text" });
		expect(said).toEqual(["open", "message 3", "message text"]);
	});

	test("tries again and again after a line that breaks, waiting longer each time up to 5 s", () => {
		const { said } = open();
		for (const longestMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]) {
			latest().end(1006);
			const waitedMs = waitForNextAttempt();
			expect(waitedMs).toBeGreaterThanOrEqual(longestMs / 2);
			expect(waitedMs).toBeLessThanOrEqual(longestMs + 10);
		}
		expect(said).toEqual(Array.from({ length: 8 }, () => "broken: code 1006"));
	});

	test("starts again at the shortest wait only after a connection that lasted", () => {
		open();
		for (let attempt = 0; attempt < 5; attempt += 1) {
			latest().accept();
			latest().end(1006);
			vi.advanceTimersByTime(CAP_MS);
		}
		latest().accept();
		vi.advanceTimersByTime(4_900);
		latest().end(1006);
		expect(waitForNextAttempt()).toBeGreaterThanOrEqual(2_500);
		latest().accept();
		vi.advanceTimersByTime(5_001);
		latest().end(1012, "restart");
		expect(waitForNextAttempt()).toBeLessThanOrEqual(210);
	});

	test.each(Object.entries(CLOSE).map(([kind, { code, retry }]) => ({ kind: kind as CloseKind, code, retry })))(
		"after $kind ($code) tries again: $retry",
		({ kind, code, retry }) => {
			const { said } = open();
			latest().accept();
			latest().end(code, kind);
			vi.advanceTimersByTime(CAP_MS);
			expect(FakeWebSocket.made).toHaveLength(retry ? 2 : 1);
			expect(said).toEqual(["open", retry ? `broken: ${kind}` : `refused: ${code} ${kind}`]);
		},
	);

	test("gives up an attempt that comes to nothing, and hears no more of it", () => {
		const { said } = open();
		const first = latest();
		vi.advanceTimersByTime(5_999);
		expect(said).toEqual([]);
		vi.advanceTimersByTime(1);
		expect(said).toEqual(["broken: expected a connection within 6 s, got none"]);
		expect(first.closedWith).toHaveLength(1);
		expect(waitForNextAttempt()).toBeLessThanOrEqual(210);
		first.accept();
		first.end(CLOSE.ended.code);
		latest().accept();
		vi.advanceTimersByTime(60_000);
		expect(said.slice(1)).toEqual(["open"]);
	});

	test("asks at every interval, and makes another connection when nothing is heard for long enough", () => {
		const { said, socket } = open({ ping: "are you there?", everyMs: 2_000, brokenAfterMs: 6_000 });
		const first = latest();
		vi.advanceTimersByTime(3_000);
		expect(first.sent).toEqual([]);
		first.accept();
		for (let answered = 0; answered < 10; answered += 1) {
			vi.advanceTimersByTime(2_000);
			first.say("yes");
		}
		expect(first.sent).toEqual(Array.from({ length: 10 }, () => "are you there?"));
		vi.advanceTimersByTime(5_999);
		expect(said.filter((each) => each.startsWith("broken"))).toEqual([]);
		vi.advanceTimersByTime(1);
		expect(said.at(-1)).toBe("broken: expected a word within 6 s, got none");
		expect(first.closedWith).toEqual([[CLOSE.stalled.code, "expected a word within 6 s, got none"]]);
		expect(socket.open).toBeUndefined();
		expect(waitForNextAttempt()).toBeLessThanOrEqual(210);
		first.say("late");
		first.end(CLOSE.ended.code);
		expect(said.at(-1)).toBe("broken: expected a word within 6 s, got none");
		latest().accept();
		vi.advanceTimersByTime(2_000);
		expect(latest().sent).toEqual(["are you there?"]);
		expect(first.sent).toHaveLength(12);
	});

	test("makes another connection when told to, once, with back-off, and not once it is over", () => {
		const { said, socket } = open();
		for (const longestMs of [200, 400, 800]) {
			latest().accept();
			socket.reconnect("no use", CLOSE.badMedia.code);
			socket.reconnect("no use", CLOSE.badMedia.code);
			expect(latest().closedWith).toEqual([[CLOSE.badMedia.code, "no use"]]);
			expect(waitForNextAttempt()).toBeGreaterThanOrEqual(longestMs / 2);
		}
		expect(said.filter((each) => each.startsWith("broken"))).toHaveLength(3);
		latest().accept();
		latest().end(CLOSE.takenOver.code);
		socket.reconnect("no use");
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(4);
	});

	test("can be closed by whoever hears that the line broke", () => {
		const socket: ReconnectingSocket = new ReconnectingSocket(URL, "a.b.c", {
			onOpen: () => {},
			onMessage: () => {},
			onBroken: () => socket.close(1000, "done"),
			onRefused: () => {},
		});
		latest().end(1006);
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(1);
	});

	test("does nothing more once closed, whether open, connecting or waiting to try again", () => {
		const { socket, said } = open();
		latest().accept();
		socket.close(1000, "done");
		socket.close(1000, "done");
		latest().end(1006);
		const connecting = open();
		connecting.socket.close(1000, "done");
		latest().end(1006);
		const waiting = open();
		latest().end(1006);
		waiting.socket.close(1000, "done");
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(3);
		expect(said).toEqual(["open"]);
		expect(connecting.said).toEqual([]);
		expect(waiting.said).toEqual(["broken: code 1006"]);
	});
});

describe("socketUrl", () => {
	test.each([
		{ api: "http://127.0.0.1:8787", url: "ws://127.0.0.1:8787/api/x?direction=publish" },
		{ api: "https://tandem.example", url: "wss://tandem.example/api/x?direction=publish" },
		{ api: "https://tandem.example/other/", url: "wss://tandem.example/api/x?direction=publish" },
	])("turns $api into a WebSocket address", ({ api, url }) => {
		expect(socketUrl(api, "/api/x?direction=publish")).toBe(url);
	});
});
