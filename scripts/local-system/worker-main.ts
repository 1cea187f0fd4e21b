import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { RATE_LIMITS } from "../../worker/limits.ts";
import type { FromWorkerProcess, ToWorkerProcess, WorkerSettings } from "./worker-messages.ts";

/**
 * The process that runs the Worker in workerd, as `wrangler dev` would, without watching files. It ends, and workerd with it, when its
 * parent says so or is gone.
 */

const CONFIG = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));

type LocalWorker = Awaited<ReturnType<typeof unstable_startWorker>>;

let worker: Promise<LocalWorker> | undefined;

function send(message: FromWorkerProcess): void {
	if (process.connected) {
		process.send?.(message);
	}
}

function bindingsOf(type: "plain_text" | "secret_text", values: Readonly<Record<string, string>>) {
	return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type, value }]));
}

/** Those of the Worker's table, so many times as generous. */
function rateLimits(factor: number) {
	const rules = Object.entries(RATE_LIMITS).map(([name, { limit, periodS }], index) => {
		const simple = { limit: limit * factor, period: periodS };
		return [name, { type: "ratelimit" as const, namespace_id: String(index + 1), simple }] as const;
	});
	return Object.fromEntries(rules);
}

function relayLog(line: { readonly level: string; readonly message: string }): void {
	send({ type: "log", level: line.level, text: line.message });
}

async function start(settings: WorkerSettings): Promise<LocalWorker> {
	const started = await unstable_startWorker({
		config: CONFIG,
		envFiles: [],
		bindings: {
			...bindingsOf("plain_text", settings.vars),
			...bindingsOf("secret_text", settings.secrets),
			...rateLimits(settings.rateLimitFactor),
		},
		dev: {
			server: { hostname: settings.host, port: settings.port },
			persist: settings.persistFolder,
			remote: false,
			watch: false,
			liveReload: false,
			inspector: false,
			logLevel: "warn",
			structuredLogsHandler: relayLog,
		},
	});
	await started.ready;
	return started;
}

async function stop(): Promise<void> {
	try {
		await (await worker)?.dispose();
	} finally {
		process.exit();
	}
}

process.on("message", (message: ToWorkerProcess) => {
	switch (message.type) {
		case "start":
			worker = start(message.settings);
			worker.then(
				() => send({ type: "ready" }),
				(error: unknown) => send({ type: "failed", reason: error instanceof Error ? error.message : String(error) }),
			);
			break;
		case "stop":
			void stop();
			break;
		default:
			message satisfies never;
	}
});
process.on("disconnect", () => void stop());
// Ctrl-C is for the parent, which says stop when it is our turn.
process.on("SIGINT", () => {});
