import type { Bench } from "./harness/bench.ts";
import { LATENCY_BENCH } from "./latency/latency-bench.ts";
import { LIVE_BENCH } from "./live/live-bench.ts";
import { MICRO_BENCH } from "./micro/micro-bench.ts";
import { QUALITY_BENCH } from "./quality/quality-bench.ts";
import { ROUTER_BENCH } from "./router/router-bench.ts";
import { START_BENCH } from "./start/start-bench.ts";
import { THROUGHPUT_BENCH } from "./throughput/throughput-bench.ts";

/** All measurements, in the order in which they run. */
export const BENCHES: readonly Bench[] = [
	THROUGHPUT_BENCH,
	QUALITY_BENCH,
	LIVE_BENCH,
	LATENCY_BENCH,
	ROUTER_BENCH,
	START_BENCH,
	MICRO_BENCH,
];
