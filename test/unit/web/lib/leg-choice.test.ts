import { describe, expect, test } from "vitest";
import { LegChoice, type LegSituation, STREAM_LINGERS_MS } from "../../../../web/lib/legs/leg-choice.ts";
import { RETRY_EVERY_MS } from "../../../../web/lib/peers/line-health.ts";

const COMPOSITOR = { connection: "compositor-1", realTime: true };
const GUEST: LegSituation = {
	isHost: false,
	isAdmitted: true,
	canStream: true,
	canRealTime: true,
	compositor: COMPOSITOR,
	line: undefined,
	isHeardByStream: false,
};
const HOST: LegSituation = { ...GUEST, isHost: true, compositor: undefined };

/** As `uplink stream realTime`. */
function decided(choice: LegChoice, situation: LegSituation, nowMs: number): string {
	const { uplink, stream, realTime, fallback } = choice.decide(situation, nowMs);
	return `${uplink ? "uplink" : "-"} ${stream} ${realTime}${fallback ? " fallback" : ""}`;
}

describe("LegChoice of a host", () => {
	test("publishes a stream that may sleep from the beginning, and real time beside it when there is a compositor", () => {
		const choice = new LegChoice();
		expect(decided(choice, HOST, 0)).toBe("- may-sleep off");
		expect(decided(choice, { ...HOST, compositor: COMPOSITOR }, 1)).toBe("uplink may-sleep connecting");
		expect(decided(choice, { ...HOST, compositor: COMPOSITOR, line: "connected" }, 2)).toBe(
			"uplink may-sleep connected",
		);
		expect(decided(choice, { ...HOST, compositor: COMPOSITOR, line: "lost" }, 3)).toBe(
			"uplink may-sleep unavailable fallback",
		);
		expect(decided(choice, HOST, 4)).toMatch(/^- may-sleep off/);
	});

	test("never sleeps while somebody hears them by the stream", () => {
		expect(decided(new LegChoice(), { ...HOST, isHeardByStream: true }, 0)).toBe("- always off");
	});

	test("has real time alone in a browser that cannot encode a stream", () => {
		const situation = { ...HOST, canStream: false, compositor: COMPOSITOR };
		expect(decided(new LegChoice(), situation, 0)).toBe("uplink off connecting");
	});
});

describe("LegChoice of a guest", () => {
	test("has nothing while they wait to be admitted", () => {
		const waiting = { ...GUEST, isAdmitted: false, compositor: undefined };
		expect(decided(new LegChoice(), waiting, 0)).toBe("- off off");
		expect(decided(new LegChoice(), { ...waiting, canRealTime: false }, 0)).toBe("- off unavailable");
	});

	test("waits for the compositor, has real time, and no stream", () => {
		const choice = new LegChoice();
		expect(decided(choice, { ...GUEST, compositor: undefined }, 0)).toBe("- off waiting");
		expect(decided(choice, GUEST, 1)).toBe("uplink off connecting");
		expect(decided(choice, { ...GUEST, line: "connected" }, 2)).toBe("uplink off connected");
		expect(decided(choice, { ...GUEST, line: "interrupted" }, 3)).toBe("uplink off broken");
	});

	test("publishes a stream while the line is lost, and for a moment after it is back", () => {
		const choice = new LegChoice();
		expect(decided(choice, { ...GUEST, line: "lost" }, 0)).toBe("uplink always unavailable fallback");
		expect(decided(choice, { ...GUEST, line: "connected" }, 10_000)).toBe("uplink always connected fallback");
		expect(choice.nextMs(10_000)).toBe(10_000 + STREAM_LINGERS_MS);
		expect(decided(choice, { ...GUEST, line: "interrupted" }, 11_000)).toBe("uplink always broken fallback");
		expect(decided(choice, { ...GUEST, line: "connected" }, 12_000)).toBe("uplink always connected fallback");
		expect(decided(choice, { ...GUEST, line: "connected" }, 12_000 + STREAM_LINGERS_MS - 1)).toContain("always");
		expect(decided(choice, { ...GUEST, line: "connected" }, 12_000 + STREAM_LINGERS_MS)).toBe("uplink off connected");
		expect(choice.nextMs(20_000)).toBeUndefined();
	});

	test("keeps the stream over a change of compositors until real time works", () => {
		const choice = new LegChoice();
		decided(choice, { ...GUEST, line: "lost" }, 0);
		expect(decided(choice, { ...GUEST, compositor: undefined }, 1)).toBe("- always waiting fallback");
		expect(decided(choice, { ...GUEST, compositor: { connection: "compositor-2", realTime: true } }, 2)).toBe(
			"uplink always connecting fallback",
		);
	});

	test.each([
		["a while", (choice: LegChoice) => choice, COMPOSITOR, RETRY_EVERY_MS],
		["a change of network", (choice: LegChoice) => choice.networkChanged(), COMPOSITOR, 1_000],
		["another compositor", () => {}, { connection: "compositor-2", realTime: true }, 1_000],
	])("refused, streams and tries again after %s", (_, happens, compositor, afterMs) => {
		const choice = new LegChoice();
		decided(choice, GUEST, 0);
		choice.refused(100);
		expect(decided(choice, GUEST, 100)).toBe("- always unavailable fallback");
		expect(choice.nextMs(100)).toBe(100 + RETRY_EVERY_MS);
		expect(decided(choice, GUEST, 100 + afterMs - 1)).toBe("- always unavailable fallback");
		happens(choice);
		expect(decided(choice, { ...GUEST, compositor }, 100 + afterMs)).toBe("uplink always connecting fallback");
	});

	test.each([
		["a browser without WebRTC", { ...GUEST, canRealTime: false }],
		["a compositor without WebRTC", { ...GUEST, compositor: { ...COMPOSITOR, realTime: false } }],
	])("streams at once with %s", (_, situation) => {
		expect(decided(new LegChoice(), situation, 0)).toBe("- always unavailable fallback");
	});

	test("streams beside real time while somebody hears them by it", () => {
		expect(decided(new LegChoice(), { ...GUEST, line: "connected", isHeardByStream: true }, 0)).toBe(
			"uplink always connected",
		);
	});
});
