import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ControlClient } from "../../../../compositor-page/control/control-client.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";
import { CONTROL_PING_TEXT, CONTROL_PONG_TEXT } from "../../../../worker/protocol/control-messages.ts";
import { FakeWebSocket } from "../../sockets/fake-web-socket.ts";

const { latest } = FakeWebSocket;

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal("WebSocket", FakeWebSocket);
	FakeWebSocket.made = [];
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

function open(): { said: string[] } {
	const said: string[] = [];
	new ControlClient({
		...{ apiUrl: "http://127.0.0.1", broadcastId: "b1", token: "a.b.c" },
		onScene: () => said.push("scene"),
		onCall: () => {},
		onSignal: () => {},
		onOpen: () => {},
		onRefused: (reason) => said.push(`refused: ${reason}`),
		onProblem: (reason) => said.push(`problem: ${reason}`),
	});
	return { said };
}

test("asks with the very text that the edge answers without waking its object", () => {
	const { said } = open();
	latest().accept();
	for (let seconds = 0; seconds < 60; seconds += 2) {
		vi.advanceTimersByTime(2_000);
		latest().say(CONTROL_PONG_TEXT);
	}
	expect(latest().sent).toEqual(Array.from({ length: 30 }, () => CONTROL_PING_TEXT));
	expect([FakeWebSocket.made.length, said]).toEqual([1, []]);
});

test("makes another connection after 6 s without a word, and none once it is refused", () => {
	const { said } = open();
	latest().accept();
	vi.advanceTimersByTime(6_500);
	expect(FakeWebSocket.made).toHaveLength(2);
	expect(said).toEqual(["problem: control: connection lost (expected a word within 6 s, got none)"]);
	latest().accept();
	latest().end(CLOSE.takenOver.code, "a newer compositor took over");
	vi.advanceTimersByTime(60_000);
	expect(FakeWebSocket.made).toHaveLength(2);
	expect(said.at(-1)).toBe("refused: a newer compositor took over");
});
