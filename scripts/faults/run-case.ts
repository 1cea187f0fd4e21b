import type { Verdict } from "../../test/support/faults/judge.ts";
import type { Timeline } from "../../test/support/faults/timeline.ts";
import { FaultBench } from "./bench.ts";
import type { Clips } from "./clips.ts";
import type { FaultCase } from "./fault-case.ts";
import { Stage, type Watching } from "./stage.ts";
import { judgeSoundness, judgeSpeed } from "./targets.ts";

export interface CaseResult {
	readonly name: string;
	readonly what: string;
	/** Absent when the case could not be run to its end. */
	readonly verdict?: Verdict;
	readonly timeline?: Timeline;
	/** What must hold on any machine, and what on one that keeps up. */
	readonly unsound: readonly string[];
	readonly slow: readonly string[];
}

/** Runs one case on a bench of its own. Never rejects but for what is left running: what went wrong is part of the result. */
export async function runCase(
	each: FaultCase,
	clips: Clips,
	options: { readonly onLog?: (line: string) => void } = {},
): Promise<CaseResult> {
	const { name, what } = each;
	try {
		await using bench = await FaultBench.start({ compositors: each.compositors, ...options });
		return await runCaseOn(bench, each, clips);
	} catch (error) {
		return { name, what, unsound: [messageOf(error)], slow: [] };
	}
}

/** Runs one case on a bench that others have used or will use. */
export async function runCaseOn(
	bench: FaultBench,
	each: FaultCase,
	clips: Clips,
	watching?: Watching,
): Promise<CaseResult> {
	const { name, what, targets } = each;
	await using stage = await Stage.set(bench, clips, watching);
	try {
		await each.run(stage);
		const { verdict, timeline } = await stage.finish();
		return {
			name,
			what,
			verdict,
			timeline,
			unsound: [...stage.faults, ...judgeSoundness(verdict, targets)],
			slow: judgeSpeed(verdict, targets),
		};
	} catch (error) {
		return { name, what, unsound: [...stage.faults, messageOf(error)], slow: [] };
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error
		? `${error.message}${error.cause === undefined ? "" : ` (${messageOf(error.cause)})`}`
		: String(error);
}
