import { describe, expect, test } from "vitest";
import { figuresOf } from "../../../web/monitor/figures.ts";
import { STATS } from "../../browser/page/stats-example.ts";

const person = {
	id: "guest",
	connected: true,
	picture: "holding",
	width: 1280,
	height: 720,
	videoIn: 10,
	audioIn: 10,
	late: 0,
	dropped: 0,
	held: 0,
	decodeErrors: 0,
	queueMs: 0,
	delayMs: 41.7,
	targetDelayMs: 40,
	avSkewMs: 0,
	concealedSamples: 0,
} as const;

describe("figuresOf", () => {
	test("shows a destination's state, what it took and its reconnects, by its name or its number", () => {
		const destinations = [
			{ name: "Channel one", state: "live", egress: { bytes: 2_500_000, reconnects: 0 } },
			{ state: "retrying", egress: { bytes: 0, reconnects: 3 } },
			{ state: "idle" },
		];
		expect(figuresOf({ compositor: {}, destinations }, undefined)).toEqual([
			["Channel one", "live · 2.5 MB"],
			["Destination 2", "retrying · 0.0 MB · 3 reconnects"],
			["Destination 3", "idle"],
		]);
	});

	test("leaves out the figures of a compositor that has gone", () => {
		expect(
			figuresOf({ compositor: { reported: { ageMs: 6_000, stats: STATS } }, destinations: [] }, undefined),
		).toEqual([]);
	});

	test.each([
		["host", 59_900, "host, passed through · 59 s"],
		["composite", 61_000, "composed · 1 min 1 s"],
		["hold", 0, "last picture, held · 0 s"],
		["none", 5_000, "nothing yet"],
	] as const)("says that the program is made of %s, and for how long", (source, sinceMs, shown) => {
		expect(figuresOf({ program: { source, sinceMs }, compositor: {}, destinations: [] }, undefined)).toEqual([
			["On air", shown],
		]);
	});

	test("shows the compositor's figures and each person's, and what the player holds", () => {
		const stats = { ...STATS, people: [person] };
		const rows = new Map(figuresOf({ compositor: { reported: { ageMs: 900, stats } }, destinations: [] }, 0.456));
		expect(rows.get("Program")).toBe(`${stats.program.width}×${stats.program.height}, ${stats.program.frameRate} fps`);
		expect(rows.get("Input to encoded, p95")).toBe(`${stats.latencyMs.inputToEncodedP95.toFixed(0)} ms`);
		expect(rows.get("Buffered here")).toBe("0.46 s");
		expect(rows.get("Guest: picture · delay")).toBe("holding · 42 ms");
	});
});
