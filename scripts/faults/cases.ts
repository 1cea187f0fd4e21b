import { DESTINATIONS } from "./cases/destinations.ts";
import { HAND_OFFS } from "./cases/hand-offs.ts";
import { MACHINES } from "./cases/machines.ts";
import { PAGE_LINES } from "./cases/page-lines.ts";
import { PUBLISHERS } from "./cases/publishers.ts";
import type { FaultCase } from "./fault-case.ts";

/** Every fault, in the order of the table. */
export const CASES: readonly FaultCase[] = [...HAND_OFFS, ...MACHINES, ...PUBLISHERS, ...PAGE_LINES, ...DESTINATIONS];

/** The cases whose name is one of `names` or begins with one that ends in `*`. @throws Error for a name that fits none */
export function casesNamed(names: readonly string[]): FaultCase[] {
	const fits = (name: string, wanted: string) =>
		wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
	for (const wanted of names) {
		if (!CASES.some(({ name }) => fits(name, wanted))) {
			throw new Error(`faults: expected a case to be named ${wanted}, got ${CASES.map(({ name }) => name).join(", ")}`);
		}
	}
	return CASES.filter(({ name }) => names.length === 0 || names.some((wanted) => fits(name, wanted)));
}
