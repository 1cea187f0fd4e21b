import type { TalkTargets } from "./cases.ts";
import type { Quantiles } from "./figures.ts";
import type { MachineLoad } from "./machine-load.ts";
import type { TalkResult } from "./stage.ts";

export interface TalkOutcome {
	readonly name: string;
	readonly what: string;
	readonly targets: TalkTargets;
	/** Over the whole case, its beginning and its judging included. */
	readonly load: MachineLoad;
	/** Absent when the case could not be run to its end. */
	readonly result?: TalkResult;
	readonly misses: readonly string[];
	readonly faults: readonly string[];
}

type Column = readonly [title: string, value: (result: TalkResult) => string];

const COLUMNS: readonly Column[] = [
	["host sees, hears: p50/p95 ms", ({ host }) => `${pair(host?.seen)}, ${pair(host?.heard)}`],
	["guest sees, hears", ({ guest }) => `${pair(guest?.seen)}, ${pair(guest?.heard)}`],
	["program seen, heard", ({ program }) => `${pair(program.seen)}, ${pair(program.heard)}`],
	[
		"pictures/s: host, guest, program",
		({ host, guest, program }) =>
			each([host?.frameRate, guest?.frameRate, program.frameRate], (rate) => rate.toFixed(0)),
	],
	["freeze s", ({ host, guest, program }) => each([host?.freezeMs, guest?.freezeMs, program.freezeMs], seconds)],
	[
		"made-up sound %",
		({ host, guest }) => each([host?.concealed, guest?.concealed], (share) => (share * 100).toFixed(1)),
	],
	[
		"key frames asked for: host, guest, compositor",
		({ host, guest, keyFrameRequests }) =>
			each([host?.keyFrameRequests, guest?.keyFrameRequests, keyFrameRequests], String),
	],
	["program skew ms", ({ program }) => (program.skewMs === undefined ? "–" : program.skewMs.toFixed(0))],
	[
		"hand-offs: n, stands still, left out ms",
		({ program: { splices, spliceMs, spliceLostMs } }) =>
			splices === 0 ? "–" : `${splices}, ${spliceMs.toFixed(0)}, ${spliceLostMs.toFixed(0)}`,
	],
	["shown after newer", ({ program }) => String(program.shownBack)],
	["packets lost %", ({ packets: { carried, lost } }) => ((lost / Math.max(1, carried + lost)) * 100).toFixed(1)],
	["RTMP sessions", ({ program }) => String(program.sessions)],
];

/** A Markdown table, a case a row, and below it what was missed. */
export function talkTable(outcomes: readonly TalkOutcome[]): string {
	const titles = ["case", ...COLUMNS.map(([title]) => title), "processors busy", "to reach", ""];
	const rows = outcomes.map(({ what, result, targets, load, misses, faults }) => {
		const cells = COLUMNS.map(([, value]) => (result === undefined ? "" : value(result)));
		const busy = `${(load.busy * 100).toFixed(0)} % of ${load.processors}, ${load.waiting.toFixed(0)} wait`;
		const verdict = misses.length === 0 && faults.length === 0 ? "ok" : "MISSED";
		return [what, ...cells, busy, targetText(targets), verdict];
	});
	const notes = outcomes.flatMap(({ name, misses, faults }) =>
		[...faults, ...misses].map((note) => `${name}: ${note}`),
	);
	const lines = [titles, titles.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
	return [...lines, ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

const TARGET_WORDS: Readonly<Record<keyof TalkTargets, string>> = {
	seenP95Ms: "seen p95 ms",
	programP95Ms: "program p95 ms",
	freezeMs: "program freeze ms",
	spliceMs: "hand-off ms",
	spliceLostMs: "left out ms",
	shownBack: "shown after newer",
};

function targetText(targets: TalkTargets): string {
	const keys = Object.keys(TARGET_WORDS) as (keyof TalkTargets)[];
	const texts = keys.flatMap((key) => {
		const target = targets[key];
		return target === undefined ? [] : [`${TARGET_WORDS[key]} ≤ ${target.toFixed(0)}`];
	});
	return texts.join(", ") || "–";
}

function each(values: readonly (number | undefined)[], format: (value: number) => string): string {
	return values.map((value) => (value === undefined ? "–" : format(value))).join(", ");
}

function pair(quantiles: Quantiles | undefined): string {
	return quantiles === undefined ? "–" : `${quantiles.p50.toFixed(0)}/${quantiles.p95.toFixed(0)}`;
}

function seconds(ms: number): string {
	return (ms / 1_000).toFixed(2);
}
