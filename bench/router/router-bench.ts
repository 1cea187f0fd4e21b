import { type LocalSystem, startTandem } from "../../scripts/local-system.ts";
import type { Bench, BenchContext, BenchResult } from "../harness/bench.ts";
import { type Contender, interleave } from "../harness/interleave.ts";
import { deliveryOf } from "./delivery.ts";
import { hasNginxRtmp, nginxRelayIn } from "./nginx-relay.ts";
import { startNodeRelay } from "./node-relay.ts";
import { isHeld, Passage, type Passed } from "./passage.ts";
import type { StartRelay } from "./relay.ts";
import { LISTENERS, LISTENERS_OF_TARGET, PER_SECOND, routerResult } from "./router-result.ts";
import { RELAYS, type RelayName, type RouterMeasurement, type RouterRun, type RouterRuns } from "./router-run.ts";
import { DESTINATION, programOf, streamOf } from "./tandem-relay.ts";

const MEASURED_MS = 5_000;
/** Long enough for what nobody takes to pile up. */
const MEASURED_WITH_STUCK_MS = 10_000;

export const ROUTER_BENCH: Bench = {
	name: "router",
	about: "WS-FLV in → N subscribers → TCP: delay, rate, memory, beside a plain relay in Node and nginx-rtmp",
	run,
};

async function run(context: BenchContext): Promise<BenchResult> {
	const { folder, cleanUp } = context;
	// No compositors and no publishing by the runner: the Router and its Egress alone.
	const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0, egressPlaces: 0 });
	cleanUp.add(() => system.stop());
	return routerResult(await measureAll(context, system, folder));
}

async function measureAll(context: BenchContext, system: LocalSystem, folder: string): Promise<RouterMeasurement> {
	const streams: readonly (readonly [RelayName, StartRelay])[] = [
		[RELAYS.tandem, streamOf(system)],
		[RELAYS.node, startNodeRelay],
	];
	const nginx: typeof streams = hasNginxRtmp() ? [[RELAYS.nginx, nginxRelayIn(folder)]] : [];
	const measure = (
		what: string,
		relays: typeof streams,
		once: (start: StartRelay) => Promise<RouterRun>,
	): Promise<RouterRuns> =>
		interleave<RouterRun>(
			relays.map(([name, start]): Contender<RouterRun> => ({ name, measure: () => once(start) })),
			{ runs: context.runs, say: (text) => context.say(`${what}: ${text}`) },
		);

	const fanOut: { readonly listeners: number; readonly runs: RouterRuns }[] = [];
	for (const listeners of LISTENERS) {
		const once = (start: StartRelay) => measureFanOut(start, listeners);
		fanOut.push({ listeners, runs: await measure(`to ${listeners}`, [...streams, ...nginx], once) });
	}
	const program: typeof streams = [[RELAYS.tandem, programOf(system)], ...nginx];
	return {
		fanOut,
		throughProgram: await measure("program to TCP", program, measureProgram),
		withStuck: await measure("with one stuck", streams, measureWithStuck),
	};
}

async function measureFanOut(start: StartRelay, listeners: number): Promise<RouterRun> {
	await using passage = await Passage.open(start, { listeners });
	const run = routerRun(await passage.at(PER_SECOND, MEASURED_MS));
	const highestRate = await passage.highestRate(isHeld(run.delivery) ? PER_SECOND * 2 : PER_SECOND / 2);
	return { ...run, highestRate };
}

async function measureProgram(start: StartRelay): Promise<RouterRun> {
	await using passage = await Passage.open(start, { listeners: LISTENERS_OF_TARGET - 1 });
	return routerRun(await passage.at(PER_SECOND, MEASURED_MS));
}

async function measureWithStuck(start: StartRelay): Promise<RouterRun> {
	await using passage = await Passage.open(start, { listeners: LISTENERS_OF_TARGET, withStuck: true });
	const passed = await passage.at(PER_SECOND, MEASURED_WITH_STUCK_MS);
	const skippedTags = await passage.relay.skippedTags?.();
	return { ...routerRun(passed), ...(skippedTags !== undefined && { skippedTags }) };
}

function routerRun({ heard, sent, window, cores, memoryBytes }: Passed): RouterRun {
	const behindEgress = heard.filter(({ id }) => id === DESTINATION);
	const others = heard.filter(({ id }) => id !== DESTINATION);
	return {
		delivery: deliveryOf(others, sent, window),
		...(behindEgress.length > 0 && { destination: deliveryOf(behindEgress, sent, window) }),
		cores,
		memoryBytes,
	};
}
