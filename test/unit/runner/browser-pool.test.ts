import { afterEach, expect, test } from "vitest";
import { BrowserPool, type PooledBrowser } from "../../../runner/browser/browser-pool.ts";

class FakeBrowser implements PooledBrowser {
	readonly gone = new Promise<string>(() => {});
	readonly done: string[] = [];
	reloading: Promise<void> = Promise.resolve();

	async reload(): Promise<void> {
		await this.reloading;
		this.done.push("reloaded");
	}

	async close(): Promise<void> {
		this.done.push("closed");
	}
}

let pool: BrowserPool<FakeBrowser>;
const launched: FakeBrowser[] = [];

afterEach(() => pool.close());

async function startPool(): Promise<FakeBrowser> {
	launched.length = 0;
	pool = new BrowserPool({
		pageUrl: "http://127.0.0.1/",
		launch: async () => {
			const browser = new FakeBrowser();
			launched.push(browser);
			return browser;
		},
		log: () => {},
	});
	await pool.start();
	const [spare] = launched;
	if (spare === undefined) {
		throw new Error("expected a spare");
	}
	return spare;
}

test("hands out a spare that is being loaded anew only when it is", async () => {
	const spare = await startPool();
	const load = Promise.withResolvers<void>();
	spare.reloading = load.promise;
	const refreshing = pool.refresh();
	const taken = pool.take().then((browser) => [browser === spare, [...browser.done]]);
	load.resolve();
	expect(await taken).toEqual([true, ["reloaded"]]);
	await refreshing;
	expect(spare.done).toEqual(["reloaded"]);
});

test("hands out another where the spare could not load the page again", async () => {
	const spare = await startPool();
	spare.reloading = Promise.reject(new Error("no page"));
	const refreshing = pool.refresh();
	const taken = await pool.take();
	await refreshing;
	expect(spare.done).toEqual(["closed"]);
	expect(taken).toBe(launched[1]);
});

test("leaves a browser alone that was taken before", async () => {
	await startPool();
	const taken = await pool.take();
	await pool.refresh();
	expect(taken.done).toEqual([]);
});
