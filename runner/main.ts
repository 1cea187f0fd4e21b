import { createLog, messageOf } from "./log.ts";
import { Runner } from "./runner.ts";
import { RUNNER_USAGE, type RunnerSettings, runnerSettings } from "./runner-options.ts";

/** `node runner/main.ts`: a runner on a machine of its own. SIGINT and SIGTERM end it cleanly. */

/** Everything ends well within this; past it something of ours hangs, and the browsers die with us (compositor-browser.ts). */
const STOP_WITHIN_MS = 4_500;

const log = createLog("runner", (line) => console.error(line));

async function run(settings: RunnerSettings): Promise<void> {
	const runner = new Runner({ ...settings, log, onRefused: (reason) => stop(reason, 1) });
	let stopping = false;

	function stop(reason: string, exitCode: number): void {
		if (stopping) {
			return;
		}
		stopping = true;
		log(`stopping: ${reason}`);
		setTimeout(() => exitWith("expected to have stopped by now"), STOP_WITHIN_MS).unref();
		runner.stop().then(
			() => process.exit(exitCode),
			(error: unknown) => exitWith(messageOf(error)),
		);
	}

	process.on("SIGINT", () => stop("SIGINT", 0));
	process.on("SIGTERM", () => stop("SIGTERM", 0));
	try {
		await runner.start();
		log("ready");
	} catch (error) {
		stop(messageOf(error), 1);
	}
}

function exitWith(reason: string): void {
	log(reason);
	process.exit(1);
}

function settingsOrExit(): RunnerSettings {
	try {
		return runnerSettings(process.argv.slice(2), process.env);
	} catch (error) {
		console.error(`${messageOf(error)}\n\n${RUNNER_USAGE}`);
		process.exit(1);
	}
}

await run(settingsOrExit());
