/** Several runs of one measurement. */
export interface Spread {
	readonly median: number;
	readonly min: number;
	readonly max: number;
	readonly runs: number;
}

/** Throws on no values, and on one that is not a number: a run that measured nothing must not pass for one. */
export function spreadOf(values: readonly number[]): Spread {
	const wrong = values.find((value) => !Number.isFinite(value));
	if (values.length === 0 || wrong !== undefined) {
		throw new RangeError(`spread: expected finite values, got ${values.length === 0 ? "none" : wrong}`);
	}
	return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values), runs: values.length };
}

/**
 * The value below which a share of the values lies, linear between neighbours (Hyndman and Fan's type 7, as R and NumPy do). `NaN` for none.
 */
export function quantile(values: readonly number[], share: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	const at = (sorted.length - 1) * share;
	const below = sorted[Math.floor(at)] ?? Number.NaN;
	const above = sorted[Math.ceil(at)] ?? Number.NaN;
	return below + (above - below) * (at - Math.floor(at));
}

/** Run by run, how many times `of` one contender's figure is another's: what both had of the machine in that moment falls out. */
export function ratios(values: readonly number[], of: readonly number[]): number[] {
	if (values.length !== of.length) {
		throw new RangeError(`ratios: expected as many runs of both, got ${values.length} and ${of.length}`);
	}
	return values.map((value, run) => value / (of[run] ?? Number.NaN));
}
