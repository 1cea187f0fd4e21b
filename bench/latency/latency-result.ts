import type { BenchResult, BenchTable, Cell, Verdict } from "../harness/bench.ts";
import { type Spread, spreadOf } from "../harness/statistics.ts";
import type { InsideTandem, LatencyRun, Quantiles } from "./latency-run.ts";
import { STAGES, type Stage } from "./stage-times.ts";

/** The contenders, as tables name them. */
export const WAYS = {
	tandem: "Tandem, two people",
	relay: "nginx-rtmp → ffmpeg copying, one person",
	ffmpeg: "nginx-rtmp → ffmpeg hstack, x264 ultrafast, two people",
} as const;

const RECEIVED_P95_MS = 250;
const ENCODED_P95_MS = 60;

const STAGE_NAMES: Readonly<Record<Stage, string>> = {
	ingest: "publisher → RTMP ingest → Router",
	compose: "Router → page → Router",
	egress: "Router → egress → RTMP receiver",
};
const IN_PAGE = {
	inputToEncoded: "in the page: arrival → encoded",
	decode: "in the page: decoding",
	composite: "in the page: compositing",
	encode: "in the page: encoding",
} as const;

export function latencyResult(measured: ReadonlyMap<string, readonly LatencyRun[]>): BenchResult {
	const ours = measured.get(WAYS.tandem) ?? [];
	const insides = ours.flatMap(({ inside }) => inside ?? []);
	return {
		tables: [waysTable(measured), stagesTable(insides)],
		verdicts: [
			verdict("capture → RTMP receiver", RECEIVED_P95_MS, spreadOf(ours.map(({ p95Ms }) => p95Ms))),
			verdict("input → encoded", ENCODED_P95_MS, spreadOf(insides.map(({ inPage }) => inPage.inputToEncoded.p95))),
		],
		notes: [
			"Capture is the moment when a publisher hands a picture to its socket: clips are encoded before (720p30, a key frame each 2 s), and each picture carries its number, which is read again in what the receiver got, decoded after the run.",
			"Each picture counts once, at the first picture of the program that shows it. Publishers, RTMP ingest and receiver are one process with one clock; 10 s to settle, then 15 s measured, in every run.",
			"Tandem stands idle, spare browser and all, while the others are measured. The copying ffmpeg and nginx-rtmp show what RTMP costs with no compositor. ffmpeg has low-delay options on (low_delay, zerolatency, TCP_NODELAY); what composites gets two streams whose times begin together, which real publishers' do not.",
			"Stages are told apart by subscribers of the Router's streams, which are there in every run of Tandem; they hear a picture when the page and the egress do. Shares are of the mean of the whole way.",
			"What is in the page comes from GET /stats, last 10 s of a run. The jitter buffer's delay is what it holds pictures back at the end of a run, and part of arrival → encoded.",
		],
	};
}

function verdict(way: string, mostMs: number, p95: Spread): Verdict {
	const show = (ms: number) => ms.toFixed(1);
	return {
		target: `${way} p95 ≤ ${mostMs} ms`,
		measured: `${show(p95.median)} ms (${show(p95.min)}–${show(p95.max)})`,
		reached: p95.median <= mostMs,
	};
}

function waysTable(measured: ReadonlyMap<string, readonly LatencyRun[]>): BenchTable {
	const rows = [...measured].map(([name, runs]): Cell[] => [
		name,
		ms(runs.map(({ p50Ms }) => p50Ms)),
		ms(runs.map(({ p95Ms }) => p95Ms)),
		ms(runs.map(({ maxMs }) => maxMs)),
		{ value: spreadOf(runs.map(({ unseen }) => unseen * 100)), unit: "%" },
	]);
	return { title: "Capture → RTMP receiver, 720p30", columns: ["way", "p50", "p95", "max", "never shown"], rows };
}

function stagesTable(insides: readonly InsideTandem[]): BenchTable {
	const onTheWay = STAGES.map((stage): Cell[] => {
		const times = insides.map(({ stages }) => stages[stage]);
		return [
			STAGE_NAMES[stage],
			ms(times.map(({ p50Ms }) => p50Ms)),
			ms(times.map(({ p95Ms }) => p95Ms)),
			{ value: spreadOf(times.map(({ share }) => share * 100)), unit: "%" },
		];
	});
	const inPage = (Object.keys(IN_PAGE) as (keyof typeof IN_PAGE)[]).map((part): Cell[] => {
		const of = (which: keyof Quantiles) => ms(insides.map((inside) => inside.inPage[part][which]));
		return [IN_PAGE[part], of("p50"), of("p95"), undefined];
	});
	const held = ms(insides.map(({ playOutDelayMs }) => playOutDelayMs));
	return {
		title: "Where the time goes in Tandem",
		columns: ["part of the way", "p50", "p95", "share"],
		rows: [...onTheWay, ...inPage, ["in the page: held by the jitter buffer", held, undefined, undefined]],
	};
}

function ms(valuesMs: readonly number[]): Cell {
	return { value: spreadOf(valuesMs), unit: "ms" };
}
