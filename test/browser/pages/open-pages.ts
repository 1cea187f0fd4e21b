import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer-core";
import { build, type Plugin } from "vite";
import { pageHeaders } from "../../../worker/api/page-headers.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../../support/browser/chromium.ts";
import { FakeEdge } from "../page/fake-edge.ts";
import { FakeShow } from "./fake-show.ts";

const CONFIG_FILE = fileURLToPath(new URL("../../../vite.config.ts", import.meta.url));
const FAKE_JOIN = fileURLToPath(new URL("./fake-join.ts", import.meta.url));
const CONTENT_TYPES: Readonly<Record<string, string>> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
};

/** Studio and join page as built, with the client library and nothing else replaced, under the Worker's own headers. */
export class Pages {
	/** Anew for every `tab`. */
	show = new FakeShow();
	/** What the console and the page's own errors said; a good page says nothing. */
	complaints: string[] = [];
	readonly #folder: string;
	readonly #edge: FakeEdge;
	readonly #browser: Browser;
	readonly #contexts: BrowserContext[] = [];

	private constructor(folder: string, browser: Browser, open: (pages: () => Pages) => FakeEdge) {
		this.#folder = folder;
		this.#browser = browser;
		this.#edge = open(() => this);
	}

	static async open(): Promise<Pages> {
		const folder = await mkdtemp(join(tmpdir(), "tandem-pages-"));
		await build({
			configFile: CONFIG_FILE,
			logLevel: "error",
			plugins: [withFakeJoin()],
			build: { outDir: folder, emptyOutDir: true },
		});
		let pages: Pages | undefined;
		const edge = await FakeEdge.open({
			onRequest: (request, response) => void pages?.serve(request, response),
		});
		const browser = await puppeteer.launch({
			executablePath: CHROMIUM_PATH,
			headless: true,
			args: [...CHROMIUM_FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
		});
		pages = new Pages(folder, browser, () => edge);
		return pages;
	}

	get origin(): string {
		return this.#edge.origin;
	}

	/** A tab with a storage of its own. */
	async tab(options: { readonly denied?: boolean } = {}): Promise<Page> {
		const context = await this.#browser.createBrowserContext();
		this.#contexts.push(context);
		const page = await context.newPage();
		await page.setViewport({ width: 1280, height: 800 });
		if (options.denied === true) {
			await page.evaluateOnNewDocument(() => {
				navigator.mediaDevices.getUserMedia = () =>
					Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
			});
		}
		page.on("console", (message) => {
			if (["error", "warn"].includes(message.type())) {
				this.complaints.push(message.text());
			}
		});
		page.on("pageerror", (error) => this.complaints.push(String(error)));
		return page;
	}

	/** Closes what the test opened, and begins with a new show. */
	async reset(): Promise<void> {
		await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
		this.show = new FakeShow();
		this.complaints = [];
	}

	async close(): Promise<void> {
		await this.#browser.close();
		await this.#edge.close();
		await rm(this.#folder, { recursive: true, force: true });
	}

	async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { pathname } = new URL(request.url ?? "/", "http://localhost");
		if (pathname.startsWith("/api/")) {
			await this.show.answer(request, response);
			return;
		}
		const [, page = ""] = /^\/(studio|join)(?:\/|$)/.exec(pathname) ?? [];
		const path = page === "" ? normalize(decodeURIComponent(pathname)) : `${page}/index.html`;
		try {
			const bytes = await readFile(join(this.#folder, path));
			const type = CONTENT_TYPES[extname(path)] ?? "application/octet-stream";
			const headers = page === "" ? {} : pageHeaders(request.headers.host ?? "");
			response.writeHead(200, { "Content-Type": type, ...headers }).end(bytes);
		} catch {
			response.writeHead(404).end();
		}
	}
}

function withFakeJoin(): Plugin {
	return {
		name: "fake-join",
		enforce: "pre",
		resolveId: (source) => (source.endsWith("lib/join-broadcast.ts") ? FAKE_JOIN : undefined),
	};
}
