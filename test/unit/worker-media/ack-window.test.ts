import { expect, test } from "vitest";
import { AckWindow } from "../../../worker/router/ack-window.ts";

test("has no lag before anything is sent and after everything is acknowledged", () => {
	const window = new AckWindow();
	expect(window.lagMs(1_000)).toBe(0);
	window.sent(10, 1_000);
	expect(window.lagMs(1_500)).toBe(500);
	expect(window.acknowledge(1, 1_600)).toBe(true);
	expect(window.lagMs(2_000)).toBe(0);
	expect(window.unacknowledgedBytes).toBe(0);
});

test("measures lag from the oldest tag that is not acknowledged", () => {
	const window = new AckWindow();
	for (let tag = 0; tag < 2_000; tag++) {
		window.sent(3, tag);
	}
	window.acknowledge(1_500, 2_000);
	expect(window.lagMs(2_000)).toBe(500);
	expect(window.unacknowledgedBytes).toBe(1_500);
	expect(window.tagsSent).toBe(2_000);
});

test("takes no acknowledgement of what was not sent, and ignores an older one", () => {
	const window = new AckWindow();
	window.sent(1, 0);
	window.sent(1, 0);
	expect(window.acknowledge(3, 1)).toBe(false);
	expect(window.acknowledge(2, 1)).toBe(true);
	expect(window.acknowledge(1, 2)).toBe(true);
	expect(window.unacknowledgedBytes).toBe(0);
});

test("counts silence only while something waits, and from the last progress", () => {
	const window = new AckWindow();
	window.sent(1, 10_000);
	expect(window.silenceMs(15_000)).toBe(5_000);
	window.sent(1, 15_000);
	window.acknowledge(1, 16_000);
	expect(window.silenceMs(20_000)).toBe(4_000);
	window.acknowledge(1, 21_000);
	expect(window.silenceMs(22_000)).toBe(6_000);
	window.acknowledge(2, 23_000);
	expect(window.silenceMs(90_000)).toBe(0);
	window.sent(1, 100_000);
	expect(window.silenceMs(100_001)).toBe(1);
});
