import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BenchResult } from "./bench.ts";
import type { Machine } from "./machine.ts";
import { resultMarkdown } from "./markdown.ts";

/** One measurement as it is kept. */
export interface KeptResult extends BenchResult {
	readonly name: string;
	readonly machine: Machine;
	readonly runs: number;
}

const RESULTS = "bench/results";

/** Writes bench/results/NAME.json and returns its path; the one before it is replaced. */
export function keepResult(result: KeptResult): string {
	mkdirSync(RESULTS, { recursive: true });
	const path = join(RESULTS, `${result.name}.json`);
	writeFileSync(path, `${JSON.stringify(result, undefined, "\t")}\n`);
	return path;
}

export function keptResult(name: string): KeptResult | undefined {
	const path = join(RESULTS, `${name}.json`);
	return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as KeptResult) : undefined;
}

/** Puts each kept result between the marks `<!-- bench NAME -->` and `<!-- end -->` of a page; a mark without a result stays as it is. */
export function fillPage(page: string, resultOf: (name: string) => KeptResult | undefined): string {
	return page.replaceAll(/<!-- bench (\S+) -->.*?<!-- end -->/gs, (marked, name: string) => {
		const result = resultOf(name);
		return result === undefined
			? marked
			: `<!-- bench ${name} -->\n\n${resultMarkdown(name, result, result.machine)}\n<!-- end -->`;
	});
}
