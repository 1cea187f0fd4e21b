import type { BenchResult, BenchTable, Cell, Verdict } from "../harness/bench.ts";
import { quantile, spreadOf } from "../harness/statistics.ts";
import type { Delivery } from "./delivery.ts";
import { isHeld, MESSAGE_BYTES, MOST_P99_MS } from "./passage.ts";
import { RELAYS, type RouterMeasurement, type RouterRun, type RouterRuns } from "./router-run.ts";

export const LISTENERS = [1, 5, 20];
/** What the target is about. */
export const LISTENERS_OF_TARGET = 5;
export const PER_SECOND = 1_000;

const BYTES_PER_MIB = 2 ** 20;
const RATE = PER_SECOND.toLocaleString("en");
const DELIVERY_COLUMNS = ["messages/s out", "Mb/s out", "p50", "p95", "p99", "p99 of the worst", "lost"];

export function routerResult(measured: RouterMeasurement): BenchResult {
	const ofTarget = measured.fanOut.find(({ listeners }) => listeners === LISTENERS_OF_TARGET)?.runs;
	return {
		tables: [
			fanOutTable(measured),
			costTable(measured),
			highestTable(measured),
			programTable(measured.throughProgram),
			stuckTable(measured.withStuck, ofTarget),
		],
		verdicts: [
			verdict(
				`${RATE} messages/s to ${LISTENERS_OF_TARGET} subscribers, p99 ≤ ${MOST_P99_MS} ms`,
				(ofTarget?.get(RELAYS.tandem) ?? []).map(({ delivery }) => delivery),
			),
			verdict(
				`the same through the program, to ${LISTENERS_OF_TARGET - 1} and over TCP, p99 ≤ ${MOST_P99_MS} ms`,
				(measured.throughProgram.get(RELAYS.tandem) ?? []).flatMap(({ delivery, destination }) =>
					destination === undefined ? [] : [worse(delivery, destination)],
				),
			),
			verdict(
				`the same with one more that takes nothing, p99 ≤ ${MOST_P99_MS} ms`,
				(measured.withStuck.get(RELAYS.tandem) ?? []).map(({ delivery }) => delivery),
			),
		],
		notes: [
			`Messages of ${MESSAGE_BYTES.toLocaleString("en")} bytes, pictures and sound in turn, a key frame each half second, each with the time of its sending in it by the machine's monotonic clock. Delay is from there to the listener's handler; what has not come half a second after the measured stretch is lost.`,
			"Publisher and listeners are threads of one Node process, each its own; they share the machine's cores with the relay, and at many listeners take most of them. Subscribers of the Router acknowledge as the Egress does, and its publisher asks for acknowledgements.",
			"The Router is the real Worker under `wrangler dev`, whose own proxy, a second workerd, all messages pass twice: cores and memory are of both. Memory is PSS. Fan-out is of the host's stream, off air; a destination is published to by the Egress object, from workerd.",
			`A rate is held when every listener's p99 is at most ${MOST_P99_MS} ms, at most 0.1 % is lost and the publisher comes up to it; a step that fails is tried once more. 2 s a step after 0.7 s to settle and a pause in which all queues empty.`,
			"nginx-rtmp pushes the same tags to one RTMP server for each listener, all in the listeners' thread; the relay in Node knows nothing of media, late joiners, acknowledgements or who may listen.",
			"The one that takes nothing has its socket paused. The relay in Node keeps for it all that it has not taken; the Router stops at 2 s or 8 MiB and goes on at a key frame, and lets go of it after 30 s.",
		],
	};
}

/** Which of the two was served worse. */
function worse(a: Delivery, b: Delivery): Delivery {
	const worst = a.worstP99Ms > b.worstP99Ms ? a : b;
	return { ...worst, lost: Math.max(a.lost, b.lost) };
}

function verdict(target: string, deliveries: readonly Delivery[]): Verdict {
	const worstP99Ms = spreadOf(deliveries.map((each) => each.worstP99Ms));
	const lost = quantile(
		deliveries.map((each) => each.lost),
		0.5,
	);
	const show = (ms: number) => ms.toFixed(1);
	return {
		target,
		measured: `${show(worstP99Ms.median)} ms (${show(worstP99Ms.min)}–${show(worstP99Ms.max)}), ${(lost * 100).toFixed(2)} % lost`,
		reached: isHeld({ worstP99Ms: worstP99Ms.median, lost }),
	};
}

