import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CleanUp } from "../scripts/clean-up.ts";
import { BENCHES } from "./benches.ts";
import type { Bench, BenchResult } from "./harness/bench.ts";
import { thisMachine } from "./harness/machine.ts";
import { resultMarkdown } from "./harness/markdown.ts";
import { fillPage, keepResult, keptResult } from "./harness/results.ts";

/**
 * `npm run bench [-- NAME … --runs 5 --docs]`: measures what is named, or everything, beside its peers; prints Markdown, keeps JSON in bench/results/,
 * and with --docs puts the kept results into docs/performance.md.
 */

const PAGE = "docs/performance.md";
const FEWEST_RUNS = 5;

const { values, positionals } = parseArgs({
	options: { runs: { type: "string", default: String(FEWEST_RUNS) }, docs: { type: "boolean", default: false } },
	allowPositionals: true,
	strict: true,
});
const runs = Number(values.runs);
if (!(Number.isInteger(runs) && runs >= 1 && runs <= 100)) {
	throw new Error(`bench: expected --runs from 1 to 100, got ${values.runs}`);
}
const unknown = positionals.filter((name) => BENCHES.every((bench) => bench.name !== name));
if (unknown.length > 0) {
	const names = BENCHES.map(({ name, about }) => `  ${name}: ${about}`).join("\n");
	throw new Error(`bench: expected one of these, got ${unknown.join(", ")}\n${names}`);
}
if (runs < FEWEST_RUNS) {
	console.error(`Fewer than ${FEWEST_RUNS} runs say little about the spread: good for trying, not for telling.`);
}

const machine = thisMachine();
const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const bench of chosen) {
	const startedMs = performance.now();
	const result = await measure(bench);
	if (result === undefined) {
		// What went wrong was printed; the others are worth having all the same.
		continue;
	}
	const path = keepResult({ name: bench.name, machine, runs, ...result });
	console.log(`\n## ${bench.name}\n\n${resultMarkdown(bench.name, result, machine)}`);
	console.error(`${bench.name}: ${((performance.now() - startedMs) / 1_000).toFixed(0)} s, kept in ${path}`);
}
if (values.docs) {
	writeFileSync(PAGE, fillPage(readFileSync(PAGE, "utf8"), keptResult));
}

async function measure(bench: Bench): Promise<BenchResult | undefined> {
	const folder = mkdtempSync(join(tmpdir(), `tandem-bench-${bench.name}-`));
	const cleanUp = new CleanUp();
	cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
	let result: BenchResult | undefined;
	await cleanUp.around(async () => {
		result = await bench.run({ runs, folder, cleanUp, say: (text) => console.error(`${bench.name}: ${text}`) });
	});
	return result;
}
