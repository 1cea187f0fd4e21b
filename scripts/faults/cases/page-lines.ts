import { setTimeout as sleep } from "node:timers/promises";
import type { FaultProxy } from "../../../test/support/faults/fault-proxy.ts";
import type { FaultCase } from "../fault-case.ts";
import type { Stage } from "../stage.ts";
import { BY_THE_CLOCK, type Targets } from "../targets.ts";
import { twoOnAir } from "./two-on-air.ts";

/** The compositor's line to the Worker, which takes people to it and the program back. */

const FAULT_MS = 5_000;
const DELAY_MS = 2_000;
const TARGETS: Targets = {
	...BY_THE_CLOCK,
	maxFreezeMs: 2_000,
	maxLatencyBackMs: 3_000,
};

async function composed(stage: Stage): Promise<FaultProxy> {
	await twoOnAir(stage);
	return stage.bench.pageLine;
}

export const PAGE_LINES: readonly FaultCase[] = [
	{
		name: "page-delay",
		what: "compositor's line is late by 2 s, for 5 s",
		compositors: 1,
		targets: TARGETS,
		run: async (stage) => {
			const line = await composed(stage);
			await stage.inject(() => line.set({ kind: "delay", ms: DELAY_MS }));
			await sleep(FAULT_MS);
			await stage.restore(() => line.set({ kind: "none" }));
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "page-cut",
		what: "compositor's line is cut",
		compositors: 1,
		targets: { ...BY_THE_CLOCK, maxFreezeMs: 2_000 },
		run: async (stage) => {
			const line = await composed(stage);
			await stage.inject(() => line.cut());
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "page-blackhole",
		what: "compositor's line is dead for 5 s",
		compositors: 1,
		targets: TARGETS,
		run: async (stage) => {
			const line = await composed(stage);
			await stage.inject(() => line.set({ kind: "blackhole" }));
			await sleep(FAULT_MS);
			await stage.restore(() => line.set({ kind: "none" }));
			await stage.untilProgramIs("composite");
		},
	},
];
