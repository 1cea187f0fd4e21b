import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog, type Log, logWith } from "../runner/log.ts";
import { Runner } from "../runner/runner.ts";
import { sha256Hex } from "../worker/auth/secret.ts";
import { applyIndexMigrations } from "./local-system/index-migrations.ts";
import { type LogFile, openLogFile } from "./local-system/log-file.ts";
import { buildPagesIfStale } from "./local-system/page-build.ts";
import { usablePort } from "./local-system/ports.ts";
import { localSecrets, previousSecrets, randomSecret } from "./local-system/secrets.ts";
import { claimStateFolder, type StateFolder } from "./local-system/state-folder.ts";
import { WorkerProcess } from "./local-system/worker-process.ts";
import { waitFor } from "./wait-for.ts";

const DEFAULT_HOST = "127.0.0.1";
/** A cold Chromium and a cold Worker on two loaded cores. */
const READY_WITHIN_MS = 60_000;
const HEALTH_TIMEOUT_MS = 5_000;
/** The runner's share of the 5 s in which everything has ended. */
const RUNNER_STOP_WITHIN_MS = 3_000;
/** Everybody who asks has one address here, and most of them one token. */
const LOCAL_RATE_LIMIT_FACTOR = 1_000;
const LOG_FILE = "logs/tandem.log";

export interface LocalSystemOptions {
	/** Of the Worker and of RTMP; 0 for any free one. */
	readonly port: number;
	readonly rtmpPort: number;
	/** Address both listen on. Default 127.0.0.1. */
	readonly host?: string;
	/** Folder for state, secrets and logs that outlive the system. Default: a temporary one. */
	readonly persist?: string;
	/** Compositors at once. Default: one a core. 0 leaves them to other runners, and the system is up before there is one. */
	readonly capacity?: number;
	/** Destinations its runner publishes to. Default: as many as a runner may. 0 leaves them to other runners. */
	readonly egressPlaces?: number;
	/** Default: generated. */
	readonly adminToken?: string;
	/** Settings of the Worker that are to be others than in wrangler.toml. */
	readonly vars?: Readonly<Record<string, string>>;
	/** How many times the Worker's limits on how often somebody may ask. Default: so many that one machine does not come to them. */
	readonly rateLimitFactor?: number;
	/** File that log lines are appended to. Default: in `persist`. */
	readonly logTo?: string;
	/** Told every log line as well: JSON, without secrets. */
	readonly onLog?: (line: string) => void;
	/** Stops the start. */
	readonly signal?: AbortSignal;
}

export interface LocalSystem {
	/** Origin, such as `http://127.0.0.1:8787`. */
	readonly apiUrl: string;
	/** Where publishers connect, such as `rtmp://127.0.0.1:1935/live`. */
	readonly rtmpUrl: string;
	readonly adminToken: string;
	readonly runnerToken: string;
	readonly logFile: string;
	/** Roots of the process trees: this process holds the runner and its browsers, `worker` holds workerd. */
	pids(): { readonly runner: number; readonly worker: number | undefined };
	/** Ends everything within 5 s and leaves no process behind. May be called twice. */
	stop(): Promise<void>;
}

/**
 * The whole system on this machine: Worker, RTMP port and a runner, the last in this process. Resolves when a broadcast can go live; rejects
 * with nothing left running.
 */
export async function startTandem(options: LocalSystemOptions): Promise<LocalSystem> {
	const system = new StartingSystem(options);
	try {
		return await system.start();
	} catch (error) {
		await system.stop();
		throw error;
	}
}

class StartingSystem {
	readonly #options: LocalSystemOptions;
	#state: StateFolder | undefined;
	#logFile: LogFile | undefined;
	#worker: WorkerProcess | undefined;
	#runner: Runner | undefined;
	#stopping: Promise<void> | undefined;

	constructor(options: LocalSystemOptions) {
		this.#options = options;
	}

