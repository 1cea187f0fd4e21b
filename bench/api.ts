import { parseArgs } from "node:util";
import { startTandem } from "../scripts/local-system.ts";
import { quantile } from "./harness/statistics.ts";

/**
 * Requests a second and their latency, route by route, from clients on this machine that each ask again as soon as they are answered.
 * `node bench/api.ts [--seconds 4] [--clients 16] [--json]`
 */

const DEFAULT_SECONDS = 4;
const DEFAULT_CLIENTS = 16;
/** So that the list has pages to leaf through. */
const BROADCASTS_BEFORE = 40;

interface Measured {
	readonly route: string;
	readonly perSecond: number;
	readonly p50Ms: number;
	readonly p95Ms: number;
}

interface Route {
	readonly name: string;
	/** One request; the number is different each time. */
	ask(count: number): Promise<Response>;
}

const { values } = parseArgs({
	options: { seconds: { type: "string" }, clients: { type: "string" }, json: { type: "boolean", default: false } },
});
const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
const clients = Number(values.clients ?? DEFAULT_CLIENTS);

const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0 });
try {
	const ids = await Promise.all(Array.from({ length: BROADCASTS_BEFORE }, (_, index) => create(index)));
	const idOf = (count: number) => ids[count % ids.length] ?? "";
	const routes: Route[] = [
		{ name: "GET /api/health", ask: () => call("GET", "/api/health") },
		{ name: "GET /api/broadcasts/{id}/public", ask: (count) => call("GET", `/api/broadcasts/${idOf(count)}/public`) },
		{ name: "GET /api/broadcasts/{id}", ask: (count) => call("GET", `/api/broadcasts/${idOf(count)}`) },
		{ name: "GET /api/broadcasts?limit=20", ask: () => call("GET", "/api/broadcasts?limit=20") },
		{ name: "GET /api/broadcasts?q=show", ask: () => call("GET", "/api/broadcasts?q=show") },
		{ name: "GET /api/broadcasts/{id}/stats", ask: (count) => call("GET", `/api/broadcasts/${idOf(count)}/stats`) },
		{
			name: "PUT /api/broadcasts/{id}/layout",
			ask: (count) =>
				call("PUT", `/api/broadcasts/${idOf(count)}/layout`, { layout: count % 2 === 0 ? "pip" : "landscape" }),
		},
		{ name: "POST /api/broadcasts", ask: (count) => call("POST", "/api/broadcasts", { title: `Show ${count}` }) },
	];
	const rows: Measured[] = [];
	for (const route of routes) {
		rows.push(await measure(route));
	}
	report(rows);
} finally {
	await system.stop();
}

async function measure({ name, ask }: Route): Promise<Measured> {
	const latenciesMs: number[] = [];
	const startedMs = performance.now();
	const untilMs = startedMs + seconds * 1_000;
	let count = 0;
	const client = async (): Promise<void> => {
		while (performance.now() < untilMs) {
			const askedMs = performance.now();
			const response = await ask(count++);
			await response.arrayBuffer();
			if (!response.ok) {
				throw new Error(`bench: expected ${name} to be answered, got ${response.status}`);
			}
			latenciesMs.push(performance.now() - askedMs);
		}
	};
	await Promise.all(Array.from({ length: clients }, client));
	const tookS = (performance.now() - startedMs) / 1_000;
	const [p50Ms, p95Ms] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.95)];
	return { route: name, perSecond: latenciesMs.length / tookS, p50Ms, p95Ms };
}

async function create(index: number): Promise<string> {
	const response = await call("POST", "/api/broadcasts", { title: `Show ${index}` });
	return ((await response.json()) as { readonly id: string }).id;
}

function call(method: string, path: string, body?: unknown): Promise<Response> {
	return fetch(new URL(path, system.apiUrl), {
		method,
		headers: { authorization: `Bearer ${system.adminToken}`, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
}

function report(rows: readonly Measured[]): void {
	if (values.json) {
		console.log(JSON.stringify({ seconds, clients, rows }));
		return;
	}
	console.log(`| route, ${clients} clients at once | requests/s | p50 ms | p95 ms |\n|---|---|---|---|`);
	for (const { route, perSecond, p50Ms, p95Ms } of rows) {
		console.log(`| \`${route}\` | ${perSecond.toFixed(0)} | ${p50Ms.toFixed(1)} | ${p95Ms.toFixed(1)} |`);
	}
}
