import { cpus, loadavg } from "node:os";

/** How busy the machine was over some time: what latency has to be read with. */
export interface MachineLoad {
	readonly processors: number;
	/** Share of all processors that worked, 0 to 1. */
	readonly busy: number;
	/** Of the last minute: processes that worked or waited for a processor. */
	readonly waiting: number;
}

interface Times {
	readonly idleMs: number;
	readonly totalMs: number;
}

/** Call it at the beginning; what it gives says, when called, how it was since. */
export function watchMachineLoad(): () => MachineLoad {
	const before = processorTimes();
	return () => {
		const after = processorTimes();
		const totalMs = after.totalMs - before.totalMs;
		const idleMs = after.idleMs - before.idleMs;
		return {
			processors: cpus().length,
			busy: totalMs > 0 ? 1 - idleMs / totalMs : 0,
			waiting: loadavg()[0] ?? 0,
		};
	};
}

function processorTimes(): Times {
	const all = cpus().map(({ times }) => times);
	return {
		idleMs: all.reduce((sum, { idle }) => sum + idle, 0),
		totalMs: all.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
	};
}
