import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { CleanUp } from "../scripts/clean-up.ts";
import { startTandem } from "../scripts/local-system.ts";
import { processIds, usageOf } from "../scripts/process-usage.ts";
import { waitFor } from "../scripts/wait-for.ts";
import { MAX_AUDIENCE_SOCKETS } from "../worker/audience/audience-room.ts";
import { audienceEventSchema } from "../worker/protocol/audience.ts";
import { quantile } from "./harness/statistics.ts";

/**
 * `node bench/audience.ts [--sockets 2000] [--json]`: what one shard of the audience costs. The real Worker on this machine, with one
 * shard, and that many people in it; both ends and wrangler's proxy between them share its processors. The proxy opens four files for each (the
 * Worker two), so that `ulimit -n` has to allow for it.
 */

/** Connections that are being made at once: as many as a browser full of tabs. */
const JOINING_AT_ONCE = 64;
const IDLE_SECONDS = 20;
/** The last ones are counted within 5 s; a loaded machine takes some more. */
const COUNTED_WITHIN_MS = 30_000;
const HEARD_WITHIN_MS = 60_000;

const { values } = parseArgs({
	options: {
		sockets: { type: "string", default: "2000" },
		json: { type: "boolean", default: false },
	},
	strict: true,
});
const sockets = Number(values.sockets);
if (!(Number.isInteger(sockets) && sockets >= 1 && sockets <= MAX_AUDIENCE_SOCKETS)) {
	throw new Error(`audience: expected --sockets from 1 to ${MAX_AUDIENCE_SOCKETS}, got ${values.sockets}`);
}

/** One of those who wait, and when they heard what. */
class Viewer {
	readonly #heardAtMs = new Map<string, number>();
	readonly #socket: WebSocket;
	readonly joined: Promise<void>;
	messages = 0;

	constructor(url: string) {
		this.#socket = new WebSocket(url);
		this.joined = new Promise((resolve, reject) => {
			this.#socket.on("message", (data) => {
				const { status } = audienceEventSchema.parse(JSON.parse(String(data)));
				this.messages++;
				if (!this.#heardAtMs.has(status)) {
					this.#heardAtMs.set(status, performance.now());
				}
				resolve();
			});
			this.#socket.on("close", (code, reason) => reject(new Error(`audience: closed with ${code} ${reason}`)));
			this.#socket.on("error", reject);
		});
	}

	heardAtMs(status: string): number | undefined {
		return this.#heardAtMs.get(status);
	}

	close(): void {
		this.#socket.terminate();
	}
}

const cleanUp = new CleanUp();
await cleanUp.around(run);

async function run(): Promise<void> {
	const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0, vars: { AUDIENCE_SHARDS: "1" } });
	cleanUp.add(() => system.stop());
	const root = system.pids().worker ?? process.pid;
	// wrangler's proxy is a workerd as well: the one that holds more is told apart by what it grew.
	const workerds = processIds(root, /^workerd/);
	const usage = () => workerds.map((id) => usageOf(id, /^workerd/));
	const call = async (method: string, path: string, body?: unknown) => {
		const response = await fetch(new URL(path, system.apiUrl), {
			method,
			headers: { Authorization: `Bearer ${system.adminToken}`, "Content-Type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		if (!response.ok) {
			throw new Error(`audience: expected ${method} ${path} to be done, got ${response.status}`);
		}
		return (await response.json()) as { id: string; viewers?: number };
	};
	const { id } = await call("POST", "/api/broadcasts", { title: "A show that many wait for" });
	const socketUrl = `${system.apiUrl.replace("http", "ws")}/api/broadcasts/${id}/audience`;
	const viewers: Viewer[] = [];
	cleanUp.add(() => {
		for (const viewer of viewers) {
			viewer.close();
		}
	});
	const first = new Viewer(socketUrl);
	viewers.push(first);
	await first.joined;
	const before = usage();

	const joiningFromMs = performance.now();
	const join = async () => {
		while (viewers.length < sockets) {
			const viewer = new Viewer(socketUrl);
			viewers.push(viewer);
			await viewer.joined;
		}
	};
	await Promise.all(Array.from({ length: JOINING_AT_ONCE }, join));
	const joinedAfterMs = performance.now() - joiningFromMs;

	const countingFromMs = performance.now();
	await waitFor("everyone to be counted", COUNTED_WITHIN_MS, async () =>
		(await call("GET", `/api/broadcasts/${id}/public`)).viewers === viewers.length ? true : undefined,
	);
	const countedAfterMs = performance.now() - countingFromMs;
	// What joining left behind is cleared away before anything is weighed.
	await sleep(2_000);
	const full = usage();
	const messagesBefore = viewers.reduce((sum, { messages }) => sum + messages, 0);
	await sleep(IDLE_SECONDS * 1_000);
	const afterIdle = usage();
	const idleMessages = viewers.reduce((sum, { messages }) => sum + messages, 0) - messagesBefore;

	const startedAtMs = performance.now();
	await call("POST", `/api/broadcasts/${id}/start`);
	const answeredMs = performance.now() - startedAtMs;
	const heardMs = await waitFor("everyone to hear of the start", HEARD_WITHIN_MS, async () => {
		const heard = viewers.map((viewer) => viewer.heardAtMs("live"));
		return heard.every((atMs) => atMs !== undefined) ? heard.map((atMs) => (atMs ?? 0) - startedAtMs) : undefined;
	});
	heardMs.sort((a, b) => a - b);
	const afterStart = usage();
	await call("POST", `/api/broadcasts/${id}/end`);

	const processes = workerds.map((_, index) => {
		const [was, is] = [before[index], full[index]];
		const [idleFrom, idleTo, started] = [full[index], afterIdle[index], afterStart[index]];
		return {
			bytesPerSocket: Math.round(((is?.memoryBytes ?? 0) - (was?.memoryBytes ?? 0)) / (viewers.length - 1)),
			memoryMiB: Math.round((is?.memoryBytes ?? 0) / 2 ** 20),
			joinCpuMsPerSocket: round((((is?.cpuSeconds ?? 0) - (was?.cpuSeconds ?? 0)) / (viewers.length - 1)) * 1_000),
			idleCpuPercent: round((((idleTo?.cpuSeconds ?? 0) - (idleFrom?.cpuSeconds ?? 0)) / IDLE_SECONDS) * 100),
			startCpuMs: Math.round(((started?.cpuSeconds ?? 0) - (idleTo?.cpuSeconds ?? 0)) * 1_000),
		};
	});
	const result = {
		sockets: viewers.length,
		joinsPerSecond: Math.round((viewers.length - 1) / (joinedAfterMs / 1_000)),
		countedAfterMs: Math.round(countedAfterMs),
		idleMessages,
		startAnsweredMs: Math.round(answeredMs),
		startHeardFirstMs: Math.round(heardMs[0] ?? 0),
		startHeardMedianMs: Math.round(quantile(heardMs, 0.5)),
		startHeardLastMs: Math.round(heardMs.at(-1) ?? 0),
		processes,
	};
	console.log(values.json ? JSON.stringify(result) : table(result));
}

function table({ processes, ...figures }: { readonly processes: readonly object[] }): string {
	const lines = Object.entries(figures).map(([name, value]) => `${name.padEnd(24)}${value}`);
	const ofProcesses = processes.map((each, index) => `workerd ${index + 1}               ${JSON.stringify(each)}`);
	return [...lines, ...ofProcesses].join("\n");
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}
