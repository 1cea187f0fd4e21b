import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient, type BroadcastStats } from "../../scripts/api.ts";
import { type DemoPerson, publish } from "../../scripts/demo/people.ts";
import { ProgramReceiver } from "../../scripts/demo/program-receiver.ts";
import { type LocalSystem, startTandem } from "../../scripts/local-system.ts";
import { cpuSecondsOf, processTimes, usageOf } from "../../scripts/process-usage.ts";
import { browsersAmong, browsersByDuty, workBetween } from "./browsers.ts";
import { frameShares, type LiveFigures, type ProgramCounters } from "./live-figures.ts";

/** One broadcast takes one or two seconds; what takes longer than this will not get there. */
const ON_AIR_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 250;
/** Encoders, buffers and V8 have found their level by then. */
const SETTLE_MS = 8_000;
const SPARE_SETTLES_MS = 2_000;
const CHROMIUM = /chrom/i;
const WORKERD = /^workerd/;
const FFMPEG = /^ffmpeg/;
const US_PER_SECOND = 1_000_000;

/** The whole system, with as many places as there are broadcasts. */
export class TandemLive implements AsyncDisposable {
	readonly #system: LocalSystem;
	readonly #clips: Record<DemoPerson, string>;

	private constructor(system: LocalSystem, clips: Record<DemoPerson, string>) {
		this.#system = system;
		this.#clips = clips;
	}

	static async start(folder: string, clips: Record<DemoPerson, string>, capacity: number): Promise<TandemLive> {
		const system = await startTandem({ port: 0, rtmpPort: 0, capacity, logTo: `${folder}/tandem.log` });
		await sleep(SPARE_SETTLES_MS);
		return new TandemLive(system, clips);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#system.stop();
	}

	/**
	 * Puts as many broadcasts of two people each on air, at 720p30 to an RTMP destination each, and looks at them for a while. `undefined` when the machine
	 * does not keep them all on air.
	 */
	async measure(broadcasts: number, seconds: number): Promise<LiveFigures | undefined> {
		const api = new ApiClient(this.#system.apiUrl, this.#system.adminToken);
		const stops: (() => Promise<void>)[] = [];
		try {
			const ids: string[] = [];
			for (let index = 0; index < broadcasts; index++) {
				const receiver = await ProgramReceiver.listen("/dev/null");
				stops.unshift(() => receiver.close());
				const broadcast = await api.create({
					...{ title: `Live ${index}`, alwaysCompose: true, layout: "landscape" },
					destinations: [{ url: receiver.url, streamKey: "live" }],
				});
				await api.start(broadcast.id);
				stops.unshift(() => api.end(broadcast.id).then(() => undefined));
				for (const person of ["host", "guest"] as const) {
					const { url, streamKey } = broadcast.ingest[person].rtmp;
					const publisher = publish(this.#clips[person], `${url}/${streamKey}`);
					stops.unshift(() => publisher.stop());
				}
				ids.push(broadcast.id);
			}
			const looks = () => Promise.all(ids.map((id) => api.stats(id)));
			const deadlineMs = performance.now() + ON_AIR_WITHIN_MS;
			while (!(await looks()).every(isOnAir)) {
				if (performance.now() > deadlineMs) {
					return undefined;
				}
				await sleep(LOOK_EVERY_MS);
			}
			await sleep(SETTLE_MS);
			return await this.#look(looks, broadcasts, seconds);
		} finally {
			for (const stop of stops) {
				await stop();
			}
		}
	}

	async #look(
		looks: () => Promise<BroadcastStats[]>,
		broadcasts: number,
		seconds: number,
	): Promise<LiveFigures | undefined> {
		const [before, cpuBefore, startedMs] = [await looks(), this.#cpu(), performance.now()];
		await sleep(seconds * 1_000);
		const [cpuAfter, tookS] = [this.#cpu(), (performance.now() - startedMs) / 1_000];
		const after = await looks();
		if (![...before, ...after].every(isOnAir)) {
			return undefined;
		}
		const shares = frameShares(before.map(countersOf), after.map(countersOf));
		const latencies = after.map((stats) => reportOf(stats).latencyMs);
		const work = workBetween(cpuBefore.browsers, cpuAfter.browsers);
		const { onAir, spare } = browsersByDuty(work, broadcasts);
		const cores = (name: "worker" | "runner" | "publishers") => (cpuAfter[name] - cpuBefore[name]) / tookS;
		return {
			broadcasts,
			coresEach: [...work.values()].reduce((sum, cpuSeconds) => sum + cpuSeconds, 0) / tookS / broadcasts,
			memoryEachBytes: memoryOf(onAir) / broadcasts,
			spareBytes: memoryOf(spare),
			repeatedShare: shares.repeated,
			droppedShare: shares.dropped,
			latencyP50Ms: Math.max(...latencies.map(({ inputToEncodedP50 }) => inputToEncodedP50)),
			latencyP95Ms: Math.max(...latencies.map(({ inputToEncodedP95 }) => inputToEncodedP95)),
			around: { worker: cores("worker"), runner: cores("runner"), publishers: cores("publishers") },
		};
	}

	/** Seconds of processor time so far. */
	#cpu() {
		const { worker = process.pid } = this.#system.pids();
		return {
			browsers: browsersAmong(processTimes(process.pid, CHROMIUM)),
			worker: cpuSecondsOf(processTimes(worker, WORKERD)),
			runner: ownCpuSeconds(),
			publishers: cpuSecondsOf(processTimes(process.pid, FFMPEG)),
		};
	}
}

function memoryOf(browsers: readonly number[]): number {
	return browsers.reduce((sum, pid) => sum + usageOf(pid, CHROMIUM).memoryBytes, 0);
}

/** Of this process, which the runner and the destinations are part of. */
function ownCpuSeconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / US_PER_SECOND;
}

function reportOf(stats: BroadcastStats) {
	const report = stats.compositor.reported?.stats;
	if (report === undefined) {
		throw new Error("live: expected figures from the compositor, got none");
	}
	return report;
}

function countersOf(stats: BroadcastStats): ProgramCounters {
	const { frames, heldFrames, droppedFrames } = reportOf(stats).program;
	return { frames, heldFrames, droppedFrames };
}

function isOnAir(stats: BroadcastStats): boolean {
	const people = stats.compositor.reported?.stats.people ?? [];
	return (
		people.length === 2 &&
		people.every(({ picture }) => picture === "live") &&
		stats.destinations.every(({ state }) => state === "live")
	);
}
