import { parseArgs } from "node:util";
import { missedTargets, TALK_CASES, type TalkCase, unsound } from "./talk/cases.ts";
import { watchMachineLoad } from "./talk/machine-load.ts";
import { TalkStage } from "./talk/stage.ts";
import { type TalkOutcome, talkTable } from "./talk/table.ts";

/**
 * `npm run talk [-- --case=clean,address --seconds=20 --json]`: two people with a browser each, in the real system, on lines that misbehave; measured in
 * decoded pixels and samples. All cases but the long one where none is named. Exit code 1 when a target is missed.
 */

const { values } = parseArgs({
	options: {
		case: { type: "string" },
		seconds: { type: "string", default: "20" },
		json: { type: "boolean", default: false },
	},
	strict: true,
});

const named = values.case?.split(",");
const seconds = Number(values.seconds);
if (!(seconds >= 1)) {
	throw new Error(`talk: expected --seconds of 1 or more, got ${values.seconds}`);
}
const unknown = named?.filter((name) => !TALK_CASES.some((each) => each.name === name)) ?? [];
if (unknown.length > 0) {
	const names = TALK_CASES.map(({ name }) => name).join(", ");
	throw new Error(`talk: expected cases of ${names}, got ${unknown.join(", ")}`);
}
const cases = TALK_CASES.filter(({ name }) => named?.includes(name) ?? name !== "long");

const outcomes: TalkOutcome[] = [];
for (const each of cases) {
	const refusal = await each.refusal?.();
	if (refusal !== undefined) {
		console.error(`${each.name}: skipped, this machine refuses: ${refusal}`);
		continue;
	}
	const outcome = await run(each);
	outcomes.push(outcome);
	if (!values.json) {
		console.error(`${each.name}: ${[...outcome.faults, ...outcome.misses].join("; ") || "ok"}`);
	}
}
console.log(values.json ? JSON.stringify(outcomes, undefined, "\t") : talkTable(outcomes));
if (outcomes.some(({ misses, faults }) => misses.length + faults.length > 0)) {
	process.exitCode = 1;
}

async function run(each: TalkCase): Promise<TalkOutcome> {
	const { name, what, targets } = each;
	const load = watchMachineLoad();
	try {
		await using stage = await TalkStage.set();
		await each.run(stage, seconds);
		const result = await stage.finish();
		const misses = missedTargets(each, result);
		return { name, what, targets, load: load(), result, misses, faults: unsound(result) };
	} catch (error) {
		return {
			name,
			what,
			targets,
			load: load(),
			misses: [],
			faults: [error instanceof Error ? error.message : String(error)],
		};
	}
}
