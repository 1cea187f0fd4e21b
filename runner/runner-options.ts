import { parseArgs } from "node:util";

/** What the command line and the environment say of a runner. */
export interface RunnerSettings {
	readonly apiUrl: string;
	readonly runnerToken: string;
	readonly capacity: number;
	readonly rtmpPort: number;
	readonly rtmpHost: string;
}

export const RUNNER_USAGE = `usage: RUNNER_TOKEN=… node runner/main.ts --api URL [--capacity N] [--rtmp-port N] [--rtmp-host ADDRESS]
  --api URL             the Worker's address, such as https://tandem.example.com
  --capacity N          how many compositors may run here at once (default 1; 0 takes RTMP only)
  --rtmp-port N         where publishers connect (default 1935)
  --rtmp-host ADDRESS   which address to listen on (default 0.0.0.0, every one)`;

const MAX_CAPACITY = 256;
const MAX_PORT = 65_535;

/** @throws Error saying what was expected, for anything that is not as {@link RUNNER_USAGE} says */
export function runnerSettings(
	argv: readonly string[],
	environment: Readonly<Record<string, string | undefined>>,
): RunnerSettings {
	const { values } = parseArgs({
		args: [...argv],
		options: {
			api: { type: "string" },
			capacity: { type: "string", default: "1" },
			"rtmp-port": { type: "string", default: "1935" },
			"rtmp-host": { type: "string", default: "0.0.0.0" },
		},
	});
	const runnerToken = environment.RUNNER_TOKEN;
	if (runnerToken === undefined || runnerToken === "") {
		throw new Error("runner: expected RUNNER_TOKEN in the environment, got none");
	}
	return {
		apiUrl: httpOrigin(values.api),
		runnerToken,
		capacity: wholeNumber("--capacity", values.capacity, MAX_CAPACITY),
		rtmpPort: wholeNumber("--rtmp-port", values["rtmp-port"], MAX_PORT),
		rtmpHost: values["rtmp-host"],
	};
}

/** A whole number from 0 to `max`, as given to an option. */
export function wholeNumber(option: string, text: string, max: number): number {
	const value = Number(text);
	if (!/^\d+$/.test(text) || value > max) {
		throw new Error(`expected a whole number from 0 to ${max} for ${option}, got ${JSON.stringify(text)}`);
	}
	return value;
}

function httpOrigin(text: string | undefined): string {
	const url = text === undefined ? null : URL.parse(text);
	if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
		throw new Error("runner: expected --api with an http or https address, got something else");
	}
	return url.origin;
}
