import { parseArgs } from "node:util";

export interface DemoOptions {
	/** How long the two are on air; `undefined` until Ctrl-C. */
	readonly seconds: number | undefined;
	/** Last line of stdout is one JSON object, everything else goes to stderr. */
	readonly json: boolean;
}

/** An hour: a demo left running by mistake ends by itself. */
const LONGEST_SECONDS = 3_600;
/** With `--json` and no `--seconds` it has to end some time. */
const JSON_SECONDS = 30;

export function demoOptions(argv: readonly string[]): DemoOptions {
	const { values } = parseArgs({
		args: [...argv],
		options: { seconds: { type: "string" }, json: { type: "boolean", default: false } },
		strict: true,
	});
	if (values.seconds === undefined) {
		return { seconds: values.json ? JSON_SECONDS : undefined, json: values.json };
	}
	const seconds = Number(values.seconds);
	if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_SECONDS)) {
		throw new Error(`demo: expected --seconds from 1 to ${LONGEST_SECONDS}, got ${values.seconds}`);
	}
	return { seconds, json: values.json };
}
