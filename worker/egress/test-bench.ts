import { systemClock } from "../../egress/clock.ts";
import type { Dial } from "../../egress/destination-line.ts";
import { testDestination } from "../../egress/destination-test.ts";
import type { Env } from "../env.ts";
import {
	DESTINATION_TEST_WITHIN_MS,
	type DestinationTestReport,
	type EgressRunnerWord,
	type PublishTarget,
} from "../protocol/egress-jobs.ts";
import type { EgressConfig } from "../protocol/object-rpc.ts";
import { openedTarget } from "./destination-address.ts";
import { acquireRunner, releaseRunner } from "./runner-job.ts";

/** A runner's report comes by way of the pool. */
const REPORT_WITHIN_MS = DESTINATION_TEST_WITHIN_MS + 1_000;

export interface TestBenchOptions {
	readonly env: Env;
	readonly dial: Dial;
}

/** Tests one destination at a time, from here or by a runner. Keeps nothing: a test that is interrupted is asked for again. */
export class TestBench {
	readonly #options: TestBenchOptions;
	#isBusy = false;
	#awaited: { readonly fence: number; readonly tell: (report: DestinationTestReport) => void } | undefined;

	constructor(options: TestBenchOptions) {
		this.#options = options;
	}

	async test(config: EgressConfig): Promise<DestinationTestReport> {
		if (this.#isBusy) {
			return failed("egress: expected one test of a destination at a time, got another");
		}
		this.#isBusy = true;
		try {
			const { env, dial } = this.#options;
			const target = await openedTarget(config, env);
			return config.via === "runner"
				? await this.#byRunner(config, target)
				: await testDestination(target, { dial, clock: systemClock });
		} catch (error) {
			// Of the sealing and of fellow objects: neither quotes an address.
			return failed(error instanceof Error ? error.message : "egress: expected to test, got a throw");
		} finally {
			this.#isBusy = false;
		}
	}

	/** From the pool. */
	hear(word: EgressRunnerWord): void {
		if (word.fence !== this.#awaited?.fence) {
			return;
		}
		if (word.kind === "tested") {
			this.#awaited.tell(word.report);
		} else if (word.kind === "lost") {
			this.#awaited.tell(failed(`egress: expected the runner to report, got: ${word.reason}`));
		}
	}

	async #byRunner(
		{ broadcastId, destinationId, stream }: EgressConfig,
		target: PublishTarget,
	): Promise<DestinationTestReport> {
		const { env } = this.#options;
		const jobId = `${broadcastId}/test-${destinationId}`;
		// Nothing is stored of tests: time alone rises over them all.
		const fence = Date.now();
		const reported = Promise.withResolvers<DestinationTestReport>();
		this.#awaited = { fence, tell: reported.resolve };
		const timer = setTimeout(() => {
			reported.resolve(failed(`egress: expected a runner's report within ${REPORT_WITHIN_MS / 1_000} s, got none`));
		}, REPORT_WITHIN_MS);
		try {
			const work = { jobId, fence, work: "test", broadcastId, stream, target, carryOver: undefined } as const;
			const answer = await acquireRunner(env, work);
			if (answer.outcome !== "assigned") {
				return failed(answer.outcome === "none" ? answer.reason : "egress: expected to test, got a newer test");
			}
			return await reported.promise;
		} finally {
			clearTimeout(timer);
			this.#awaited = undefined;
			await releaseRunner(env, { jobId, fence });
		}
	}
}

function failed(error: string): DestinationTestReport {
	return { ok: false, steps: [], error, bytes: 0 };
}