function fanOutTable({ fanOut }: RouterMeasurement): BenchTable {
	return {
		title: `${RATE} messages/s in (${(PER_SECOND * MESSAGE_BYTES * 8) / 1e6} Mb/s), to N subscribers`,
		columns: ["relay", "N", ...DELIVERY_COLUMNS],
		rows: fanOut.flatMap(({ listeners, runs }) =>
			[...runs].map(([name, each]): Cell[] => [
				name,
				String(listeners),
				...deliveryCells(each.map(({ delivery }) => delivery)),
			]),
		),
	};
}

function costTable({ fanOut }: RouterMeasurement): BenchTable {
	return {
		title: "What that takes of the machine",
		columns: ["relay", "N", "cores", "memory"],
		rows: fanOut.flatMap(({ listeners, runs }) =>
			[...runs].map(([name, each]): Cell[] => [name, String(listeners), ...costCells(each)]),
		),
	};
}

function highestTable({ fanOut }: RouterMeasurement): BenchTable {
	return {
		title: `Highest rate in, in messages/s, with p99 ≤ ${MOST_P99_MS} ms for everyone`,
		columns: ["relay", ...fanOut.map(({ listeners }) => `N = ${listeners}`)],
		rows: [...(fanOut[0]?.runs.keys() ?? [])].map((name) => [
			name,
			...fanOut.map(({ runs }): Cell => {
				const rates = (runs.get(name) ?? []).map(({ highestRate = Number.NaN }) => highestRate);
				return { value: spreadOf(rates), digits: 0 };
			}),
		]),
	};
}

function programTable(runs: RouterRuns): BenchTable {
	const rows = [...runs].flatMap(([name, each]): Cell[][] => {
		const destinations = each.flatMap(({ destination }) => destination ?? []);
		const over = name === RELAYS.tandem ? `${name}, program → WebSocket` : name;
		return [
			[over, ...deliveryCells(each.map(({ delivery }) => delivery))],
			...(destinations.length === 0
				? []
				: [[`${name}, program → Egress → RTMP over TCP`, ...deliveryCells(destinations)]]),
		];
	});
	return {
		title: `${RATE} messages/s in → program → ${LISTENERS_OF_TARGET - 1} subscribers and one destination over TCP`,
		columns: ["way", ...DELIVERY_COLUMNS],
		rows,
	};
}

function stuckTable(withStuck: RouterRuns, without: RouterRuns | undefined): BenchTable {
	const worst = (runs: readonly RouterRun[]): Cell =>
		runs.length === 0 ? undefined : ms(runs.map(({ delivery }) => delivery.worstP99Ms));
	return {
		title: `${RATE} messages/s in → ${LISTENERS_OF_TARGET} subscribers, and one more that takes nothing`,
		columns: [
			"relay",
			"p99 of the worst without",
			"p99 of the worst with",
			"lost by the others",
			"cores",
			"memory",
			"kept from it",
		],
		rows: [...withStuck].map(([name, runs]): Cell[] => [
			name,
			worst(without?.get(name) ?? []),
			worst(runs),
			percent(runs.map(({ delivery }) => delivery.lost)),
			...costCells(runs),
			runs.every(({ skippedTags }) => skippedTags === undefined)
				? undefined
				: { value: spreadOf(runs.map(({ skippedTags = Number.NaN }) => skippedTags)), unit: "tags", digits: 0 },
		]),
	};
}

function deliveryCells(deliveries: readonly Delivery[]): Cell[] {
	return [
		{ value: spreadOf(deliveries.map((each) => each.messagesPerSecond)), digits: 0 },
		{ value: spreadOf(deliveries.map((each) => each.megabitsPerSecond)), digits: 0 },
		ms(deliveries.map((each) => each.p50Ms)),
		ms(deliveries.map((each) => each.p95Ms)),
		ms(deliveries.map((each) => each.p99Ms)),
		ms(deliveries.map((each) => each.worstP99Ms)),
		percent(deliveries.map((each) => each.lost)),
	];
}

function costCells(runs: readonly RouterRun[]): Cell[] {
	return [
		{ value: spreadOf(runs.map(({ cores }) => cores)), digits: 2 },
		{ value: spreadOf(runs.map(({ memoryBytes }) => memoryBytes / BYTES_PER_MIB)), unit: "MiB", digits: 0 },
	];
}

function ms(values: readonly number[]): Cell {
	return { value: spreadOf(values), unit: "ms" };
}

function percent(shares: readonly number[]): Cell {
	return { value: spreadOf(shares.map((share) => share * 100)), unit: "%", digits: 2 };
}
