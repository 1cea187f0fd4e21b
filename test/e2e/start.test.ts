import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { descendantsOf, livingOf } from "../support/processes.ts";

const START = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));
const EVENTUALLY = { timeout: 60_000, interval: 100 };
const ADMIN_TOKEN = "an-admin-token-of-this-test";
/** What `npm start` promises. */
const STOPS_WITHIN_MS = 5_000;

interface Started {
	readonly process: ChildProcess;
	readonly stdout: () => string;
	readonly stderr: () => string;
	readonly exited: Promise<unknown[]>;
}

let persist: string;
const systems: Started[] = [];

beforeEach(() => {
	persist = mkdtempSync(join(tmpdir(), "tandem-e2e-"));
});

afterEach(async () => {
	for (const system of systems.splice(0)) {
		const family = descendantsOf(system.process.pid ?? 0);
		system.process.kill("SIGTERM");
		await system.exited;
		await vi.waitFor(() => expect(livingOf(family)).toEqual([]), EVENTUALLY);
	}
	rmSync(persist, { recursive: true, force: true });
});

function start(options: readonly string[] = [], environment: NodeJS.ProcessEnv = { ADMIN_TOKEN }): Started {
	const args = [START, "--port", "0", "--rtmp-port", "0", "--persist", persist, "--capacity", "1", ...options];
	const { ADMIN_TOKEN: _, ...inherited } = process.env;
	const child = spawn(process.execPath, args, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...inherited, ...environment },
	});
	let stdout = "";
	let stderr = "";
	child.stdout.on("data", (bytes) => {
		stdout += String(bytes);
	});
	child.stderr.on("data", (bytes) => {
		stderr += String(bytes);
	});
	const started = { process: child, stdout: () => stdout, stderr: () => stderr, exited: once(child, "exit") };
	systems.push(started);
	return started;
}

async function readyAddress(system: Started): Promise<string> {
	return await vi.waitFor(() => {
		const [, address] = /^ready (http:\S+) rtmp:\S+$/m.exec(system.stdout()) ?? [];
		if (address === undefined) {
			throw new Error(`expected the system to be ready, got: ${system.stdout()}${system.stderr()}`);
		}
		return address;
	}, EVENTUALLY);
}

async function health(address: string): Promise<unknown> {
	return await (await fetch(`${address}/api/health`)).json();
}

function createBroadcast(address: string, token: string, settings: object = {}): Promise<Response> {
	return fetch(`${address}/api/broadcasts`, {
		method: "POST",
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
		body: JSON.stringify({ title: "a test", ...settings }),
	});
}

describe("npm start", () => {
	it("says ready when a broadcast can go live, and ends on Ctrl-C within 5 s without leaving a process", async () => {
		const system = start();
		const address = await readyAddress(system);
		expect(await health(address)).toEqual({ status: "ok", ready: true, runners: 1, freePlaces: 1 });
		expect((await createBroadcast(address, ADMIN_TOKEN)).status).toBe(201);
		expect(`${system.stdout()}${system.stderr()}`).not.toContain(ADMIN_TOKEN);

		const family = descendantsOf(system.process.pid ?? 0);
		expect(family.length).toBeGreaterThan(3);
		const askedAtMs = performance.now();
		system.process.kill("SIGINT");
		expect(await system.exited).toEqual([0, null]);
		expect(performance.now() - askedAtMs).toBeLessThan(STOPS_WITHIN_MS);
		expect(livingOf(family)).toEqual([]);
	});

	it("prints an admin token that works when none is given, and keeps broadcasts over a restart", async () => {
		const first = start([], {});
		const firstAddress = await readyAddress(first);
		const [, token = ""] = /^ADMIN_TOKEN (\S+)$/m.exec(first.stdout()) ?? [];
		const created = await createBroadcast(firstAddress, token);
		expect(created.status).toBe(201);
		const { id, tokens } = (await created.json()) as { id: string; tokens: { host: string } };
		first.process.kill("SIGTERM");
		await first.exited;

		const address = await readyAddress(start());
		// The host's token is signed by a key that was kept, and the broadcast was kept too.
		const answer = await fetch(`${address}/api/broadcasts/${id}`, {
			headers: { authorization: `Bearer ${tokens.host}` },
		});
		expect(answer.status).toBe(200);
	});

	it("writes a log in which a request can be followed to the compositor's page", async () => {
		const address = await readyAddress(start());
		const created = await createBroadcast(address, ADMIN_TOKEN, { alwaysCompose: true });
		const { id } = (await created.json()) as { id: string };
		const started = await fetch(`${address}/api/broadcasts/${id}/start`, {
			method: "POST",
			headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "x-request-id": "follow-me" },
		});
		expect(started.headers.get("x-request-id")).toBe("follow-me");
		await vi.waitFor(() => {
			const lines = readFileSync(join(persist, "logs/tandem.log"), "utf8").trim().split("\n");
			const ofRequest = lines.map((line) => JSON.parse(line)).filter(({ requestId }) => requestId === "follow-me");
			expect(new Set(ofRequest.map(({ part }) => part))).toEqual(
				new Set(["api", "broadcast", "pool", "runner", "page"]),
			);
			expect(ofRequest.every(({ broadcastId }) => broadcastId === id)).toBe(true);
		}, EVENTUALLY);
	});

	it("starts the Worker again when its process dies, and the runner comes back to it", async () => {
		const system = start();
		const address = await readyAddress(system);
		const [worker = 0] = descendantsOf(system.process.pid ?? 0);
		const family = descendantsOf(worker);
		process.kill(worker, "SIGKILL");
		await vi.waitFor(() => expect(livingOf(family)).toEqual([]), EVENTUALLY);
		await vi.waitFor(async () => expect(await health(address)).toMatchObject({ ready: true }), EVENTUALLY);
	});

	it("leaves no process behind when it is killed itself", async () => {
		const system = start();
		await readyAddress(system);
		const family = descendantsOf(system.process.pid ?? 0);
		system.process.kill("SIGKILL");
		await system.exited;
		await vi.waitFor(() => expect(livingOf(family)).toEqual([]), EVENTUALLY);
	});

	it("stops while it is still starting", async () => {
		const system = start();
		await vi.waitFor(() => expect(descendantsOf(system.process.pid ?? 0)).not.toEqual([]), EVENTUALLY);
		const askedAtMs = performance.now();
		system.process.kill("SIGINT");
		await system.exited;
		expect(performance.now() - askedAtMs).toBeLessThan(STOPS_WITHIN_MS);
		expect(system.stdout()).not.toContain("ready");
	});

	it("says which port is taken", async () => {
		const server = createServer();
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { port } = server.address() as { port: number };
		const system = start(["--rtmp-port", String(port)]);
		expect(await system.exited).toEqual([1, null]);
		expect(system.stderr()).toBe(
			`start: expected port ${port} on 127.0.0.1 to be free, got one that is in use; choose another with --rtmp-port\n`,
		);
		server.close();
	});

	it("refuses an option it does not know, and shows those it does", async () => {
		const system = start(["--prot", "1"]);
		expect(await system.exited).toEqual([1, null]);
		expect(system.stderr()).toMatch(/--prot[\s\S]*usage: npm start/);
	});
});
