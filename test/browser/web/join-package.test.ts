import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildJoin } from "../../../scripts/client-build.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../../support/browser/chromium.ts";
import { serveFiles } from "../../support/browser/file-server.ts";
import { FakeCall, tokenOf } from "./fake-call.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FAKE_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** What a page of somebody else's would hold. */
const PAGE = `import { joinBroadcast, type SessionState } from "tandem/join";
const session = await joinBroadcast({ url: "https://tandem.example/join/b1", token: "t", camera: true });
session.on("remote", ({ person, stream }: { person: string; stream: MediaStream | undefined }) => console.log(person, stream));
const state: SessionState = session.state;
await session.command({ type: "set-scene", layout: "pip" });
// @ts-expect-error there is no such layout
await session.command({ type: "set-scene", layout: "circle" });
await session.leave();
console.log(state.people.map(({ name }) => name));
`;

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "tandem-join-"));
	await buildJoin(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("tandem/join, as it is built, joins with its workers beside it and leaves", async () => {
	const call = await FakeCall.open();
	const server = await serveFiles(folder);
	const browser = await puppeteer.launch({
		executablePath: CHROMIUM_PATH,
		headless: true,
		args: [...CHROMIUM_FLAGS, ...FAKE_DEVICES],
	});
	try {
		const page = await browser.newPage();
		await page.goto(`${server.origin}/`);
		const options = JSON.stringify({ url: `${call.origin}/studio/b1`, token: tokenOf("host") });
		const ended = await page.evaluate(`(async () => {
			const { joinBroadcast } = await import("/join-broadcast.js");
			const session = await joinBroadcast(${options});
			await new Promise((resolve) => session.on("state", ({ legs }) => legs.stream === "sending" && resolve()));
			await session.leave();
			return session.state.endReason;
		})()`);
		expect(ended).toBe("You have left the show.");
	} finally {
		await browser.close();
		await server.close();
		await call.close();
	}
});

test("tandem/join's types are those of the messages it takes", async () => {
	await writeFile(join(folder, "page.ts"), PAGE);
	const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
	const types = exports["./join"].types.replace("./dist/join/", "");
	const compilerOptions = {
		strict: true,
		noEmit: true,
		target: "ES2024",
		module: "ESNext",
		moduleResolution: "bundler",
		lib: ["ES2024", "DOM"],
		types: [],
		paths: { "tandem/join": [`./${types}`], zod: [join(ROOT, "node_modules/zod")] },
	};
	await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["page.ts"] }));
	const { stdout } = spawnSync("tsc", ["-p", folder], { encoding: "utf8" });
	expect(stdout).toBe("");
});
