import type { ChildProcess } from "node:child_process";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { z } from "zod";
import type { CompositorAssignment, CompositorPageStatus } from "../../worker/protocol/pool-messages.ts";
import { type Log, messageOf } from "../log.ts";
import { bounded } from "./bounded.ts";
import { chromiumEnvironment, chromiumFlags } from "./chromium-flags.ts";
import { ConsoleRelay } from "./console-relay.ts";
import { makeProfileFolder, removeProfileFolder } from "./profile-folder.ts";

/** A cold Chromium on a loaded machine of two cores. */
const LAUNCH_TIMEOUT_MS = 30_000;
const PAGE_LOAD_TIMEOUT_MS = 15_000;
/** A page that does not answer for this long is stuck: its own loop runs every few milliseconds. */
export const STATUS_TIMEOUT_MS = 3_000;
const READY_POLL_MS = 50;
const START_TIMEOUT_MS = 5_000;
/** What a browser is given to close by itself before it is killed; several close at once and all must be gone in 5 s. */
const CLOSE_TIMEOUT_MS = 1_500;
const STOP_PAGE_TIMEOUT_MS = 300;
const EXIT_TIMEOUT_MS = 2_000;

const statusSchema = z.object({
	state: z.enum(["idle", "starting", "running", "failed", "closed"]),
	programFrames: z.number().int().nonnegative(),
	reason: z.string().optional(),
});

/** The page's globals (compositor-page/page.ts). */
interface CompositorGlobals {
	tandemStart?(assignment: CompositorAssignment): void;
	tandemStatus?(): CompositorPageStatus;
	tandemStop?(): void;
}

export interface CompositorBrowserOptions {
	readonly pageUrl: string;
	readonly chromiumPath: string;
	readonly log: Log;
	/** Aborting closes the browser, launched or still launching. */
	readonly signal: AbortSignal;
}

/**
 * One Chromium process, of its own profile, with the compositor page open in it. It takes one assignment in its life.
 *
 * DevTools runs over a pipe, so the browser ends by itself when this process does, however that ends.
 */
export class CompositorBrowser {
	readonly #browser: Browser;
	readonly #page: Page;
	readonly #process: ChildProcess;
	readonly #profile: string;
	readonly #relay: ConsoleRelay;
	#closing: Promise<void> | undefined;
	/** Resolves with why, once this browser can serve no more: its process or its page has ended. Never rejects. */
	readonly gone: Promise<string>;

	private constructor(browser: Browser, page: Page, process: ChildProcess, profile: string, relay: ConsoleRelay) {
		this.#browser = browser;
		this.#page = page;
		this.#process = process;
		this.#profile = profile;
		this.#relay = relay;
		this.gone = new Promise((resolve) => {
			browser.once("disconnected", () => resolve("browser ended"));
			process.once("exit", (code, signal) => resolve(`browser ended with ${signal ?? `code ${code}`}`));
			page.once("error", (error) => resolve(error.message));
			page.once("close", () => resolve("page closed"));
		});
	}

	/** Resolves when the page is loaded and could be given an assignment; a failed launch leaves nothing behind. */
	static async launch(options: CompositorBrowserOptions): Promise<CompositorBrowser> {
		const profile = await makeProfileFolder();
		let browser: Browser | undefined;
		try {
			browser = await puppeteer.launch({
				executablePath: options.chromiumPath,
				headless: true,
				pipe: true,
				userDataDir: profile,
				args: chromiumFlags(process.getuid?.() === 0),
				env: chromiumEnvironment(process.env, profile),
				timeout: LAUNCH_TIMEOUT_MS,
				signal: options.signal,
				handleSIGINT: false,
				handleSIGTERM: false,
				handleSIGHUP: false,
			});
			const browserProcess = browser.process();
			if (browserProcess === null) {
				throw new Error("runner: expected a browser process of our own, got none");
			}
			const [page = await browser.newPage()] = await browser.pages();
			const relay = relayConsole(page, options.log);
			await openCompositorPage(page, options.pageUrl, options.signal);
			return new CompositorBrowser(browser, page, browserProcess, profile, relay);
		} catch (error) {
			if (browser !== undefined) {
				await endProcess(browser.process());
			}
			await removeProfileFolder(profile);
			throw error;
		}
	}

