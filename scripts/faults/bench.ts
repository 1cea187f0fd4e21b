import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sweepProfileFolders } from "../../runner/browser/profile-folder.ts";
import { createLog, logWith } from "../../runner/log.ts";
import { FaultProxy } from "../../test/support/faults/fault-proxy.ts";
import { browserProcessesOf } from "../../test/support/faults/processes-of.ts";
import { livingOf } from "../../test/support/processes.ts";
import { ApiClient } from "../api.ts";
import { RunnerProcess } from "../local-system/runner-process.ts";
import { type LocalSystem, startTandem } from "../local-system.ts";
import { waitFor } from "../wait-for.ts";

/** The kernel's clearing up after a killed browser. */
const GONE_WITHIN_MS = 5_000;

export interface BenchOptions {
	/** Runners with one place each, in processes of their own. */
	readonly compositors: number;
	readonly onLog?: (line: string) => void;
}

/**
 * The whole system with a handle at every part that can fail: publishers and the compositors' pages reach it over lines that can misbehave, and whatever
 * composes is a process that can be killed. RTMP is taken by this process's own runner, which composes nothing.
 */
export class FaultBench implements AsyncDisposable {
	readonly system: LocalSystem;
	readonly api: ApiClient;
	/** From publishers to RTMP ingest. */
	readonly publisherLine: FaultProxy;
	/** From runners and their pages to the Worker. */
	readonly pageLine: FaultProxy;
	readonly runners: readonly RunnerProcess[];
	readonly #undo: AsyncDisposableStack;
	readonly #browserPids = new Set<number>();

	private constructor(
		parts: Pick<FaultBench, "system" | "publisherLine" | "pageLine" | "runners">,
		undo: AsyncDisposableStack,
	) {
		this.system = parts.system;
		this.api = new ApiClient(parts.system.apiUrl, parts.system.adminToken);
		this.publisherLine = parts.publisherLine;
		this.pageLine = parts.pageLine;
		this.runners = parts.runners;
		this.#undo = undo;
	}

	static async start(options: BenchOptions): Promise<FaultBench> {
		await using undo = new AsyncDisposableStack();
		const state = mkdtempSync(join(tmpdir(), "tandem-faults-"));
		undo.defer(() => rmSync(state, { recursive: true, force: true }));
		undo.defer(() => sweepProfileFolders());
		const { onLog = () => {} } = options;
		const system = await startTandem({
			port: 0,
			rtmpPort: 0,
			capacity: 0,
			persist: join(state, "system"),
			onLog,
		});
		undo.defer(() => system.stop());
		const publisherLine = undo.use(await FaultProxy.to(Number(new URL(system.rtmpUrl).port)));
		const pageLine = undo.use(await FaultProxy.to(Number(new URL(system.apiUrl).port)));
		const runners = await Promise.all(
			Array.from({ length: options.compositors }, async (_, index) => {
				const runner = await RunnerProcess.start({
					apiUrl: `http://127.0.0.1:${pageLine.port}`,
					runnerToken: system.runnerToken,
					capacity: 1,
					log: logWith(createLog("runner", onLog), { runner: index + 1 }),
				});
				undo.defer(() => runner.stop());
				return runner;
			}),
		);
		return new FaultBench({ system, publisherLine, pageLine, runners }, undo.move());
	}

	/** Of the runners that live. */
	get runnerPids(): number[] {
		return livingOf(this.runners.flatMap(({ pid }) => (pid === undefined ? [] : [pid])));
	}

	/** The runner that has started a process. */
	runnerOf(pid: number): number | undefined {
		return this.runnerPids.find((runner) => browserProcessesOf(runner).includes(pid));
	}

	get workerPid(): number {
		const { worker } = this.system.pids();
		if (worker === undefined) {
			throw new Error("faults: expected the Worker's process, got none");
		}
		return worker;
	}

	/** Remembers the browsers that are there now, so that they can be missed when all has ended. */
	noteBrowsers(): void {
		for (const pid of this.runnerPids.flatMap(browserProcessesOf)) {
			this.#browserPids.add(pid);
		}
	}

	/** Whether the Worker answers. */
	async answers(): Promise<boolean> {
		try {
			const response = await fetch(new URL("/api/health", this.system.apiUrl), { signal: AbortSignal.timeout(1_000) });
			return response.ok;
		} catch {
			return false;
		}
	}

	/** Ends everything. Throws when a process is left. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.noteBrowsers();
		await this.#undo.disposeAsync();
		await waitFor(
			"every browser to be gone",
			GONE_WITHIN_MS,
			() => livingOf([...this.#browserPids]).length === 0 || undefined,
		);
	}
}
