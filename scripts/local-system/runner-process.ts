import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Log, relayLine } from "../../runner/log.ts";

const MAIN = fileURLToPath(new URL("../../runner/main.ts", import.meta.url));
/** A cold Chromium on a loaded machine. */
const READY_WITHIN_MS = 60_000;
/** runner/main.ts insists after 4.5 s itself. */
const STOP_WITHIN_MS = 6_000;

export interface RunnerProcessOptions {
	/** Where it finds the Worker; may be a proxy's address, which its pages then use as well. */
	readonly apiUrl: string;
	readonly runnerToken: string;
	readonly capacity: number;
	readonly log: Log;
}

/** A runner in a process of its own, as on a machine of its own. It takes RTMP on any free port of loopback. */
export class RunnerProcess {
	readonly #child: ChildProcess;
	readonly #exited: Promise<void>;
	#hasExited = false;

	private constructor(options: RunnerProcessOptions) {
		this.#child = spawn(
			process.execPath,
			[
				...[MAIN, "--api", options.apiUrl, "--capacity", String(options.capacity)],
				...["--rtmp-port", "0", "--rtmp-host", "127.0.0.1"],
			],
			{
				stdio: ["ignore", "ignore", "pipe"],
				env: { ...process.env, RUNNER_TOKEN: options.runnerToken },
				// Ctrl-C is for the parent, which stops us when it is our turn.
				detached: true,
			},
		);
		this.#exited = new Promise<void>((resolve) => {
			this.#child.once("error", () => resolve());
			this.#child.once("exit", () => resolve());
		}).then(() => {
			this.#hasExited = true;
		});
	}

	/** Resolves when it is known to the Worker and has a browser to offer; rejects, with nothing left running, when it ends before. */
	static async start(options: RunnerProcessOptions): Promise<RunnerProcess> {
		const runner = new RunnerProcess(options);
		try {
			await runner.#untilReady(options.log);
			return runner;
		} catch (error) {
			await runner.stop();
			throw error;
		}
	}

	/** `undefined` when it could not be started. */
	get pid(): number | undefined {
		return this.#child.pid;
	}

	/** Ends it and its browsers. May be called twice, and when it was killed or stopped. */
	async stop(): Promise<void> {
		if (this.#hasExited) {
			return;
		}
		this.#child.kill("SIGCONT");
		this.#child.kill("SIGTERM");
		const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_WITHIN_MS);
		await this.#exited;
		clearTimeout(timer);
	}

	async #untilReady(log: Log): Promise<void> {
		const ready = Promise.withResolvers<void>();
		const { stderr } = this.#child;
		if (stderr !== null) {
			createInterface({ input: stderr }).on("line", (line) => {
				if (relayLine(log, line, { part: "runner" }) === "ready") {
					ready.resolve();
				}
			});
		}
		const timer = setTimeout(
			() => ready.reject(new Error(`runner process: expected it to be ready within ${READY_WITHIN_MS} ms`)),
			READY_WITHIN_MS,
		);
		void this.#exited.then(() => ready.reject(new Error("runner process: expected it to be ready, it ended")));
		try {
			await ready.promise;
		} finally {
			clearTimeout(timer);
		}
	}
}
