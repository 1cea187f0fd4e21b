import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "puppeteer-core";
import { build } from "vite";
import { afterAll, beforeAll } from "vitest";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { BrowserSession } from "../../support/browser/browser-session.ts";
import { type FileServer, serveFiles } from "../../support/browser/file-server.ts";
import type { EdgeConnection } from "./fake-edge.ts";

const CONFIG_FILE = fileURLToPath(new URL("../../../vite.config.ts", import.meta.url));

export interface BuiltPage {
	/** For files of the test's own, too; goes with it. */
	readonly folder: string;
	/** The compositor page as built, in a tab of its own. */
	newPage(): Promise<Page>;
	/** Another page in a tab of its own. */
	newTab(address: string): Promise<Page>;
}

/** Builds the compositor page for the tests around it. */
export function useBuiltPage(): BuiltPage {
	let folder = "";
	let session: BrowserSession;
	let files: FileServer;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "tandem-page-"));
		await build({ configFile: CONFIG_FILE, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
		files = await serveFiles(folder);
		session = await BrowserSession.open();
	});
	afterAll(async () => {
		await session?.close();
		await files?.close();
		await rm(folder, { recursive: true, force: true });
	});
	return {
		get folder() {
			return folder;
		},
		async newPage() {
			const page = await session.browser.newPage();
			await page.goto(`${files.origin}/compositor/index.html`);
			return page;
		},
		async newTab(address) {
			const page = await session.browser.newPage();
			await page.goto(address);
			return page;
		},
	};
}

/**
 * Sends the tags at their times, until the connection ends.
 *
 * @param shift what becomes of a tag's time, which then goes on the wire
 * @param onSent told of each tag that went, with its shifted time
 */
export function sendInRealTime(
	{ socket, closed }: EdgeConnection,
	tags: readonly FlvTag[],
	shift: (timestampMs: number) => number = (timestampMs) => timestampMs,
	onSent: (tag: FlvTag) => void = () => {},
): void {
	const startMs = performance.now();
	let next = 0;
	socket.send(flvHeader());
	const timer = setInterval(() => {
		for (let tag = tags[next]; tag !== undefined; tag = tags[next]) {
			if (tag.timestampMs > performance.now() - startMs) {
				break;
			}
			const shifted = { ...tag, timestampMs: shift(tag.timestampMs) };
			socket.send(flvTagBytes(shifted));
			onSent(shifted);
			next += 1;
		}
	}, 5);
	closed.then(() => clearInterval(timer));
}
