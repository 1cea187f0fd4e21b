import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { Assignments } from "../../runner/assignments.ts";
import { CompositorBrowser } from "../../runner/browser/compositor-browser.ts";
import { findChromium } from "../../runner/browser/find-chromium.ts";
import type { Log } from "../../runner/log.ts";
import { PoolClient } from "../../runner/pool/pool-client.ts";
import { HEARTBEAT_EVERY_MS } from "../../worker/protocol/pool-messages.ts";

/** Where the Worker serves the compositor page (vite.config.ts). */
const COMPOSITOR_PAGE = "/compositor/";

export interface RunnerSettings {
	readonly apiUrl: string;
	readonly runnerToken: string;
	readonly log: Log;
}

/**
 * A runner with one place and no spare browser: it is made of the runner's own parts, but launches a browser only when it is assigned a broadcast, as a
 * runner does whose spare is taken.
 */
export class ColdRunner {
	readonly #assignments: Assignments;
	readonly #pool: PoolClient;
	readonly #connected = Promise.withResolvers<void>();
	readonly #abort = new AbortController();
	#launchedAtMs: number | undefined;
	#pollTimer: ReturnType<typeof setInterval> | undefined;

	constructor({ apiUrl, runnerToken, log }: RunnerSettings) {
		const chromiumPath = findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync);
		const pageUrl = new URL(COMPOSITOR_PAGE, apiUrl).href;
		this.#assignments = new Assignments({
			apiUrl,
			capacity: 1,
			takeBrowser: async () => {
				const browser = await CompositorBrowser.launch({ pageUrl, chromiumPath, log, signal: this.#abort.signal });
				this.#launchedAtMs = performance.now();
				return browser;
			},
			onReleased: (leaseId, reason) => this.#pool.send({ type: "released", leaseId, reason }),
			log,
		});
		const runnerId = `cold-${randomBytes(6).toString("hex")}`;
		this.#pool = new PoolClient({
			apiUrl,
			runnerToken,
			hello: () => ({
				type: "hello",
				runnerId,
				capacity: 1,
				leaseIds: this.#assignments.leaseIds(),
				egressPlaces: 0,
				egressJobs: [],
			}),
			heartbeat: () => ({ type: "heartbeat", leases: this.#assignments.leases() }),
			onMessage: (message) => {
				if (message.type === "assign") {
					void this.#assignments.assign(message);
				} else if (message.type === "release") {
					this.#assignments.release(message.leaseId);
				}
			},
			onConnected: () => this.#connected.resolve(),
			onRefused: (reason) => this.#connected.reject(new Error(`cold runner: ${reason}`)),
			log,
		});
	}

	/** When its browser was at the page. */
	get launchedAtMs(): number | undefined {
		return this.#launchedAtMs;
	}

	async start(): Promise<void> {
		this.#pollTimer = setInterval(() => void this.#assignments.poll(), HEARTBEAT_EVERY_MS);
		this.#pool.start();
		await this.#connected.promise;
	}

	/** Ends its browser and its line to the Worker. */
	async stop(): Promise<void> {
		clearInterval(this.#pollTimer);
		this.#abort.abort(new Error("cold runner: stopped"));
		await this.#assignments.close("runner stops");
		await this.#pool.close();
	}
}
