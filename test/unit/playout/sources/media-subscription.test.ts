import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FlvFrameWriter } from "../../../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../../../media/flv/tag-writer.ts";
import { MediaSubscription } from "../../../../playout/sources/media-subscription.ts";
import { CLOSE } from "../../../../worker/protocol/close-codes.ts";
import { FakeWebSocket } from "../../sockets/fake-web-socket.ts";

const { latest } = FakeWebSocket;
/** Past the shortest wait for another attempt, and the time until silence is looked for again. */
const SLACK_MS = 750;

beforeEach(() => {
	vi.useFakeTimers();
	vi.stubGlobal("WebSocket", FakeWebSocket);
	FakeWebSocket.made = [];
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

function subscribe(): { subscription: MediaSubscription; said: string[] } {
	const said: string[] = [];
	const subscription = new MediaSubscription({
		...{ apiUrl: "http://127.0.0.1", broadcastId: "b1", token: "a.b.c", stream: "guest", nowUs: () => 0 },
		onFrame: (frame) => said.push(`${frame.track} at ${frame.ptsUs}`),
		onClock: (aheadUs) => said.push(`clock ${aheadUs ?? "unknown"}`),
		onAsleep: () => said.push("asleep"),
		onConnected: (connected) => said.push(connected ? "connected" : "disconnected"),
		onRefused: (reason) => said.push(`refused: ${reason}`),
		onProblem: (reason) => said.push(`problem: ${reason}`),
	});
	return { subscription, said };
}

function tag(ptsUs: number): Uint8Array {
	const frame = { track: "audio", codec: "opus", keyFrame: true, ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) } as const;
	const [first] = new FlvFrameWriter().push(frame).map(flvTagBytes);
	return first ?? new Uint8Array();
}

describe("MediaSubscription", () => {
	test("makes another connection when somebody expected is silent, every 5 s, for as long as it takes", () => {
		const { subscription } = subscribe();
		subscription.setExpected(true);
		for (let connections = 1; connections <= 10; connections += 1) {
			expect(FakeWebSocket.made).toHaveLength(connections);
			latest().accept();
			latest().say(flvHeader());
			vi.advanceTimersByTime(4_900);
			expect(FakeWebSocket.made).toHaveLength(connections);
			vi.advanceTimersByTime(100 + SLACK_MS);
		}
	});

	test("counts silence from the last tag, and from when somebody came to be expected", () => {
		const { subscription, said } = subscribe();
		latest().accept();
		vi.advanceTimersByTime(60_000);
		subscription.setExpected(true);
		vi.advanceTimersByTime(4_900);
		latest().say(tag(7_000));
		vi.advanceTimersByTime(4_900);
		subscription.setExpected(true);
		expect(FakeWebSocket.made).toHaveLength(1);
		vi.advanceTimersByTime(100 + SLACK_MS);
		expect(FakeWebSocket.made).toHaveLength(2);
		expect(said).toEqual(["clock unknown", "connected", "audio at 7000", "disconnected"]);
	});

	test("waits quietly for who is not expected, and does nothing once closed or refused", () => {
		const { subscription } = subscribe();
		subscription.setExpected(true);
		latest().accept();
		subscription.setExpected(false);
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(1);
		subscription.setExpected(true);
		subscription.close();
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(1);
		const refused = subscribe();
		refused.subscription.setExpected(true);
		latest().accept();
		latest().end(CLOSE.ended.code, "the broadcast has ended");
		vi.advanceTimersByTime(60_000);
		expect(FakeWebSocket.made).toHaveLength(2);
		expect(vi.getTimerCount()).toBe(0);
	});

	test("subscribes again after a message that is no tag, ever later the more often it happens", () => {
		const { said } = subscribe();
		for (const longestMs of [200, 400, 800, 1_600]) {
			const connections = FakeWebSocket.made.length;
			latest().accept();
			latest().say(Uint8Array.of(9, 9, 9, 9));
			expect(latest().closedWith.map(([code]) => code)).toEqual([CLOSE.badMedia.code]);
			vi.advanceTimersByTime(longestMs / 2 - 10);
			expect(FakeWebSocket.made).toHaveLength(connections);
			vi.advanceTimersByTime(longestMs / 2 + 10);
			expect(FakeWebSocket.made).toHaveLength(connections + 1);
		}
		latest().accept();
		latest().say(tag(1_000));
		expect(said.filter((each) => each.startsWith("problem"))).toHaveLength(4);
		expect(said.slice(-2)).toEqual(["connected", "audio at 1000"]);
		expect(said.slice(1, 4)).toEqual(["connected", expect.stringMatching(/^problem: .*expected/), "disconnected"]);
	});

	test("takes no silence for a broken line while the publisher rests, until the next tag", () => {
		const { subscription, said } = subscribe();
		subscription.setExpected(true);
		latest().accept();
		latest().say(tag(1_000));
		latest().say(JSON.stringify({ type: "asleep" }));
		vi.advanceTimersByTime(600_000);
		expect(FakeWebSocket.made).toHaveLength(1);
		latest().say(tag(2_000));
		vi.advanceTimersByTime(5_000 + SLACK_MS);
		expect(FakeWebSocket.made).toHaveLength(2);
		expect(said.slice(0, 5)).toEqual(["clock unknown", "connected", "audio at 1000", "asleep", "audio at 2000"]);
	});

	test("says how far the sender's clock is ahead of the stream's time ahead of the frame it holds for, across the wrap of that", () => {
		const { said } = subscribe();
		latest().accept();
		latest().say(JSON.stringify({ type: "clock", tagMs: 2 ** 32 - 20, captureMs: 1_700_000_000_000.25 }));
		latest().say(tag((2 ** 32 - 20) * 1_000));
		latest().say(tag(0));
		latest().say(JSON.stringify({ type: "clock", tagMs: 10, captureMs: 1_700_000_000_036 }));
		latest().say(tag(10_000));
		latest().say(JSON.stringify({ type: "weather", rain: true }));
		latest().say("no JSON");
		latest().say(JSON.stringify({ type: "clock", tagMs: 20, captureMs: 1_700_000_000_046 }));
		latest().say(JSON.stringify({ type: "clock-unknown" }));
		latest().say(tag(20_000));
		const wrapUs = 2 ** 32 * 1_000;
		expect(said).toEqual([
			...["clock unknown", "connected"],
			...[`clock ${1_700_000_000_000_250 - wrapUs + 20_000}`, `audio at ${wrapUs - 20_000}`, `audio at ${wrapUs}`],
			...[`clock ${1_700_000_000_036_000 - wrapUs - 10_000}`, `audio at ${wrapUs + 10_000}`],
			...["clock unknown", `audio at ${wrapUs + 20_000}`],
		]);
	});
});
