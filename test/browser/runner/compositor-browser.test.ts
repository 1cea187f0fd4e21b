import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Assignments } from "../../../runner/assignments.ts";
import { CompositorBrowser } from "../../../runner/browser/compositor-browser.ts";
import { findChromium } from "../../../runner/browser/find-chromium.ts";
import { createLog } from "../../../runner/log.ts";
import { processesWith, profileOf, renderersOf } from "../../support/processes.ts";
import { type FakePageServer, startFakePageServer } from "./fake-page-server.ts";

const LAUNCH_SCRIPT = fileURLToPath(new URL("launch-and-wait.ts", import.meta.url));
const CHROMIUM = findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync);
const EVENTUALLY = { timeout: 20_000, interval: 50 };
const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJiaWQiOiJiIn0.c2lnbmF0dXJl";

let server: FakePageServer;
const open: CompositorBrowser[] = [];
const lines: string[] = [];

beforeAll(async () => {
	server = await startFakePageServer();
});
afterAll(() => server.close());
afterEach(async () => {
	await Promise.all(open.splice(0).map((browser) => browser.close()));
	lines.length = 0;
});

async function launch(pageUrl = server.pageUrl, signal = new AbortController().signal): Promise<CompositorBrowser> {
	const log = createLog("test", (line) => lines.push(line));
	const browser = await CompositorBrowser.launch({ pageUrl, chromiumPath: CHROMIUM, log, signal });
	open.push(browser);
	return browser;
}

function assignmentOf(broadcastId: string) {
	return { apiUrl: new URL(server.pageUrl).origin, broadcastId, fence: 1, token: TOKEN };
}

describe("a compositor browser", () => {
	it("waits idle at the page, runs its assignment, and leaves neither process nor profile behind", async () => {
		const browser = await launch();
		const profile = profileOf(browser.pid);
		expect(await browser.status()).toEqual({ state: "idle", programFrames: 0 });
		await browser.start(assignmentOf("b"));
		await vi.waitFor(async () => expect((await browser.status()).programFrames).toBeGreaterThan(3), EVENTUALLY);
		await browser.close();
		expect(processesWith(profile)).toEqual([]);
		expect(existsSync(profile)).toBe(false);
		expect(await browser.gone).toBeTruthy();
	});

	it("logs the page's errors without its token", async () => {
		const browser = await launch();
		await browser.start(assignmentOf("b"));
		await vi.waitFor(() => expect(lines.join("\n")).toContain("started with token <token>"), EVENTUALLY);
		expect(lines.join("\n")).not.toContain(TOKEN);
	});

	it("says so when its renderer crashes", async () => {
		const browser = await launch();
		const renderers = renderersOf(profileOf(browser.pid));
		expect(renderers).not.toEqual([]);
		for (const pid of renderers) {
			process.kill(pid, "SIGKILL");
		}
		expect(await browser.gone).toMatch(/crash/i);
	});

	it("says so when its process is killed", async () => {
		const browser = await launch();
		const profile = profileOf(browser.pid);
		process.kill(browser.pid ?? 0, "SIGKILL");
		expect(await browser.gone).toMatch(/browser ended/);
		await browser.close();
		expect(existsSync(profile)).toBe(false);
		await vi.waitFor(() => expect(processesWith(profile)).toEqual([]), EVENTUALLY);
	});

	it("refuses a page that is not there, leaving nothing behind", async () => {
		await expect(launch(server.pageUrl.replace("compositor", "nothing"))).rejects.toThrow(
			/expected the compositor page at .* 404/,
		);
		// The kernel takes a moment to clear away what was killed.
		await vi.waitFor(() => expect(processesWith(`tandem-chromium-${process.pid}-`)).toEqual([]), EVENTUALLY);
	});

	it("gives up launching when told to, leaving nothing behind", async () => {
		const abort = new AbortController();
		const launching = launch(server.pageUrl, abort.signal);
		setTimeout(() => abort.abort(), 50);
		await expect(launching).rejects.toThrow();
		await vi.waitFor(() => expect(processesWith(`tandem-chromium-${process.pid}-`)).toEqual([]), EVENTUALLY);
	});

	it.each(["b", "hangs"])(
		"dies with the process that started it, however that ends (broadcast %s)",
		async (broadcastId) => {
			const owner = spawn(process.execPath, [LAUNCH_SCRIPT, server.pageUrl, broadcastId], {
				stdio: ["ignore", "pipe", "inherit"],
			});
			const [pidLine] = await once(owner.stdout, "data");
			const profile = profileOf(Number(pidLine));
			expect(processesWith(profile).length).toBeGreaterThan(1);
			owner.kill("SIGKILL");
			await vi.waitFor(() => expect(processesWith(profile)).toEqual([]), EVENTUALLY);
		},
	);
});

describe("an assignment with a real browser", () => {
	const released: string[] = [];
	function assignments(): Assignments {
		released.length = 0;
		return new Assignments({
			apiUrl: new URL(server.pageUrl).origin,
			capacity: 2,
			takeBrowser: () => launch(),
			onReleased: (leaseId, reason) => released.push(`${leaseId}: ${reason}`),
			log: () => {},
		});
	}
	function assign(leaseId: string, broadcastId: string) {
		return { type: "assign" as const, leaseId, broadcastId, fence: 1, token: TOKEN };
	}

	it("reports frames while it runs, and why it ended when its browser dies", async () => {
		const subject = assignments();
		await subject.assign(assign("l1", "b"));
		await vi.waitFor(async () => {
			await subject.poll();
			expect(subject.leases()).toEqual([{ leaseId: "l1", state: "running", programFrames: expect.any(Number) }]);
			expect(subject.leases()[0]?.programFrames).toBeGreaterThan(3);
		}, EVENTUALLY);
		process.kill(open.at(-1)?.pid ?? 0, "SIGKILL");
		await vi.waitFor(() => expect(released).toEqual([expect.stringMatching(/^l1: .*browser ended/)]), EVENTUALLY);
		expect(subject.leaseIds()).toEqual([]);
	});

	it("ends a page that does not answer, and no other", async () => {
		const subject = assignments();
		await subject.assign(assign("good", "b"));
		const profile = profileOf(open.at(-1)?.pid);
		await subject.assign(assign("stuck", "hangs"));
		const stuckProfile = profileOf(open.at(-1)?.pid);
		await vi.waitFor(async () => {
			await subject.poll();
			expect(released).toEqual([expect.stringMatching(/^stuck: runner: expected the page to/)]);
		}, EVENTUALLY);
		await vi.waitFor(() => expect(processesWith(stuckProfile)).toEqual([]), EVENTUALLY);
		expect(processesWith(profile).length).toBeGreaterThan(1);
		await subject.close("runner stops");
		expect(processesWith(profile)).toEqual([]);
		expect(released.at(-1)).toBe("good: runner stops");
	});

	it("passes on the reason a page gives for failing", async () => {
		const subject = assignments();
		await subject.assign(assign("l1", "fails"));
		await subject.poll();
		expect(released).toEqual(["l1: no encoder"]);
		await subject.close("done");
	});
});
