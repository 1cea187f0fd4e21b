import { quantile } from "../harness/statistics.ts";
import type { MicroCase } from "./micro-case.ts";

/** Long enough for the optimising compiler to have had its say. */
const WARM_UP_MS = 150;
/** Of several stretches the middle one counts: what else the machine does comes in bursts. */
const STRETCHES = 5;
const STRETCH_MS = 60;
const FIRST_BATCH = 64;

/** Microseconds of one iteration, warm. */
export function measureUs({ run }: Pick<MicroCase, "run">, nowMs: () => number): number {
	const perMs = iterationsPerMs(run, nowMs);
	const iterations = Math.max(1, Math.round(perMs * STRETCH_MS));
	const stretches = Array.from({ length: STRETCHES }, () => {
		const startedMs = nowMs();
		run(iterations);
		return ((nowMs() - startedMs) * 1_000) / iterations;
	});
	return quantile(stretches, 0.5);
}

/** Warms up with ever larger batches; the last one tells. */
function iterationsPerMs(run: MicroCase["run"], nowMs: () => number): number {
	const startedMs = nowMs();
	for (let batch = FIRST_BATCH; ; batch *= 2) {
		const batchStartedMs = nowMs();
		run(batch);
		const endedMs = nowMs();
		if (endedMs - startedMs >= WARM_UP_MS) {
			return batch / (endedMs - batchStartedMs);
		}
	}
}
