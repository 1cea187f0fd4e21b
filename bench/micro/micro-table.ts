import type { BenchTable, Cell } from "../harness/bench.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { MicroTime } from "./micro-case.ts";

/** A row a case, by the names of the first run. */
export function microTable(title: string, runs: readonly (readonly MicroTime[])[]): BenchTable {
	return {
		title,
		columns: ["what", "one is", "time", "a second", "MB/s", "allocated"],
		rows: (runs[0] ?? []).map(({ name, unit }) =>
			row(
				name,
				unit,
				runs.map((times) => timeOf(times, name)),
			),
		),
	};
}

function row(name: string, unit: string, times: readonly MicroTime[]): Cell[] {
	const us = times.map((time) => time.us);
	const [{ bytes, allocatedBytes } = { bytes: undefined, allocatedBytes: undefined }] = times;
	const { median } = spreadOf(us);
	return [
		name,
		unit,
		{ value: spreadOf(us), unit: "µs", digits: median < 100 ? 2 : 0 },
		{ value: 1_000_000 / median, digits: 0 },
		bytes === undefined ? undefined : { value: bytes / median, digits: 0 },
		allocatedBytes === undefined
			? undefined
			: { value: spreadOf(times.map((time) => time.allocatedBytes ?? Number.NaN)), unit: "B", digits: 0 },
	];
}

function timeOf(times: readonly MicroTime[], name: string): MicroTime {
	const time = times.find((each) => each.name === name);
	if (time === undefined) {
		throw new Error(`micro: expected every run to measure ${name}, got one that did not`);
	}
	return time;
}
