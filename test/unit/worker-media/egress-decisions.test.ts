import { expect, test } from "vitest";
import { AckPacer } from "../../../egress/ack-pacer.ts";
import { type EgressEvent, nextEgressState } from "../../../egress/egress-state.ts";
import { DestinationForbiddenError, failureKind, LineEndedError } from "../../../egress/line-failure.ts";
import {
	CURT_FOR_MS,
	DOUBT_FOR_MS,
	HELD_AFTER_MS,
	MAX_CURT_CLOSES,
	RECONNECT_POLICY,
	ReconnectBackoff,
	SLOW_AFTER_MS,
	SLOW_RECONNECT_POLICY,
	STABLE_AFTER_MS,
} from "../../../egress/reconnect-backoff.ts";
import { RtmpBusyError, RtmpCurtError, RtmpRefusedError } from "../../../rtmp/publisher.ts";
import type { EgressState } from "../../../worker/protocol/egress-status.ts";
import { ACK_EVERY_MS, ACK_EVERY_TAGS } from "../../../worker/protocol/media-socket.ts";

const TRANSITIONS: Record<EgressState, Record<EgressEvent, EgressState>> = {
	connecting: { start: "connecting", published: "live", broken: "retrying", refused: "refused", stop: "stopped" },
	live: { start: "live", published: "live", broken: "retrying", refused: "refused", stop: "stopped" },
	retrying: { start: "retrying", published: "live", broken: "retrying", refused: "refused", stop: "stopped" },
	refused: { start: "connecting", published: "refused", broken: "refused", refused: "refused", stop: "stopped" },
	stopped: { start: "connecting", published: "stopped", broken: "stopped", refused: "stopped", stop: "stopped" },
};

for (const [state, events] of Object.entries(TRANSITIONS)) {
	for (const [event, next] of Object.entries(events)) {
		test(`${state}, ${event} → ${next}`, () => {
			expect(nextEgressState(state as EgressState, event as EgressEvent)).toBe(next);
		});
	}
}

/** Seeded, so that a failure comes again. */
function seededRandom(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
		return state / 2 ** 31;
	};
}

test("waits longer after each failure, within jitter, up to the limit", () => {
	for (let seed = 1; seed <= 100; seed++) {
		const random = seededRandom(seed);
		const backoff = new ReconnectBackoff();
		for (let attempt = 0; attempt < 20; attempt++) {
			const longestMs = Math.min(RECONNECT_POLICY.capMs, RECONNECT_POLICY.firstMs * 2 ** attempt);
			const delayMs = backoff.failed(0, random(), "broken");
			expect(delayMs).toBeGreaterThanOrEqual(longestMs / 2);
			expect(delayMs).toBeLessThanOrEqual(longestMs);
			expect(backoff.attempts).toBe(attempt + 1);
		}
	}
});

test("begins a new series only after a line that held", () => {
	const backoff = new ReconnectBackoff();
	for (let attempt = 0; attempt < 5; attempt++) {
		backoff.failed(0, 0, "broken");
	}
	backoff.live(1_000);
	backoff.failed(1_000 + STABLE_AFTER_MS - 1, 0, "broken");
	expect(backoff.attempts).toBe(6);
	backoff.live(100_000);
	expect(backoff.failed(100_000 + STABLE_AFTER_MS, 0, "broken")).toBe(RECONNECT_POLICY.firstMs / 2);
	expect(backoff.attempts).toBe(1);
});

test("finds a destination that is back within seconds for ten minutes, and is slower after", () => {
	const backoff = new ReconnectBackoff();
	let nowMs = 0;
	const waits: { readonly atMs: number; readonly delayMs: number }[] = [];
	while (nowMs < 2 * SLOW_AFTER_MS) {
		const delayMs = backoff.failed(nowMs, 0.999, "broken") ?? Number.NaN;
		waits.push({ atMs: nowMs, delayMs });
		nowMs += delayMs;
	}
	expect(
		Math.max(...waits.filter(({ atMs }) => atMs < SLOW_AFTER_MS).map(({ delayMs }) => delayMs)),
	).toBeLessThanOrEqual(RECONNECT_POLICY.capMs);
	expect(RECONNECT_POLICY.capMs).toBeLessThanOrEqual(4_000);
	expect(waits.at(-1)?.delayMs).toBeGreaterThan(SLOW_RECONNECT_POLICY.capMs / 2);
});

