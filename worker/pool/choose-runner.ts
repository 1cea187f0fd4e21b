import type { RunnerRecord } from "./lease-records.ts";

/** A runner that failed this recently is used only when no other has a place: one broken box must not take every assignment. */
const DISTRUST_MS = 60_000;

export interface RunnerCandidate {
	readonly runner: RunnerRecord;
	readonly freePlaces: number;
}

/** Where the next compositor goes: to the runner with most room, of those that have not just failed. `undefined` when none has room. */
export function chooseRunner(candidates: readonly RunnerCandidate[], nowMs: number): string | undefined {
	const distrusted = ({ runner }: RunnerCandidate): number =>
		runner.lastFailureAtMs !== undefined && nowMs - runner.lastFailureAtMs < DISTRUST_MS ? 1 : 0;
	const [best] = candidates
		.filter(({ freePlaces }) => freePlaces > 0)
		.toSorted(
			(a, b) =>
				distrusted(a) - distrusted(b) ||
				b.freePlaces - a.freePlaces ||
				a.runner.runnerId.localeCompare(b.runner.runnerId),
		);
	return best?.runner.runnerId;
}
