import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer, { type Browser } from "puppeteer-core";
import { bundleForBrowser } from "./bundle.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "./chromium.ts";
import { type FileServer, serveFiles } from "./file-server.ts";
import { fromWire, toWire } from "./wire.ts";

/** Below the test project's time-out, so that the message says what hung. */
const RUN_TIMEOUT_MS = 100_000;

export interface RunOptions {
	/** Where the function runs; the pipeline's parts live in a dedicated worker, which is the default. */
	readonly where?: "worker" | "page";
	readonly timeoutMs?: number;
}

/** One headless Chromium that runs exported functions of TypeScript modules. The one who opens it closes it. */
export class BrowserSession {
	readonly #browser: Browser;
	readonly #server: FileServer;
	readonly #directory: string;
	readonly #bundles = new Map<string, Promise<string>>();

	private constructor(browser: Browser, server: FileServer, directory: string) {
		this.#browser = browser;
		this.#server = server;
		this.#directory = directory;
	}

	static async open(options: { readonly flags?: readonly string[] } = {}): Promise<BrowserSession> {
		const directory = await mkdtemp(join(tmpdir(), "tandem-browser-"));
		const server = await serveFiles(directory);
		const browser = await puppeteer.launch({
			executablePath: CHROMIUM_PATH,
			headless: true,
			args: [...CHROMIUM_FLAGS, ...(options.flags ?? [])],
			protocolTimeout: RUN_TIMEOUT_MS * 2,
		});
		return new BrowserSession(browser, server, directory);
	}

	get browser(): Browser {
		return this.#browser;
	}

	/**
	 * Calls the export `exportName` of the module at `modulePath` (absolute, or a `file:` URL) with `args` in a fresh page or worker, and
	 * returns what it returns. Arguments and result are JSON, and `Uint8Array`s anywhere inside. Throws with the stack of an error there.
	 */
	async run<Result>(
		modulePath: string | URL,
		exportName: string,
		args: readonly unknown[] = [],
		options: RunOptions = {},
	): Promise<Result> {
		const bundle = await this.#bundle(modulePath);
		const page = await this.#browser.newPage();
		try {
			await page.goto(`${this.#server.origin}/`);
			const call = options.where === "page" ? inPage : inWorker;
			const timeoutMs = options.timeoutMs ?? RUN_TIMEOUT_MS;
			const answer = await page.evaluate(
				withTimeout(call(`/${bundle}/entry.js`, exportName, toWire(args)), exportName, timeoutMs),
			);
			return fromWire(String(answer)) as Result;
		} finally {
			await page.close();
		}
	}

	async close(): Promise<void> {
		await this.#browser.close();
		await this.#server.close();
		await rm(this.#directory, { recursive: true, force: true });
	}

	#bundle(modulePath: string | URL): Promise<string> {
		const path = modulePath instanceof URL || modulePath.startsWith("file:") ? fileURLToPath(modulePath) : modulePath;
		const known = this.#bundles.get(path);
		if (known !== undefined) {
			return known;
		}
		const name = `bundle-${this.#bundles.size}`;
		const directory = join(this.#directory, name);
		const bundle = mkdir(directory)
			.then(() => bundleForBrowser(path, directory))
			.then(() => name);
		this.#bundles.set(path, bundle);
		return bundle;
	}
}

// The code below goes to the browser as text: functions would carry along what the test runner wove into them.

function inPage(url: string, exportName: string, argsWire: string): string {
	return `import(${JSON.stringify(url)}).then(() => tandemRun(${JSON.stringify(exportName)}, ${JSON.stringify(argsWire)}))`;
}

function inWorker(url: string, exportName: string, argsWire: string): string {
	return `new Promise((resolve, reject) => {
		const worker = new Worker(${JSON.stringify(url)}, { type: "module" });
		worker.onerror = (event) => reject(new Error("worker: " + event.message));
		worker.onmessage = ({ data }) => {
			worker.terminate();
			data.error === undefined ? resolve(data.result) : reject(new Error(data.error));
		};
		worker.postMessage(${JSON.stringify([exportName, argsWire])});
	})`;
}

function withTimeout(expression: string, exportName: string, timeoutMs: number): string {
	const message = `browser run: expected ${exportName} to end within ${timeoutMs} ms, got no answer`;
	return `Promise.race([${expression}, new Promise((_, reject) => setTimeout(() => reject(new Error(${JSON.stringify(message)})), ${timeoutMs}))])`;
}
