import type { Stage } from "./stage.ts";
import type { Targets } from "./targets.ts";

export interface FaultCase {
	/** As `--only` takes it. */
	readonly name: string;
	/** For the table. */
	readonly what: string;
	/** Runners with one place each. */
	readonly compositors: number;
	readonly targets: Targets;
	/** From an empty stage to the moment when the stream should flow again. */
	run(stage: Stage): Promise<void>;
}
