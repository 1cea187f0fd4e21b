import { existsSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { BrowserPool } from "../../../runner/browser/browser-pool.ts";
import { CompositorBrowser } from "../../../runner/browser/compositor-browser.ts";
import { findChromium } from "../../../runner/browser/find-chromium.ts";
import { processesWith, profileOf } from "../../support/processes.ts";
import { type FakePageServer, startFakePageServer } from "./fake-page-server.ts";

const CHROMIUM = findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync);
const EVENTUALLY = { timeout: 30_000, interval: 50 };

let server: FakePageServer;
let pool: BrowserPool<CompositorBrowser>;
const launched: CompositorBrowser[] = [];

beforeAll(async () => {
	server = await startFakePageServer();
});
afterAll(() => server.close());
afterEach(async () => {
	await pool.close();
	await Promise.all(launched.splice(0).map((browser) => browser.close()));
});

function startPool(): Promise<void> {
	pool = new BrowserPool({
		pageUrl: server.pageUrl,
		launch: async (signal) => {
			const browser = await CompositorBrowser.launch({
				pageUrl: server.pageUrl,
				chromiumPath: CHROMIUM,
				log: () => {},
				signal,
			});
			launched.push(browser);
			return browser;
		},
		log: () => {},
		rewarmAfterMs: 10,
		retry: { firstMs: 10, capMs: 100 },
	});
	return pool.start();
}

describe("the browser pool", () => {
	it("hands out its spare at once and warms another", async () => {
		await startPool();
		const [spare] = launched;
		const taken = await pool.take();
		expect(taken).toBe(spare);
		await vi.waitFor(() => expect(launched).toHaveLength(2), EVENTUALLY);
		expect(await pool.take()).toBe(launched[1]);
	});

	it("replaces a spare that dies, and leaves no process when closed", async () => {
		await startPool();
		const profile = profileOf(launched[0]?.pid);
		process.kill(launched[0]?.pid ?? 0, "SIGKILL");
		await vi.waitFor(() => expect(launched).toHaveLength(2), EVENTUALLY);
		expect(existsSync(profile)).toBe(false);
		const taken = await pool.take();
		expect(await taken.status()).toEqual({ state: "idle", programFrames: 0 });
		await taken.close();
		await pool.close();
		expect(processesWith(`tandem-chromium-${process.pid}-`)).toEqual([]);
	});

	it("loads the page anew in the spare when asked", async () => {
		await startPool();
		const before = server.requests();
		await pool.refresh();
		expect(server.requests()).toBe(before + 1);
		expect(await (await pool.take()).status()).toEqual({ state: "idle", programFrames: 0 });
	});
});
