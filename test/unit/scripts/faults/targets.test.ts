import { describe, expect, it } from "vitest";
import { casesNamed } from "../../../../scripts/faults/cases.ts";
import { faultsTable } from "../../../../scripts/faults/table.ts";
import { judgeSoundness, judgeSpeed, type Targets } from "../../../../scripts/faults/targets.ts";
import { judge, type Verdict } from "../../../support/faults/judge.ts";
import { flawless, START_MS } from "./made-timeline.ts";

const good = judge(flawless(10), {
	frameRate: 30,
	ids: [1],
	fromMs: START_MS,
	toMs: START_MS + 10_000,
	injectedAtMs: START_MS + 5_000,
	restoredAtMs: START_MS + 5_000,
});

function without(verdict: Verdict, name: "recoveredMs" | "resumedMs" | "latencyBackMs"): Verdict {
	const { [name]: _, ...rest } = verdict;
	return rest;
}

describe("what a case must come to", () => {
	const strict: Targets = {
		maxFreezeMs: 100,
		maxRecoverMs: 100,
		maxResumeMs: 100,
		maxLatencyBackMs: 100,
		seamless: true,
		maxSkewMs: 20,
	};

	it("is met by a stream without flaws", () => {
		expect([...judgeSoundness(good, strict), ...judgeSpeed(good, strict)]).toEqual([]);
	});

	it.each<[string, Partial<Verdict>, RegExp]>([
		["video that goes back", { videoBackwards: 1 }, /no video times that do not rise, got 1/],
		["audio that goes back", { audioBackwards: 2 }, /no audio times that do not rise, got 2/],
		["one session too many", { sessions: 2 }, /at most 1 RTMP sessions, got 2/],
		["a frame shown twice", { shownTwice: 1 }, /no frames shown twice, got 1/],
		["a frame passed by where there must be no seam", { passedBy: 1 }, /no frames passed by, got 1/],
		["a complaint of ffprobe", { complaints: ["broken"] }, /nothing against it, got: broken/],
	])("is missed, on any machine, by %s", (_, flaw, miss) => {
		expect(judgeSoundness({ ...good, ...flaw }, strict)).toEqual([expect.stringMatching(miss)]);
	});

	it("is missed by a stream that does not go on, and by splices that are missing", () => {
		expect(judgeSoundness(without(good, "recoveredMs"), {})).toEqual([expect.stringMatching(/fresh frames/)]);
		expect(judgeSoundness(good, { minSplices: 1 })).toEqual([expect.stringMatching(/1 splices at least, got 0/)]);
	});

	it.each<[string, Partial<Verdict>]>([
		["every freeze", { freezeMs: 101 }],
		["every freeze", { freezeWallMs: 101 }],
		["recovery", { recoveredMs: 101 }],
		["the picture to go on", { resumedMs: 101 }],
		["latency back", { latencyBackMs: 101 }],
		["the freeze of a splice", { spliceFreezeMs: 36 }],
		["the gap in sound", { spliceSoundMs: 26 }],
		["sound and picture together", { medianSkewMs: -21 }],
	])("is missed, on a machine that keeps up, by too long: %s", (what, flaw) => {
		expect(judgeSpeed({ ...good, ...flaw }, strict)).toEqual([expect.stringContaining(what)]);
		expect(judgeSpeed({ ...good, ...flaw }, { maxSkewMs: 30 })).toEqual([]);
	});

	it("is missed by what never came", () => {
		for (const name of ["recoveredMs", "resumedMs", "latencyBackMs"] as const) {
			expect(judgeSpeed(without(good, name), strict)).toEqual([expect.stringMatching(/got never/)]);
		}
	});
});

describe("the cases and their table", () => {
	it("are chosen by name or by how it begins, and none that is not there", () => {
		expect(casesNamed(["times-2^*", "solo"]).map(({ name }) => name)).toEqual([
			"solo",
			...["times-2^24", "times-2^31", "times-2^32"],
			...["times-2^24-composed", "times-2^31-composed", "times-2^32-composed"],
		]);
		expect(() => casesNamed(["solo", "sole"])).toThrow(/expected a case to be named sole, got solo,/);
	});

	it("all have names of their own", () => {
		const names = casesNamed([]).map(({ name }) => name);
		expect(new Set(names).size).toBe(names.length);
	});

	it("say what was missed, also of a case that broke off", () => {
		const table = faultsTable([
			{ name: "a", what: "good one", verdict: good, unsound: [], slow: [] },
			{ name: "b", what: "slow one", verdict: good, unsound: [], slow: ["too slow"] },
			{ name: "c", what: "broken one", unsound: ["broke off"], slow: [] },
		]);
		expect(table.split("\n").map((line) => line.match(/ok|MISSED/)?.[0])).toEqual(
			expect.arrayContaining(["ok", "MISSED", "MISSED"]),
		);
		expect(table).toContain("b: too slow\nc: broke off");
	});
});
