import { expect, test } from "vitest";
import { GOODBYE_WITHIN_MS, RENEW_EVERY_MS, RunnerPublication } from "../../../worker/egress/runner-publication.ts";
import type { EgressCarryOver, EgressJobAnswer, EgressJobReport } from "../../../worker/protocol/egress-jobs.ts";
import type { EgressState } from "../../../worker/protocol/egress-status.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

const NO_RUNNER: EgressJobAnswer = { outcome: "none", reason: "pool: expected a runner, got none" };
const ASSIGNED: EgressJobAnswer = { outcome: "assigned" };

function report(state: EgressState, more: Partial<EgressJobReport["status"]> = {}, timeMs?: number): EgressJobReport {
	const status = { state, bytes: 0, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 0, ...more };
	return { status, held: false, ...(timeMs !== undefined && { timeMs }) };
}

function publication(
	answers: EgressJobAnswer[],
	options: { fence?: number; resumes?: boolean; carryOver?: EgressCarryOver } = {},
) {
	const clock = new ManualClock();
	const asked: { fence: number; carryOver: EgressCarryOver | undefined }[] = [];
	const kept: number[] = [];
	const released: number[] = [];
	const states: EgressState[] = [];
	const ended: string[] = [];
	const subject = new RunnerPublication({
		pool: {
			acquire: async (fence, carryOver) => {
				expect(kept.at(-1) ?? options.fence, "a fence is stored before it is used").toBe(fence);
				asked.push({ fence, carryOver });
				const answer = answers.length > 1 ? answers.shift() : answers[0];
				if (answer === undefined) {
					throw new Error("pool: gone");
				}
				return answer;
			},
			release: async (fence) => void released.push(fence),
		},
		clock,
		random: () => 0.5,
		fence: options.fence ?? 0,
		resumes: options.resumes ?? false,
		keepFence: async (fence) => void kept.push(fence),
		...(options.carryOver !== undefined && { carryOver: options.carryOver }),
		onChange: ({ state }) => states.push(state),
		onEnded: (reason) => ended.push(reason),
	});
	subject.start();
	return { subject, clock, asked, released, states, ended };
}

test("asks until there is a runner, and says meanwhile that one is needed", async () => {
	const { subject, clock, asked, states } = publication([NO_RUNNER, NO_RUNNER, ASSIGNED]);
	await settle();
	expect(subject.status()).toMatchObject({
		state: "retrying",
		lastError: expect.stringContaining("expected a runner"),
	});
	await clock.advance(3_000);
	expect(asked.map(({ fence }) => fence)).toEqual([1, 1, 1]);
	subject.hear({ kind: "status", fence: 1, report: report("live", { bytes: 7 }) });
	expect(subject.status()).toMatchObject({ state: "live", bytes: 7 });
	expect(states).toEqual(["connecting", "retrying", "live"]);
});

test("asks for another under a higher fence when the runner is lost, which goes on where that was", async () => {
	const { subject, clock, asked } = publication([ASSIGNED]);
	await settle();
	subject.hear({
		kind: "status",
		fence: 1,
		report: { ...report("live", { bytes: 900, reconnects: 1 }, 60_000), held: true },
	});
	await clock.advance(2_000);
	subject.hear({ kind: "lost", fence: 1, reason: "its line broke" });
	expect(subject.status()).toMatchObject({ state: "retrying", lastError: expect.stringContaining("its line broke") });
	await clock.advance(1_000);
	expect(asked).toHaveLength(2);
	expect(asked[1]).toMatchObject({ fence: 2, carryOver: { held: true, bytes: 900, reconnects: 1 } });
	expect(asked[1]?.carryOver?.firstMs).toBeGreaterThanOrEqual(62_000);
	subject.hear({ kind: "status", fence: 1, report: report("live", { bytes: 1 }) });
	subject.hear({ kind: "lost", fence: 1, reason: "again" });
	expect(subject.status(), "what the old one says is nothing").toMatchObject({ state: "retrying", bytes: 900 });
});

test("renews the job, and asks nobody else while the pool is away", async () => {
	const { subject, clock, asked } = publication([ASSIGNED]);
	await settle();
	subject.hear({ kind: "status", fence: 1, report: report("live") });
	await clock.advance(RENEW_EVERY_MS);
	expect(asked.map(({ fence }) => fence)).toEqual([1, 1]);
	const away = publication([]);
	await away.clock.advance(10_000);
	expect(away.asked.length).toBeGreaterThan(2);
	expect(new Set(away.asked.map(({ fence }) => fence))).toEqual(new Set([1]));
});

test("goes past a fence that was seen already", async () => {
	const { clock, asked } = publication([{ outcome: "stale", fence: 41 }, ASSIGNED]);
	await clock.advance(1_000);
	expect(asked.map(({ fence }) => fence)).toEqual([1, 42]);
});

test("goes on with the job of an earlier life, and begins another where it does not", async () => {
	const carryOver = { firstMs: 5_000, held: true, bytes: 3, reconnects: 0, droppedTags: 0 };
	const resumed = publication([ASSIGNED], { fence: 7, resumes: true, carryOver });
	await settle();
	expect(resumed.asked).toEqual([{ fence: 7, carryOver }]);
	const anew = publication([ASSIGNED], { fence: 7 });
	await settle();
	expect(anew.asked).toEqual([{ fence: 8, carryOver: undefined }]);
});

test("takes a refusal as final", async () => {
	const { subject, clock, asked } = publication([ASSIGNED]);
	await settle();
	subject.hear({ kind: "status", fence: 1, report: report("refused", { lastError: "wrong key" }) });
	subject.hear({ kind: "lost", fence: 1, reason: "over" });
	await clock.advance(10 * RENEW_EVERY_MS);
	expect(subject.status()).toMatchObject({ state: "refused", lastError: "wrong key" });
	expect(asked).toHaveLength(1);
});

test("stops when the destination has had its goodbye, or that takes too long", async () => {
	const { subject, clock, released } = publication([ASSIGNED]);
	await settle();
	subject.hear({ kind: "status", fence: 1, report: report("live") });
	let stopped = false;
	const stopping = subject.stop().then(() => {
		stopped = true;
	});
	await settle();
	expect([released, stopped]).toEqual([[1], false]);
	subject.hear({ kind: "status", fence: 1, report: report("stopped") });
	await stopping;
	expect(subject.status().state).toBe("stopped");
	await subject.stop();
	expect(released).toEqual([1]);
	expect(clock.pending).toBe(0);

	const unheard = publication([ASSIGNED]);
	await settle();
	const unheardStop = unheard.subject.stop();
	await unheard.clock.advance(GOODBYE_WITHIN_MS);
	await unheardStop;
	expect(unheard.subject.status().state).toBe("stopped");
	await unheard.clock.advance(10 * RENEW_EVERY_MS);
	expect(unheard.asked).toHaveLength(1);
});

test("tells when the runner saw the broadcast end", async () => {
	const { subject, ended } = publication([ASSIGNED]);
	await settle();
	subject.hear({ kind: "status", fence: 1, report: report("stopped") });
	expect(ended).toHaveLength(1);
});
