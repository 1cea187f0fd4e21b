import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AGREES_WITHIN_MS, DestinationTime } from "../../../egress/destination-time.ts";
import { JoiningBurst, SETTLE_EVERY_MS, SETTLE_WITHIN_MS } from "../../../egress/joining-burst.ts";
import { LiveEdge } from "../../../egress/live-edge.ts";

function edgeAt(routerMs: number, nowMs: number): LiveEdge {
	const edge = new LiveEdge();
	edge.observe(routerMs, nowMs);
	return edge;
}

test("the live edge is where the least delayed tag was, whatever stalls and bursts come", () => {
	const edge = new LiveEdge();
	expect(edge.aheadMs).toBeUndefined();
	edge.observe(0, 1_000);
	edge.observe(40, 1_500);
	edge.observe(600, 1_500);
	expect(edge.aheadMs).toBe(-900);
	edge.observe(640, 5_000);
	// A new window that begins in a stall.
	edge.observe(10_000, 12_000);
	expect(edge.aheadMs).toBe(-900);
});

test("the live edge follows a source whose clock is slow", () => {
	const edge = new LiveEdge();
	for (let nowMs = 0; nowMs <= 8 * 3_600_000; nowMs += 1_000) {
		edge.observe(Math.round(nowMs * (1 - 200e-6)), nowMs);
	}
	const behindMs = 8 * 3_600_000 * 200e-6;
	expect(Math.abs((edge.aheadMs ?? 0) + behindMs)).toBeLessThanOrEqual(5);
});

test("takes an offset that is known for the true one only where the wall clock agrees", () => {
	for (const [offMs, taken] of [
		[AGREES_WITHIN_MS, true],
		[AGREES_WITHIN_MS + 1, false],
	] as const) {
		const time = new DestinationTime({ timeMs: 50_000, atMs: 0 });
		time.join(edgeAt(0, 1_000), [51_000 + offMs]);
		expect(time.offsetMs).toBe(taken ? 51_000 + offMs : 51_000);
	}
});

test("a Router's time that leaps in mid-subscription does not leap at the destination", () => {
	const time = new DestinationTime();
	expect(time.map("video", 5_000, 0)).toBe(0);
	expect(time.map("video", 5_040, 40)).toBe(40);
	expect(time.map("video", 3_600_000, 80)).toBe(80);
	expect(time.map("audio", 3_600_021, 101)).toBe(101);
	expect(time.map("video", 0, 120)).toBe(120);
});

const FRAME_MS = 20;

test("rises strictly on each track, at the wall clock's pace, whatever subscriptions come and go", () => {
	const line = fc.record({
		// Long enough for a group of pictures, a millisecond each.
		awayMs: fc.integer({ min: 500, max: 20_000 }),
		beginsMs: fc.nat(2 ** 31),
		groupMs: fc.nat(8_000),
		liveMs: fc.integer({ min: 100, max: 5_000 }),
	});
	fc.assert(
		fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
			const time = new DestinationTime();
			const last = { audio: -1, video: -1 };
			let nowMs = 0;
			let startMs: number | undefined;
			for (const [index, { awayMs, beginsMs, groupMs, liveMs }] of lines.entries()) {
				nowMs += index === 0 ? 0 : awayMs;
				const edgeMs = beginsMs + groupMs;
				if (index > 0) {
					time.join(edgeAt(edgeMs, nowMs), []);
				}
				for (let ms = beginsMs; ms < edgeMs + liveMs; ms += FRAME_MS) {
					const arrivedMs = nowMs + Math.max(0, ms - edgeMs);
					for (const track of ["video", "audio"] as const) {
						const timeMs = time.map(track, ms, arrivedMs);
						if (timeMs !== undefined) {
							expect(timeMs).toBeGreaterThan(last[track]);
							last[track] = timeMs;
						}
					}
				}
				nowMs += liveMs;
				startMs ??= nowMs - last.video;
				// The first line's group is time before the wall clock's beginning; after it the two keep step.
				expect(Math.abs(last.video + startMs - nowMs)).toBeLessThanOrEqual(FRAME_MS + 1);
				expect(Math.abs(last.audio - last.video)).toBeLessThanOrEqual(FRAME_MS + 1);
			}
		}),
	);
});

function pushed(burst: JoiningBurst, routerMs: number, arrivedMs: number): void {
	burst.push({ track: "video", keyFrame: false, routerMs, body: new Uint8Array(), configs: {}, arrivedMs });
}

test("a burst is over when media comes at the speed of real time, however slowly it was delivered", () => {
	const burst = new JoiningBurst();
	expect(burst.isOver(SETTLE_EVERY_MS)).toBe(false);
	let routerMs = 0;
	for (let nowMs = 0; nowMs < 3 * SETTLE_EVERY_MS; nowMs += 10) {
		pushed(burst, routerMs, nowMs);
		routerMs += 200;
		if (nowMs > 0 && nowMs % SETTLE_EVERY_MS === 0) {
			expect(burst.isOver(nowMs)).toBe(false);
		}
	}
	expect(burst.isOver(3 * SETTLE_EVERY_MS)).toBe(false);
	pushed(burst, routerMs - 160, 3 * SETTLE_EVERY_MS + 40);
	expect(burst.isOver(4 * SETTLE_EVERY_MS)).toBe(true);
	expect(burst.edge.aheadMs).toBe(routerMs - 200 - (3 * SETTLE_EVERY_MS - 10));
});

test("a burst that does not end is not waited for", () => {
	const burst = new JoiningBurst();
	let nowMs = 0;
	for (; nowMs < SETTLE_WITHIN_MS; nowMs += SETTLE_EVERY_MS) {
		pushed(burst, 10 * nowMs, nowMs);
		expect(nowMs > 0 && burst.isOver(nowMs)).toBe(false);
	}
	pushed(burst, 10 * nowMs, nowMs);
	expect(burst.isOver(nowMs)).toBe(true);
});
