import { setTimeout as sleep } from "node:timers/promises";
import { busyBrowserOf, signalAll, workerdsOf } from "../../../test/support/faults/processes-of.ts";
import { waitFor } from "../../wait-for.ts";
import type { FaultCase } from "../fault-case.ts";
import type { Stage } from "../stage.ts";
import { BY_THE_CLOCK, type Targets } from "../targets.ts";
import { twoOnAir } from "./two-on-air.ts";

/** Processes that die or stand still, while host and guest are on air. */

const STANDSTILL_MS = 5_000;
const COMPOSITOR_LOST: Targets = { ...BY_THE_CLOCK, maxFreezeMs: 2_000 };
const WORKER_LOST: Targets = { ...BY_THE_CLOCK, maxSessions: 2, maxResumeMs: 3_000 };
const WORKER_BACK_WITHIN_MS = 60_000;

async function runnerThatComposes(stage: Stage): Promise<number> {
	const { browserPid } = await busyBrowserOf(stage.bench.runnerPids);
	const pid = stage.bench.runnerOf(browserPid);
	if (pid === undefined) {
		throw new Error("faults: expected the browser to be a runner's, got somebody else's");
	}
	return pid;
}

function untilWorkerAnswers(stage: Stage): Promise<true> {
	return waitFor("the Worker to answer", WORKER_BACK_WITHIN_MS, async () => (await stage.bench.answers()) || undefined);
}

export const MACHINES: readonly FaultCase[] = [
	{
		name: "tab-crash",
		what: "compositor's tab crashes",
		compositors: 2,
		targets: COMPOSITOR_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			const { rendererPid } = await busyBrowserOf(stage.bench.runnerPids);
			await stage.inject(() => signalAll([rendererPid], "SIGKILL"));
			await stage.untilComposedAnew();
		},
	},
	{
		name: "browser-kill",
		what: "compositor's browser is killed",
		compositors: 2,
		targets: COMPOSITOR_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			const { pids } = await busyBrowserOf(stage.bench.runnerPids);
			await stage.inject(() => signalAll(pids, "SIGKILL"));
			await stage.untilComposedAnew();
		},
	},
	{
		name: "browser-stop",
		what: "compositor's browser stands still for 5 s",
		compositors: 2,
		targets: { ...COMPOSITOR_LOST, maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await twoOnAir(stage);
			const { pids } = await busyBrowserOf(stage.bench.runnerPids);
			await stage.inject(() => signalAll(pids, "SIGSTOP"));
			await sleep(STANDSTILL_MS);
			await stage.restore(() => signalAll(pids, "SIGCONT"));
			await stage.untilComposedAnew();
		},
	},
	{
		name: "runner-kill",
		what: "runner that composes is killed",
		compositors: 2,
		targets: COMPOSITOR_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			const pid = await runnerThatComposes(stage);
			await stage.inject(() => signalAll([pid], "SIGKILL"));
			await stage.untilComposedAnew();
		},
	},
	{
		name: "runner-stop",
		what: "runner that composes stands still for 5 s",
		compositors: 2,
		targets: COMPOSITOR_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			const pid = await runnerThatComposes(stage);
			await stage.inject(() => signalAll([pid], "SIGSTOP"));
			await sleep(STANDSTILL_MS);
			await stage.restore(() => signalAll([pid], "SIGCONT"));
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "workerd-kill",
		what: "workerd is killed: every object at once",
		compositors: 1,
		targets: WORKER_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			await stage.inject(() => signalAll(workerdsOf(stage.bench.workerPid).objects, "SIGKILL"));
			await untilWorkerAnswers(stage);
			await stage.restore();
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "workerd-kill-solo",
		what: "the same with a host passed through",
		compositors: 0,
		targets: WORKER_LOST,
		run: async (stage) => {
			await stage.goLive();
			await stage.publish("host", "host");
			await stage.settle();
			await stage.inject(() => signalAll(workerdsOf(stage.bench.workerPid).objects, "SIGKILL"));
			await untilWorkerAnswers(stage);
			await stage.restore();
			await stage.untilProgramIs("host");
		},
	},
	{
		name: "front-kill",
		what: "the workerd in front of the objects is killed",
		compositors: 1,
		targets: WORKER_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			await stage.inject(() => signalAll(workerdsOf(stage.bench.workerPid).front, "SIGKILL"));
			await untilWorkerAnswers(stage);
			await stage.restore();
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "workerd-stop",
		what: "workerd stands still for 5 s",
		compositors: 1,
		targets: { ...WORKER_LOST, maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await twoOnAir(stage);
			const pids = workerdsOf(stage.bench.workerPid).objects;
			await stage.inject(() => signalAll(pids, "SIGSTOP"));
			await sleep(STANDSTILL_MS);
			await stage.restore(() => signalAll(pids, "SIGCONT"));
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "deploy",
		what: "the Worker's whole process is replaced, as a deploy does",
		compositors: 1,
		targets: WORKER_LOST,
		run: async (stage) => {
			await twoOnAir(stage);
			const { workerPid } = stage.bench;
			const { front, objects } = workerdsOf(workerPid);
			await stage.inject(() => signalAll([workerPid, ...front, ...objects], "SIGKILL"));
			await untilWorkerAnswers(stage);
			await stage.restore();
			await stage.untilProgramIs("composite");
		},
	},
];
