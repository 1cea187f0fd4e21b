import { FLV_CASES } from "./cases/flv-cases.ts";
import { JITTER_BUFFER_CASES } from "./cases/jitter-buffer-cases.ts";
import { MIXER_CASES } from "./cases/mixer-cases.ts";
import { ROUTER_CASES } from "./cases/router-cases.ts";
import { RTMP_CHUNK_CASES } from "./cases/rtmp-chunk-cases.ts";
import { SPLICER_CASES } from "./cases/splicer-cases.ts";
import type { MicroCase } from "./micro-case.ts";

/** What is measured in Node, in the order of the table. */
export const NODE_CASES: readonly MicroCase[] = [
	...FLV_CASES,
	...RTMP_CHUNK_CASES,
	...ROUTER_CASES,
	...SPLICER_CASES,
	...JITTER_BUFFER_CASES,
	...MIXER_CASES,
];
