import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { type Log, relayLine } from "../../runner/log.ts";
import { LOG_LEVELS, type LogLevel } from "../../worker/protocol/log-line.ts";
import { LivenessWatch } from "./liveness-watch.ts";
import type { FromWorkerProcess, ToWorkerProcess, WorkerSettings } from "./worker-messages.ts";
import { wranglerEnvironment } from "./wrangler-environment.ts";

const MAIN = fileURLToPath(new URL("worker-main.ts", import.meta.url));
/** Bundling and starting workerd take a second; a loaded machine some. wrangler waits for ever where it cannot start. */
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 1_500;
const RESTART: RetryPolicy = { firstMs: 500, capMs: 10_000 };
/** A process that ran this long was healthy: its end starts the back-off anew. */
const SETTLED_AFTER_MS = 60_000;
/** wrangler starts a workerd that dies again, but where it was the one in front it takes connections from then on and never answers. */
const DEAF_AFTER_MS = 10_000;
const LISTEN_EVERY_MS = 2_000;

/** The Worker in a process group of its own, started again when it dies or stops answering. (When workerd alone dies, wrangler starts that again.) */
export class WorkerProcess {
	readonly #settings: WorkerSettings;
	readonly #log: Log;
	#child: ChildProcess | undefined;
	#restartTimer: ReturnType<typeof setTimeout> | undefined;
	#restarts = 0;
	#stopping: Promise<void> | undefined;

	constructor(settings: WorkerSettings, log: Log) {
		this.#settings = settings;
		this.#log = log;
	}

	get pid(): number | undefined {
		return this.#child?.pid;
	}

	/** Resolves when the Worker answers requests; rejects when it cannot be started. */
	async start(): Promise<void> {
		const child = fork(MAIN, [], { detached: true, silent: true, env: wranglerEnvironment(process.env) });
		this.#child = child;
		this.#relay(child);
		try {
			await this.#untilReady(child);
		} catch (error) {
			await this.#endChild(child);
			throw error;
		}
		const readyAtMs = performance.now();
		const watch = this.#watch(child);
		child.once("exit", (code, signal) => {
			watch.stop();
			this.#lost(child, signal ?? `code ${code}`, readyAtMs);
		});
	}

	#watch(child: ChildProcess): LivenessWatch {
		const { host, port } = this.#settings;
		const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}/api/health`;
		return new LivenessWatch({
			ask: async (signal) => void (await (await fetch(url, { signal })).arrayBuffer()),
			onDead: () => {
				this.#log(`worker: has not answered for ${DEAF_AFTER_MS} ms, ending it`, { level: "warn" });
				killGroup(child);
			},
			everyMs: LISTEN_EVERY_MS,
			deadAfterMs: DEAF_AFTER_MS,
		});
	}

	/** Ends the Worker and all its processes. May be called twice. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		clearTimeout(this.#restartTimer);
		if (this.#child !== undefined) {
			await this.#endChild(this.#child);
		}
	}

	#untilReady(child: ChildProcess): Promise<void> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(
				() => reject(new Error(`worker: expected it to be ready within ${START_TIMEOUT_MS} ms`)),
				START_TIMEOUT_MS,
			);
			child.once("exit", (code, signal) => {
				clearTimeout(timer);
				reject(new Error(`worker: expected it to start, its process ended with ${signal ?? `code ${code}`}`));
			});
			child.on("message", (message: FromWorkerProcess) => {
				switch (message.type) {
					case "ready":
						clearTimeout(timer);
						resolve();
						break;
					case "failed":
						clearTimeout(timer);
						reject(new Error(`worker: ${message.reason}`));
						break;
					case "log":
						relayLine(this.#log, message.text, { part: "worker", level: levelOf(message.level) });
						break;
					default:
						message satisfies never;
				}
			});
			const start: ToWorkerProcess = { type: "start", settings: this.#settings };
			child.send(start);
		});
	}

	/** wrangler's own words, such as that workerd crashed and is started again. */
	#relay(child: ChildProcess): void {
		for (const stream of [child.stdout, child.stderr]) {
			if (stream !== null) {
				createInterface({ input: stream }).on("line", (line) => {
					if (line.trim() !== "") {
						this.#log(line, { part: "wrangler" });
					}
				});
			}
		}
	}

	#lost(child: ChildProcess, how: string, readyAtMs: number): void {
		if (this.#stopping !== undefined) {
			return;
		}
		if (performance.now() - readyAtMs > SETTLED_AFTER_MS) {
			this.#restarts = 0;
		}
		killGroup(child);
		const delayMs = retryDelayMs(RESTART, this.#restarts, Math.random());
		this.#restarts += 1;
		this.#log(`worker: its process ended with ${how}, starting again in ${Math.round(delayMs)} ms`);
		this.#restartTimer = setTimeout(() => this.#restart(), delayMs);
	}

	#restart(): void {
		this.start().catch((error: unknown) => {
			const child = this.#child;
			this.#log(`worker: did not start again: ${error instanceof Error ? error.message : String(error)}`);
			if (child !== undefined) {
				this.#lost(child, "a failed start", performance.now());
			}
		});
	}

	async #endChild(child: ChildProcess): Promise<void> {
		if (child.exitCode === null && child.signalCode === null) {
			const exited = once(child, "exit");
			if (child.connected) {
				const stop: ToWorkerProcess = { type: "stop" };
				child.send(stop);
			}
			const timer = setTimeout(() => killGroup(child), STOP_TIMEOUT_MS);
			await exited;
			clearTimeout(timer);
		}
		// Whatever of it did not end by itself.
		killGroup(child);
	}
}

/** workerd's words for levels are more than ours. */
function levelOf(level: string): LogLevel {
	return LOG_LEVELS.find((each) => each === level) ?? "info";
}

/** Kills the child and every process it started, whether or not it still lives itself. */
function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) {
		return;
	}
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
			throw error;
		}
	}
}
