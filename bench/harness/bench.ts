import type { CleanUp } from "../../scripts/clean-up.ts";
import type { Spread } from "./statistics.ts";

/** What a measurement gets from the command that runs it. */
export interface BenchContext {
	/** How often each contender is measured; at least 5 for figures that are to be shown. */
	readonly runs: number;
	/** A folder of its own, gone afterwards. */
	readonly folder: string;
	/** What was started is ended by it, whatever happens. */
	readonly cleanUp: CleanUp;
	/** Tells how far it is; goes to standard error. */
	say(text: string): void;
}

/** A cell: words as they are, a figure with its unit, or a figure's spread over the runs; nothing where there is none, which JSON keeps as `null`. */
export type Cell = string | Figure | undefined | null;

export interface Figure {
	readonly value: number | Spread;
	/** As it is to be shown behind the number: `ms`, `fps`, `×`; nothing for a bare count. */
	readonly unit?: string;
	/** Digits behind the point; 1 where absent. */
	readonly digits?: number;
}

export interface BenchTable {
	readonly title: string;
	/** The first is what a row is about. */
	readonly columns: readonly string[];
	readonly rows: readonly (readonly Cell[])[];
}

/** What was to be reached, and whether it was. */
export interface Verdict {
	readonly target: string;
	readonly measured: string;
	readonly reached: boolean;
}

export interface BenchResult {
	readonly tables: readonly BenchTable[];
	readonly verdicts: readonly Verdict[];
	/** What a reader must know to read the figures right. */
	readonly notes: readonly string[];
}

export interface Bench {
	readonly name: string;
	/** One line for the list of names. */
	readonly about: string;
	run(context: BenchContext): Promise<BenchResult>;
}
