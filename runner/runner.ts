import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { MAX_EGRESS_JOBS } from "../worker/protocol/egress-jobs.ts";
import { HEARTBEAT_EVERY_MS, type PoolMessage } from "../worker/protocol/pool-messages.ts";
import { Assignments } from "./assignments.ts";
import { BrowserPool } from "./browser/browser-pool.ts";
import { CompositorBrowser } from "./browser/compositor-browser.ts";
import { findChromium } from "./browser/find-chromium.ts";
import { sweepProfileFolders } from "./browser/profile-folder.ts";
import { EgressJobs } from "./egress/egress-jobs.ts";
import { type Log, messageOf } from "./log.ts";
import { PoolClient } from "./pool/pool-client.ts";
import { RtmpIngest } from "./rtmp-ingest/rtmp-ingest.ts";
import type { RunnerSettings } from "./runner-options.ts";

/** Where the Worker serves the compositor page (vite.config.ts). */
const COMPOSITOR_PAGE = "/compositor/";
const MAX_HOST_CHARS = 40;

export interface RunnerOptions extends RunnerSettings {
	/** Default: PUPPETEER_EXECUTABLE_PATH, else the usual places. */
	readonly chromiumPath?: string;
	/** Destinations published to at once. Default and most: {@link MAX_EGRESS_JOBS}, whatever the capacity; 0 leaves them to other runners. */
	readonly egressPlaces?: number;
	readonly log: Log;
	/** The Worker does not take this runner, for good: it can only be stopped. */
	readonly onRefused: (reason: string) => void;
}

/**
 * The service beside Chromium: runs compositor pages for the Worker's CompositorPool, accepts RTMP, which a Worker cannot, and publishes to
 * destinations that must not or cannot be reached from a Worker, whatever its capacity for compositors. It dials out
 * to the Worker, so it needs no public address but the RTMP port.
 */
export class Runner {
	readonly #options: RunnerOptions;
	readonly #runnerId = `${hostname().slice(0, MAX_HOST_CHARS)}-${randomBytes(6).toString("hex")}`;
	readonly #ingest: RtmpIngest;
	readonly #browsers: BrowserPool<CompositorBrowser>;
	readonly #assignments: Assignments;
	readonly #egresses: EgressJobs;
	readonly #pool: PoolClient;
	readonly #connected = Promise.withResolvers<void>();
	#pollTimer: ReturnType<typeof setInterval> | undefined;
	#stopping: Promise<void> | undefined;
	#rtmpPort = 0;

	constructor(options: RunnerOptions) {
		this.#options = options;
		const { apiUrl, runnerToken, capacity, log } = options;
		const chromiumPath =
			options.chromiumPath ?? findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, (path) => existsSync(path));
		const pageUrl = new URL(COMPOSITOR_PAGE, apiUrl).href;
		this.#ingest = new RtmpIngest({ apiUrl, log });
		this.#browsers = new BrowserPool({
			pageUrl,
			launch: (signal) => CompositorBrowser.launch({ pageUrl, chromiumPath, log, signal }),
			log,
		});
		this.#assignments = new Assignments({
			apiUrl,
			capacity,
			takeBrowser: () => this.#browsers.take(),
			onReleased: (leaseId, reason) => this.#pool.send({ type: "released", leaseId, reason }),
			log,
		});
		this.#egresses = new EgressJobs({
			apiUrl,
			send: (message) => this.#pool.send(message),
			poolHeardAtMs: () => this.#pool.heardAtMs,
			log,
		});
		this.#pool = new PoolClient({
			apiUrl,
			runnerToken,
			hello: () => ({
				type: "hello",
				runnerId: this.#runnerId,
				capacity,
				leaseIds: this.#assignments.leaseIds(),
				egressPlaces: options.egressPlaces ?? MAX_EGRESS_JOBS,
				egressJobs: this.#egresses.held(),
			}),
			heartbeat: () => ({ type: "heartbeat", leases: this.#assignments.leases() }),
			onMessage: (message) => this.#take(message),
			onConnected: (again) => this.#welcome(again),
			onRefused: (reason) => {
				this.#connected.reject(new Error(`runner: ${reason}`));
				options.onRefused(reason);
			},
			log,
		});
		// Told by start() while it waits, and by onRefused at any time.
		this.#connected.promise.catch(() => {});
	}

	/** The RTMP port listened on, once started. */
	get rtmpPort(): number {
		return this.#rtmpPort;
	}

	/**
	 * Resolves when publishers can connect, a spare browser is at the page and the Worker knows this runner; waits for a Worker that is not
	 * up yet. Rejects when the RTMP port is taken, the Worker refuses, or the runner is stopped meanwhile.
	 */
	async start(): Promise<void> {
		const { rtmpPort, rtmpHost, capacity, log } = this.#options;
		this.#rtmpPort = await this.#ingest.listen(rtmpPort, rtmpHost);
		log(`RTMP on ${rtmpHost}:${this.#rtmpPort}`);
		await sweepProfileFolders();
		if (capacity > 0) {
			// Only a runner that can start a browser offers places.
			await this.#browsers.start();
		}
		this.#pollTimer = setInterval(() => this.#poll(), HEARTBEAT_EVERY_MS);
		this.#pool.start();
		await this.#connected.promise;
	}

	/** Ends publishers, compositors, browsers and the line to the Worker, in under 5 s. May be called twice. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		clearInterval(this.#pollTimer);
		this.#connected.reject(new Error("runner: stopped"));
		await Promise.all([
			this.#ingest.close(),
			Promise.all([this.#assignments.close("runner stops"), this.#egresses.close("runner stops")]).then(() =>
				this.#pool.close(),
			),
			this.#browsers.close(),
		]);
	}

	#take(message: PoolMessage): void {
		switch (message.type) {
			case "assign":
				this.#assignments.assign(message);
				break;
			case "release":
				this.#assignments.release(message.leaseId);
				break;
			case "egress-start":
				this.#egresses.start(message.job);
				break;
			case "egress-stop":
				this.#egresses.stop(message, message.final);
				break;
			default:
				message satisfies never;
		}
	}

	#welcome(again: boolean): void {
		this.#options.log(again ? "connected to the Worker again" : "connected to the Worker");
		this.#connected.resolve();
		if (again) {
			// The Worker may be a new version by now, with another page.
			this.#browsers.refresh().catch((error: unknown) => this.#options.log(`spare browser: ${messageOf(error)}`));
		}
	}

	#poll(): void {
		this.#assignments.poll().catch((error: unknown) => this.#options.log(`asking the pages: ${messageOf(error)}`));
	}
}
