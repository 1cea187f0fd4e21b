import type { Verdict } from "../../test/support/faults/judge.ts";
import type { CaseResult } from "./run-case.ts";

type Column = readonly [title: string, value: (verdict: Verdict) => string];

const COLUMNS: readonly Column[] = [
	["freeze s", (v) => `${seconds(v.freezeMs)} / ${seconds(v.freezeWallMs)}`],
	["splices: n, freeze, lost, sound", (v) => (v.splices === 0 ? "–" : spliceText(v))],
	["silence s", (v) => seconds(v.silenceMs)],
	["time back v, a", (v) => `${v.videoBackwards}, ${v.audioBackwards}`],
	["twice, held", (v) => `${v.shownTwice}, ${v.held}`],
	["A/V ms", (v) => `${milliseconds(v.medianSkewMs)} (${milliseconds(v.worstSkewMs)})`],
	["sessions", (v) => String(v.sessions)],
	["recovered s", (v) => seconds(v.recoveredMs)],
	["resumed s", (v) => seconds(v.resumedMs)],
	["latency rose, back s", (v) => `${seconds(v.latencyRoseMs)}, ${seconds(v.latencyBackMs)}`],
];

/** A Markdown table, a case a row, and below it what was missed. */
export function faultsTable(results: readonly CaseResult[]): string {
	const titles = ["case", ...COLUMNS.map(([title]) => title), ""];
	const rows = results.map((result) => {
		const { verdict } = result;
		const cells = COLUMNS.map(([, value]) => (verdict === undefined ? "" : value(verdict)));
		return [result.what, ...cells, isGood(result) ? "ok" : "MISSED"];
	});
	const misses = results.flatMap(({ name, unsound, slow }) => [...unsound, ...slow].map((miss) => `${name}: ${miss}`));
	const lines = [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
	return [...lines, ...(misses.length === 0 ? [] : ["", ...misses])].join("\n");
}

export function isGood({ unsound, slow }: CaseResult): boolean {
	return unsound.length === 0 && slow.length === 0;
}

function spliceText(v: Verdict): string {
	return `${v.splices}, ${Math.round(v.spliceFreezeMs)} ms, ${v.spliceLost}, ${Math.round(v.spliceSoundMs)} ms`;
}

function seconds(ms: number | undefined): string {
	return ms === undefined ? "–" : (ms / 1_000).toFixed(2);
}

function milliseconds(ms: number | undefined): string {
	return ms === undefined ? "–" : ms.toFixed(0);
}