test("takes curt closes for a refusal only in a row, and from a destination that has held a session only after minutes", () => {
	const backoff = new ReconnectBackoff();
	for (let round = 0; round < 3; round++) {
		for (let close = 1; close < MAX_CURT_CLOSES; close++) {
			expect(backoff.failed(0, 0, "curt")).toBeDefined();
		}
		expect(backoff.failed(0, 0, "broken")).toBeDefined();
	}
	backoff.live(0);
	backoff.failed(HELD_AFTER_MS, 0, "broken");
	for (let close = 0; close < 2 * MAX_CURT_CLOSES; close++) {
		expect(backoff.failed(HELD_AFTER_MS + CURT_FOR_MS, 0, "curt")).toBeDefined();
	}
	expect(backoff.failed(HELD_AFTER_MS + CURT_FOR_MS + 1, 0, "curt")).toBeUndefined();
});

test("means it at the third curt close when no session was ever held", () => {
	const backoff = new ReconnectBackoff();
	const answers = [1, 2, 3].map((second) => {
		backoff.live(second * 1_000);
		return backoff.failed(second * 1_000 + 500, 0, "curt");
	});
	expect(answers.map((answer) => answer === undefined)).toEqual([false, false, true]);
});

test("takes a no that may mean 'already publishing' for one at first, and after a session was held only after minutes", () => {
	expect(new ReconnectBackoff().failed(0, 0, "doubtful")).toBeUndefined();
	const cut = new ReconnectBackoff();
	cut.live(0);
	expect(cut.failed(HELD_AFTER_MS - 1, 0, "doubtful")).toBeUndefined();

	const backoff = new ReconnectBackoff();
	backoff.live(0);
	expect(backoff.hasHeld(HELD_AFTER_MS - 1)).toBe(false);
	expect(backoff.hasHeld(HELD_AFTER_MS)).toBe(true);
	backoff.failed(HELD_AFTER_MS, 0, "broken");
	expect(backoff.failed(HELD_AFTER_MS + DOUBT_FOR_MS, 0, "doubtful")).toBeDefined();
	expect(backoff.failed(HELD_AFTER_MS + DOUBT_FOR_MS + 1, 0, "doubtful")).toBeUndefined();

	const lostObject = new ReconnectBackoff(50_000);
	expect(lostObject.hasHeld(50_000)).toBe(true);
	expect(lostObject.failed(51_000, 0, "doubtful")).toBeDefined();
	expect(lostObject.failed(51_000, 0, "refused")).toBeUndefined();
});

test.each([
	["a server's refusal", new RtmpRefusedError("NetStream.Publish.BadName", "no"), "refused"],
	["a refusal that may mean a busy server", new RtmpRefusedError("NetStream.Publish.BadName", "", true), "doubtful"],
	["a close in place of an answer to publish", new RtmpCurtError("gone"), "curt"],
	["an address that is not allowed", new DestinationForbiddenError("no"), "refused"],
	["a busy server", new RtmpBusyError("NetStream.Publish.BadName", "already publishing"), "broken"],
	["a network error", new Error("ECONNRESET"), "broken"],
	["a broken session", new LineEndedError({ kind: "broken", message: "gone" }), "broken"],
	[
		"a refusal in mid-stream",
		new LineEndedError({ kind: "refused", message: "no", code: "NetStream.Publish.BadName" }),
		"refused",
	],
	[
		"one right after the start that may mean a busy server",
		new LineEndedError({ kind: "refused", message: "no", code: "NetStream.Publish.BadName", mayBeBusy: true }),
		"doubtful",
	],
	[
		"a close right after the start",
		new LineEndedError({ kind: "refused", message: "gone", code: "ClosedAfterStart" }),
		"curt",
	],
] as const)("takes %s for %s", (_name, error, kind) => {
	expect(failureKind(error)).toBe(kind);
});

test("acknowledges after so many tags, and after so long when any waits", () => {
	const pacer = new AckPacer();
	for (let tag = 1; tag < ACK_EVERY_TAGS; tag++) {
		expect(pacer.took(0)).toBeUndefined();
	}
	expect(pacer.took(0)).toEqual({ type: "ack", tags: ACK_EVERY_TAGS });
	expect(pacer.due(1_000)).toBeUndefined();
	expect(pacer.took(1_000)).toBeUndefined();
	expect(pacer.due(999 + ACK_EVERY_MS)).toBeUndefined();
	expect(pacer.due(1_000 + ACK_EVERY_MS)).toEqual({ type: "ack", tags: ACK_EVERY_TAGS + 1 });
	expect(pacer.due(5_000)).toBeUndefined();
});
