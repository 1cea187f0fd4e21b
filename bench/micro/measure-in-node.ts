import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { MicroTime } from "./micro-case.ts";
import { NODE_CASES } from "./node-cases.ts";

const MODULE = fileURLToPath(new URL("./node-process.ts", import.meta.url));
/** A second a case on a loaded machine, many times over. */
const WITHIN_MS = 120_000;
/** MiB of each half of the young generation: the collector does not run while allocations are counted. */
const ROOMY_MIB = 128;

const run = promisify(execFile);
const figuresSchema = z.array(z.number()).length(NODE_CASES.length);

/**
 * All cases once, in processes of their own: one with Node's own settings for the times, so that what the collector costs is in them, and one in which it
 * does not run, for the allocations.
 */
export async function measureInNode(): Promise<readonly MicroTime[]> {
	const us = await figures("time", []);
	const roomy = [`--min-semi-space-size=${ROOMY_MIB}`, `--max-semi-space-size=${ROOMY_MIB}`];
	const allocated = await figures("allocations", ["--expose-gc", ...roomy]);
	return NODE_CASES.map(({ name, unit, bytes }, index) => ({
		name,
		unit,
		us: us[index] ?? Number.NaN,
		...(bytes !== undefined && { bytes }),
		allocatedBytes: allocated[index] ?? Number.NaN,
	}));
}

async function figures(what: "time" | "allocations", flags: readonly string[]): Promise<readonly number[]> {
	const { stdout } = await run(process.execPath, [...flags, MODULE, what], { timeout: WITHIN_MS });
	return figuresSchema.parse(JSON.parse(stdout));
}
