import type { Bench } from "./harness/bench.ts";
import { LATENCY_BENCH } from "./latency/latency-bench.ts";
import { QUALITY_BENCH } from "./quality/quality-bench.ts";
import { START_BENCH } from "./start/start-bench.ts";
import { THROUGHPUT_BENCH } from "./throughput/throughput-bench.ts";

/** All measurements, in the order in which they run. */
export const BENCHES: readonly Bench[] = [THROUGHPUT_BENCH, QUALITY_BENCH, LATENCY_BENCH, START_BENCH];
