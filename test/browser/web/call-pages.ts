import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { bundleForBrowser } from "../../support/browser/bundle.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../../support/browser/chromium.ts";
import { type FileServer, serveFiles } from "../../support/browser/file-server.ts";
import { fromWire, toWire } from "../../support/browser/wire.ts";

const MODULES = { person: "./session-in-page.ts", compositor: "./compositor-in-page.ts" } as const;

/** Of three cameras the second gives a format that is not encoded. */
const FAKE_DEVICES = [
	"--use-fake-device-for-media-stream=device-count=3",
	"--use-fake-ui-for-media-stream",
	"--auto-select-desktop-capture-source=Entire screen",
];

/** One page and the functions of its module. */
export interface CallPage {
	readonly page: Page;
	call<Result>(exportName: string, ...args: readonly unknown[]): Promise<Result>;
}

/** One Chromium with made-up cameras and microphones, in which the two and a compositor each have a page. The one who opens it closes it. */
export class CallPages {
	readonly #browser: Browser;
	readonly #server: FileServer;
	readonly #directory: string;

	private constructor(browser: Browser, server: FileServer, directory: string) {
		this.#browser = browser;
		this.#server = server;
		this.#directory = directory;
	}

	static async open(): Promise<CallPages> {
		const directory = await mkdtemp(join(tmpdir(), "tandem-call-"));
		for (const [name, module] of Object.entries(MODULES)) {
			await mkdir(join(directory, name));
			await bundleForBrowser(fileURLToPath(new URL(module, import.meta.url)), join(directory, name));
		}
		const server = await serveFiles(directory);
		const browser = await puppeteer.launch({
			executablePath: CHROMIUM_PATH,
			headless: true,
			args: [...CHROMIUM_FLAGS, ...FAKE_DEVICES],
		});
		return new CallPages(browser, server, directory);
	}

	async newPage(kind: keyof typeof MODULES, beforehand?: string): Promise<CallPage> {
		const page = await this.#browser.newPage();
		if (beforehand !== undefined) {
			await page.evaluateOnNewDocument(beforehand);
		}
		await page.goto(`${this.#server.origin}/`);
		await page.evaluate(`import("/${kind}/entry.js").then(() => undefined)`);
		return {
			page,
			call: async (exportName, ...args) => {
				const call = `tandemRun(${JSON.stringify(exportName)}, ${JSON.stringify(toWire(args))})`;
				return fromWire(String(await page.evaluate(call))) as never;
			},
		};
	}

	async close(): Promise<void> {
		await this.#browser.close();
		await this.#server.close();
		await rm(this.#directory, { recursive: true, force: true });
	}
}
