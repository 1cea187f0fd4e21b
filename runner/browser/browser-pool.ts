import { setTimeout as setTimer } from "node:timers/promises";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { type Log, messageOf } from "../log.ts";

/** A browser that fails at once must not be started over and over on a machine that also composites. */
const LAUNCH_RETRY: RetryPolicy = { firstMs: 500, capMs: 15_000 };
/** After this long as a spare its launches count as good again. */
const SETTLED_AFTER_MS = 30_000;
/** The next spare waits until the assignment that took the last one has had the machine for itself. */
const REWARM_AFTER_MS = 4_000;

/** What the pool needs of a browser. */
export interface PooledBrowser {
	readonly gone: Promise<string>;
	reload(pageUrl: string): Promise<void>;
	close(): Promise<void>;
}

export interface BrowserPoolOptions<B extends PooledBrowser> {
	readonly pageUrl: string;
	/** Starts a browser and opens the page in it; aborted when the pool is closed, and then leaves nothing behind. */
	readonly launch: (signal: AbortSignal) => Promise<B>;
	readonly log: Log;
	readonly rewarmAfterMs?: number;
	readonly retry?: RetryPolicy;
}

/** Keeps one spare browser at the compositor page, so that an assignment need not wait for one, and replaces a spare that dies. */
export class BrowserPool<B extends PooledBrowser> {
	readonly #options: BrowserPoolOptions<B>;
	readonly #abort = new AbortController();
	#spare: Promise<B> | undefined;
	#rewarmTimer: ReturnType<typeof setTimeout> | undefined;
	#failures = 0;

	constructor(options: BrowserPoolOptions<B>) {
		this.#options = options;
	}

	/** Resolves when the spare is at the page; tries until then. Rejects when the pool is closed meanwhile. */
	async start(): Promise<void> {
		await this.#warm();
	}

	/** The spare, or a fresh browser where there is none; it is the caller's to close. Rejects when the pool is closed. */
	take(): Promise<B> {
		const browser = this.#spare ?? this.#launch();
		this.#spare = undefined;
		this.#failures = 0;
		this.#rewarmTimer ??= setTimeout(() => {
			this.#rewarmTimer = undefined;
			this.#warmUnwatched();
		}, this.#options.rewarmAfterMs ?? REWARM_AFTER_MS);
		return browser;
	}

	/** Loads the page in the spare anew; one that cannot is replaced. Whoever takes the spare meanwhile gets it when that is done. */
	async refresh(): Promise<void> {
		if (this.#spare === undefined) {
			return;
		}
		const refreshed = this.#reloaded(this.#spare);
		this.#spare = refreshed;
		this.#replaceWhenLost(refreshed);
		await refreshed.catch(this.#logUnlessClosed);
	}

	/** Ends the spare and every launch under way. May be called twice. */
	async close(): Promise<void> {
		this.#abort.abort(new Error("browser pool: closed"));
		clearTimeout(this.#rewarmTimer);
		const spare = this.#spare;
		this.#spare = undefined;
		const [result] = await Promise.allSettled([spare]);
		if (result.status === "fulfilled") {
			await result.value?.close();
		}
	}

	#warm(): Promise<B> {
		if (this.#spare === undefined) {
			const spare = this.#launch();
			this.#spare = spare;
			this.#replaceWhenLost(spare);
		}
		return this.#spare;
	}

	#warmUnwatched(): void {
		if (!this.#abort.signal.aborted) {
			this.#warm().catch(this.#logUnlessClosed);
		}
	}

	readonly #logUnlessClosed = (error: unknown): void => {
		if (!this.#abort.signal.aborted) {
			this.#options.log(`spare browser: ${messageOf(error)}`);
		}
	};

	async #launch(): Promise<B> {
		for (;;) {
			this.#abort.signal.throwIfAborted();
			try {
				return await this.#options.launch(this.#abort.signal);
			} catch (error) {
				this.#abort.signal.throwIfAborted();
				this.#options.log(`browser did not start: ${messageOf(error)}`);
				await this.#pauseAfterFailure();
			}
		}
	}

	async #reloaded(spare: Promise<B>): Promise<B> {
		const browser = await spare;
		try {
			await browser.reload(this.#options.pageUrl);
			return browser;
		} catch (error) {
			this.#options.log(`spare browser could not load the page again: ${messageOf(error)}`);
			await browser.close();
			return await this.#launch();
		}
	}

	/** Once taken, a browser is its taker's to watch. */
	#replaceWhenLost(spare: Promise<B>): void {
		const watch = async (): Promise<void> => {
			const browser = await spare;
			const readyAtMs = performance.now();
			const reason = await browser.gone;
			if (this.#spare !== spare) {
				return;
			}
			this.#options.log(`spare browser lost: ${reason}`);
			this.#spare = undefined;
			if (performance.now() - readyAtMs > SETTLED_AFTER_MS) {
				this.#failures = 0;
			}
			await browser.close();
			await this.#pauseAfterFailure();
			this.#warmUnwatched();
		};
		watch().catch(this.#logUnlessClosed);
	}

	/** Rejects when the pool is closed meanwhile. */
	async #pauseAfterFailure(): Promise<void> {
		const delayMs = retryDelayMs(this.#options.retry ?? LAUNCH_RETRY, this.#failures, Math.random());
		this.#failures += 1;
		await setTimer(delayMs, undefined, { signal: this.#abort.signal });
	}
}
