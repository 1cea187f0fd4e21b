import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** How long a program may take to end by itself after SIGTERM. */
const GRACE_MS = 3_000;
/** What it said last is kept; all of it would fill memory when a peer complains about every packet. */
const MAX_SAID_CHARS = 200_000;

/** A peer run as a program of its own. Disposing of it ends it and what it started, by process group. */
export class PeerProgram implements AsyncDisposable {
	/** Resolves, never rejects, with how it ended: `0`, `SIGTERM`, or the error that kept it from starting. */
	readonly ended: Promise<string>;
	readonly #child: ChildProcess;
	readonly #name: string;
	#said = "";
	#hasEnded = false;

	constructor(command: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv; stdin?: "pipe" } = {}) {
		this.#name = command;
		// A group of its own, so that wrappers such as xvfb-run leave nothing behind.
		this.#child = spawn(command, args, {
			stdio: [options.stdin ?? "ignore", "ignore", "pipe"],
			detached: true,
			env: options.env ?? process.env,
		});
		this.#child.stderr?.on("data", (data: Buffer) => {
			this.#said = (this.#said + data.toString()).slice(-MAX_SAID_CHARS);
		});
		this.ended = new Promise((resolve) => {
			this.#child.once("error", (error) => resolve(error.message));
			this.#child.once("close", (code, signal) => resolve(signal ?? String(code)));
		}).then((how) => {
			this.#hasEnded = true;
			return String(how);
		});
	}

	/** Everything said on stderr, as far as it is kept. */
	get said(): string {
		return this.#said;
	}

	get running(): boolean {
		return !this.#hasEnded;
	}

	get stdin(): Writable {
		if (this.#child.stdin === null || this.#child.stdin === undefined) {
			throw new Error(`${this.#name}: expected a pipe to write to, got none`);
		}
		return this.#child.stdin;
	}

	/** Asks it to end, then insists. May be called twice. */
	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		this.#kill(signal);
		const insist = setTimeout(() => this.#kill("SIGKILL"), GRACE_MS);
		await this.ended;
		clearTimeout(insist);
		// The leader is gone; whoever it left in its group goes too.
		this.#killGroup("SIGKILL");
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	#kill(signal: NodeJS.Signals): void {
		if (!this.#hasEnded) {
			this.#killGroup(signal);
		}
	}

	#killGroup(signal: NodeJS.Signals): void {
		if (this.#child.pid === undefined) {
			return;
		}
		try {
			process.kill(-this.#child.pid, signal);
		} catch {
			// The group has ended already.
		}
	}
}
