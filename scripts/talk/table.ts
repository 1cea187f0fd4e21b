import type { Quantiles } from "./figures.ts";
import type { TalkResult } from "./stage.ts";

export interface TalkOutcome {
	readonly name: string;
	readonly what: string;
	/** Absent when the case could not be run to its end. */
	readonly result?: TalkResult;
	readonly misses: readonly string[];
	readonly faults: readonly string[];
}

const TITLES = [
	"case",
	"host sees, hears (p50/p95 ms)",
	"guest sees, hears",
	"program (p50/p95 ms)",
	"freeze: host, guest, program s",
	"made-up sound %",
	"key frames asked for",
	"skew ms",
	"hand-off ms",
	"sessions",
	"",
];

/** A Markdown table, a case a row, and below it what was missed. */
export function talkTable(outcomes: readonly TalkOutcome[]): string {
	const rows = outcomes.map(({ what, result, misses, faults }) => {
		const verdict = misses.length === 0 && faults.length === 0 ? "ok" : "MISSED";
		return [what, ...(result === undefined ? TITLES.slice(2).map(() => "") : cells(result)), verdict];
	});
	const notes = outcomes.flatMap(({ name, misses, faults }) =>
		[...faults, ...misses].map((each) => `${name}: ${each}`),
	);
	const lines = [TITLES, TITLES.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
	return [...lines, ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

function cells({ host, guest, program, keyFrameRequests }: TalkResult): string[] {
	return [
		`${pair(host?.seen)}, ${pair(host?.heard)}`,
		`${pair(guest?.seen)}, ${pair(guest?.heard)}`,
		pair(program.seen),
		[host?.freezeMs, guest?.freezeMs, program.freezeMs].map(seconds).join(", "),
		[host?.concealed, guest?.concealed].map(percent).join(", "),
		String(keyFrameRequests),
		program.skewMs === undefined ? "–" : program.skewMs.toFixed(0),
		program.splices === 0 ? "–" : program.spliceMs.toFixed(0),
		String(program.sessions),
	];
}

function pair(quantiles: Quantiles | undefined): string {
	return quantiles === undefined ? "–" : `${quantiles.p50.toFixed(0)}/${quantiles.p95.toFixed(0)}`;
}

function seconds(ms: number | undefined): string {
	return ms === undefined ? "–" : (ms / 1_000).toFixed(2);
}

function percent(share: number | undefined): string {
	return share === undefined ? "–" : (share * 100).toFixed(1);
}