	async start(): Promise<LocalSystem> {
		const { signal } = this.#options;
		const host = this.#options.host ?? DEFAULT_HOST;
		const port = await usablePort(this.#options.port, host, "--port");
		const rtmpPort = await usablePort(this.#options.rtmpPort, host, "--rtmp-port");
		const state = claimStateFolder(this.#options.persist);
		this.#state = state;
		const logPath = this.#options.logTo ?? join(state.path, LOG_FILE);
		const log = this.#openLog(logPath);
		const secrets = localSecrets(state.path, process.env);
		const adminToken = this.#options.adminToken ?? randomSecret();
		const apiUrl = `http://${reachable(host)}:${port}`;
		const rtmpUrl = `rtmp://${reachable(host)}:${rtmpPort}/live`;
		const persistFolder = join(state.path, "state");
		mkdirSync(persistFolder, { recursive: true });
		await allDone([buildPagesIfStale(), applyIndexMigrations(persistFolder)]);
		signal?.throwIfAborted();

		const worker = new WorkerProcess(
			{
				host,
				port,
				persistFolder,
				vars: {
					RTMP_INGEST_URL: process.env.RTMP_INGEST_URL ?? rtmpUrl,
					ALLOW_PRIVATE_DESTINATIONS: "1",
					...this.#options.vars,
				},
				rateLimitFactor: this.#options.rateLimitFactor ?? LOCAL_RATE_LIMIT_FACTOR,
				secrets: {
					ADMIN_TOKEN_SHA256: await sha256Hex(adminToken),
					RUNNER_TOKEN: secrets.runnerToken,
					SIGNING_KEY: secrets.signingKey,
					ENCRYPTION_KEY: secrets.encryptionKey,
					...previousSecrets(process.env),
				},
			},
			log,
		);
		this.#worker = worker;
		await worker.start();
		signal?.throwIfAborted();

		const capacity = this.#options.capacity ?? availableParallelism();
		let refusal: string | undefined;
		const runner = new Runner({
			apiUrl,
			runnerToken: secrets.runnerToken,
			capacity,
			...(this.#options.egressPlaces !== undefined && { egressPlaces: this.#options.egressPlaces }),
			rtmpPort,
			rtmpHost: host,
			log: logWith(log, { part: "runner" }),
			onRefused: (reason) => {
				refusal = reason;
				log(reason, { level: "error", part: "runner" });
			},
		});
		this.#runner = runner;
		await abortable(runner.start(), signal);
		if (capacity > 0) {
			await waitFor("the Worker to have taken the runner", READY_WITHIN_MS, async () => {
				signal?.throwIfAborted();
				if (refusal !== undefined) {
					throw new Error(`runner: ${refusal}`);
				}
				return (await hasRunner(apiUrl)) || undefined;
			});
		}
		return {
			apiUrl,
			rtmpUrl,
			adminToken,
			runnerToken: secrets.runnerToken,
			logFile: logPath,
			pids: () => ({ runner: process.pid, worker: worker.pid }),
			stop: () => this.stop(),
		};
	}

	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		// The runner first: its compositors end their streams while the Worker still listens.
		await Promise.race([this.#runner?.stop(), sleep(RUNNER_STOP_WITHIN_MS, undefined, { ref: false })]);
		await this.#worker?.stop();
		await this.#logFile?.close();
		this.#state?.release();
	}

	#openLog(path: string): Log {
		const file = openLogFile(path);
		this.#logFile = file;
		return createLog("tandem", (line) => {
			file.write(line);
			this.#options.onLog?.(line);
		});
	}
}

/** An address that every interface listens on is reached by this machine itself at loopback. */
function reachable(host: string): string {
	return host === "0.0.0.0" ? DEFAULT_HOST : host;
}

/** Whether a runner offers places, free or not: broadcasts that were live before a restart may take them all at once. */
async function hasRunner(apiUrl: string): Promise<boolean> {
	const response = await fetch(new URL("/api/health", apiUrl), { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
	const health: unknown = await response.json();
	return typeof health === "object" && health !== null && "runners" in health && Number(health.runners) > 0;
}

/** Waits for all of them even when one fails, so that none is left running; then throws the first failure. */
async function allDone(promises: readonly Promise<void>[]): Promise<void> {
	const outcomes = await Promise.allSettled(promises);
	const failed = outcomes.find((outcome) => outcome.status === "rejected");
	if (failed !== undefined) {
		throw failed.reason;
	}
}

/** The promise's outcome, or the signal's reason as soon as it is aborted. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
	if (signal === undefined) {
		return await promise;
	}
	signal.throwIfAborted();
	const aborted = Promise.withResolvers<never>();
	const onAbort = () => aborted.reject(signal.reason);
	signal.addEventListener("abort", onAbort, { once: true });
	try {
		return await Promise.race([promise, aborted.promise]);
	} finally {
		signal.removeEventListener("abort", onAbort);
	}
}
