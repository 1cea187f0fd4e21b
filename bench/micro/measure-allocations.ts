import { GCProfiler } from "node:v8";
import type { MicroCase } from "./micro-case.ts";

/** The optimising compiler leaves out allocations that it sees are not needed, so it goes first. */
const WARM_UP_ITERATIONS = 3_000;
const FIRST_TRIAL = 200;
/** What is allocated while it is counted: far more than the page a heap hands out at a time, far less than what makes the collector run. */
const COUNTED_BYTES = 16 * 1024 * 1024;
const MOST_ITERATIONS = 200_000;
const ATTEMPTS = 5;

/**
 * Bytes that one iteration allocates, on the heap and in buffers beside it: what the process holds more after many iterations in which the collector did not
 * run. Wants `--expose-gc` and a young generation with room for {@link COUNTED_BYTES}.
 */
export function measureAllocatedBytes({ name, run }: Pick<MicroCase, "name" | "run">): number {
	run(WARM_UP_ITERATIONS);
	let iterations = FIRST_TRIAL;
	let isTrial = true;
	for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
		const { bytes, collections } = allocatedBy(() => run(iterations));
		if (collections > 0) {
			iterations = Math.max(1, Math.floor(iterations / 4));
			isTrial = false;
		} else if (isTrial) {
			iterations = iterationsFor(bytes / iterations);
			isTrial = false;
		} else {
			return Math.max(0, bytes) / iterations;
		}
	}
	throw new Error(
		`micro: expected ${iterations} iterations of ${name} without a garbage collection, got some each time`,
	);
}

/** How many iterations to count over, when one allocates about that much. */
export function iterationsFor(bytesEach: number): number {
	return Math.max(1, Math.min(MOST_ITERATIONS, Math.floor(COUNTED_BYTES / Math.max(bytesEach, 1))));
}

function allocatedBy(work: () => void): { readonly bytes: number; readonly collections: number } {
	if (globalThis.gc === undefined) {
		throw new Error("micro: expected a process with --expose-gc, got one without");
	}
	// A collection frees buffers in the background, and the next one waits for it to be done.
	globalThis.gc();
	globalThis.gc();
	const profiler = new GCProfiler();
	profiler.start();
	const before = held();
	work();
	const bytes = held() - before;
	return { bytes, collections: profiler.stop().statistics.length };
}

function held(): number {
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}
