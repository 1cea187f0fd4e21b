import { parseArgs } from "node:util";
import { wholeNumber } from "../runner/runner-options.ts";

export interface StartOptions {
	readonly port: number;
	readonly rtmpPort: number;
	readonly host: string;
	readonly persist: string;
	/** `undefined`: one a core. */
	readonly capacity: number | undefined;
}

export const START_USAGE = `usage: npm start -- [--port N] [--rtmp-port N] [--host ADDRESS] [--persist FOLDER] [--capacity N]
  --port N          HTTP (default 8787)
  --rtmp-port N     RTMP (default 1935)
  --host ADDRESS    which address both listen on (default 127.0.0.1; 0.0.0.0 for every one)
  --persist FOLDER  where state, secrets and logs are kept (default .tandem)
  --capacity N      how many compositors may run at once (default: one a core)
ADMIN_TOKEN, RUNNER_TOKEN, SIGNING_KEY and ENCRYPTION_KEY are taken from the environment where they are set.`;

const MAX_PORT = 65_535;
const MAX_CAPACITY = 256;

/** @throws Error saying what was expected, for anything that is not as {@link START_USAGE} says */
export function startOptions(argv: readonly string[]): StartOptions {
	const { values } = parseArgs({
		args: [...argv],
		options: {
			port: { type: "string", default: "8787" },
			"rtmp-port": { type: "string", default: "1935" },
			host: { type: "string", default: "127.0.0.1" },
			persist: { type: "string", default: ".tandem" },
			capacity: { type: "string" },
		},
	});
	return {
		port: wholeNumber("--port", values.port, MAX_PORT),
		rtmpPort: wholeNumber("--rtmp-port", values["rtmp-port"], MAX_PORT),
		host: values.host,
		persist: values.persist,
		capacity: values.capacity === undefined ? undefined : wholeNumber("--capacity", values.capacity, MAX_CAPACITY),
	};
}