	get pid(): number | undefined {
		return this.#process.pid;
	}

	/** Hands the assignment to the page; what comes of it shows in {@link status}. */
	async start(assignment: CompositorAssignment): Promise<void> {
		this.#relay.assigned(assignment);
		const started = this.#page.evaluate((value) => {
			(globalThis as CompositorGlobals).tandemStart?.(value);
		}, assignment);
		await bounded(started, START_TIMEOUT_MS, "the page to take its assignment");
	}

	/** How the page is. Rejects when it does not answer within {@link STATUS_TIMEOUT_MS}. */
	async status(): Promise<CompositorPageStatus> {
		const asked = this.#page.evaluate(() => (globalThis as CompositorGlobals).tandemStatus?.());
		const { reason, ...status } = statusSchema.parse(
			await bounded(asked, STATUS_TIMEOUT_MS, "the page to say how it is"),
		);
		return reason === undefined ? status : { ...status, reason };
	}

	/** Loads the page anew, for a Worker that may serve another version of it by now. */
	async reload(pageUrl: string): Promise<void> {
		await openCompositorPage(this.#page, pageUrl);
	}

	/** Ends the page, the browser and all its processes, and removes its profile. May be called twice. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		await endsWithin(STOP_PAGE_TIMEOUT_MS, "the page to stop", async () => {
			await this.#page.evaluate(() => (globalThis as CompositorGlobals).tandemStop?.());
		});
		await endsWithin(CLOSE_TIMEOUT_MS, "the browser to close", () => this.#browser.close());
		await endProcess(this.#process);
		await removeProfileFolder(this.#profile);
	}
}

/** Does what a dead or stuck browser may refuse or never answer: killing follows in any case. */
async function endsWithin(timeoutMs: number, what: string, end: () => Promise<void>): Promise<boolean> {
	try {
		await bounded(end(), timeoutMs, what);
		return true;
	} catch {
		return false;
	}
}

/** The page is the one in the browser's cache. */
const HTTP_NOT_MODIFIED = 304;

async function openCompositorPage(page: Page, pageUrl: string, signal?: AbortSignal): Promise<void> {
	const cancel = signal === undefined ? {} : { signal };
	const response = await page.goto(pageUrl, {
		waitUntil: "domcontentloaded",
		timeout: PAGE_LOAD_TIMEOUT_MS,
		...cancel,
	});
	if (response !== null && !response.ok() && response.status() !== HTTP_NOT_MODIFIED) {
		throw new Error(`runner: expected the compositor page at ${pageUrl}, got HTTP ${response.status()}`);
	}
	await page.waitForFunction(() => typeof (globalThis as CompositorGlobals).tandemStart === "function", {
		timeout: PAGE_LOAD_TIMEOUT_MS,
		polling: READY_POLL_MS,
		...cancel,
	});
}

function relayConsole(page: Page, log: Log): ConsoleRelay {
	const relay = new ConsoleRelay(log);
	page.on("console", (message) => {
		const level = message.type();
		if (level === "error" || level === "warn" || level === "info") {
			relay.push(level, message.text(), performance.now());
		}
	});
	page.on("pageerror", (error) => relay.push("error", messageOf(error), performance.now()));
	return relay;
}

/** Kills the process and its group (puppeteer gives each browser one of its own), and waits until it is gone. */
async function endProcess(child: ChildProcess | null): Promise<void> {
	if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
		return;
	}
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	killGroup(child.pid);
	await endsWithin(EXIT_TIMEOUT_MS, "the browser's process to end", () => exited);
}

function killGroup(pid: number): void {
	try {
		process.kill(-pid, "SIGKILL");
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
			throw error;
		}
	}
}
