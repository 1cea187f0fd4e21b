import { type ChildProcess, spawn } from "node:child_process";

export interface Finished {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Another program, which never outlives `withinMs`. */
export class PeerProcess {
	readonly finished: Promise<Finished>;
	readonly #child: ChildProcess;

	constructor(command: string, args: readonly string[], withinMs: number) {
		const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
		this.#child = child;
		const kill = setTimeout(() => child.kill("SIGKILL"), withinMs);
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (bytes: Buffer) => {
			stdout += bytes.toString();
		});
		child.stderr.on("data", (bytes: Buffer) => {
			stderr += bytes.toString();
		});
		this.finished = new Promise((resolve, reject) => {
			child.on("error", reject);
			child.on("close", (code) => {
				clearTimeout(kill);
				resolve({ code, stdout, stderr });
			});
		});
	}

	async stop(): Promise<Finished> {
		this.#child.kill("SIGTERM");
		return await this.finished;
	}
}

/** Runs a program to its end, which must be a good one. */
export async function runToEnd(command: string, args: readonly string[], withinMs: number): Promise<Finished> {
	const finished = await new PeerProcess(command, args, withinMs).finished;
	if (finished.code !== 0) {
		throw new Error(`${command}: expected exit code 0, got ${finished.code}: ${finished.stderr.slice(-2_000)}`);
	}
	return finished;
}

/** Tries until it works, at most for `withinMs`. */
export async function eventually<T>(withinMs: number, attempt: () => Promise<T>): Promise<T> {
	const until = performance.now() + withinMs;
	for (;;) {
		try {
			return await attempt();
		} catch (error) {
			if (performance.now() > until) {
				throw error;
			}
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
}
