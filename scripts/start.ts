import { messageOf } from "../runner/log.ts";
import { shownLine } from "./local-system/shown-line.ts";
import { type LocalSystem, startTandem } from "./local-system.ts";
import { START_USAGE, type StartOptions, startOptions } from "./start-options.ts";

/** `npm start`: the whole system for real use on one machine. Ctrl-C or SIGTERM ends it. */

/** Everything ends well within this; past it something of ours hangs. */
const STOP_WITHIN_MS = 4_800;

const abort = new AbortController();
let system: LocalSystem | undefined;
let stopping = false;

async function main(options: StartOptions): Promise<void> {
	const adminToken = process.env.ADMIN_TOKEN || undefined;
	const { capacity, ...places } = options;
	system = await startTandem({
		...places,
		...(capacity === undefined ? {} : { capacity }),
		...(adminToken === undefined ? {} : { adminToken }),
		signal: abort.signal,
		onLog: (line) => {
			const shown = shownLine(line);
			if (shown !== undefined) {
				console.error(shown);
			}
		},
	});
	if (adminToken === undefined) {
		console.log(`ADMIN_TOKEN ${system.adminToken}`);
	}
	console.log(`ready ${system.apiUrl} ${system.rtmpUrl}`);
}

function stop(): void {
	if (stopping) {
		return;
	}
	stopping = true;
	setTimeout(() => {
		console.error("start: expected to have stopped by now");
		process.exit(1);
	}, STOP_WITHIN_MS).unref();
	if (system === undefined) {
		// startTandem ends what it has started, and main() below exits.
		abort.abort(new Error("start: stopped"));
		return;
	}
	system.stop().then(
		() => process.exit(0),
		(error: unknown) => {
			console.error(messageOf(error));
			process.exit(1);
		},
	);
}

function optionsOrExit(): StartOptions {
	try {
		return startOptions(process.argv.slice(2));
	} catch (error) {
		console.error(`${messageOf(error)}\n\n${START_USAGE}`);
		process.exit(1);
	}
}

process.on("SIGINT", stop);
process.on("SIGTERM", stop);
process.on("SIGHUP", stop);
try {
	await main(optionsOrExit());
} catch (error) {
	console.error(messageOf(error));
	process.exit(stopping ? 0 : 1);
}
