import { setTimeout as sleep } from "node:timers/promises";

/** Something measured side by side with others. */
export interface Contender<Measured> {
	readonly name: string;
	measure(run: number): Promise<Measured>;
}

/**
 * Measures all contenders `runs` times in turn, A B A B: what else the machine does then meets them alike. The first round warms up files and
 * caches and is not counted, where `warmUp` says so. A contender that fails ends it all, by its name.
 */
export async function interleave<Measured>(
	contenders: readonly Contender<Measured>[],
	options: {
		readonly runs: number;
		readonly warmUp?: boolean;
		/** Before each: what the one before left behind is gone by then. */
		readonly restMs?: number;
		say?(text: string): void;
	},
): Promise<ReadonlyMap<string, readonly Measured[]>> {
	const measured = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
	for (let run = options.warmUp === true ? -1 : 0; run < options.runs; run++) {
		for (const contender of contenders) {
			options.say?.(`${contender.name}, ${run < 0 ? "warming up" : `run ${run + 1} of ${options.runs}`}`);
			await sleep(options.restMs ?? 0);
			const result = await contender.measure(run).catch((error: unknown) => {
				throw new Error(`${contender.name}: ${error instanceof Error ? error.message : String(error)}`, {
					cause: error,
				});
			});
			if (run >= 0) {
				measured.get(contender.name)?.push(result);
			}
		}
	}
	return measured;
}
