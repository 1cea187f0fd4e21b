import { signRoleToken } from "../auth/role-token.ts";
import { signingKeyOf } from "../auth/signing-key.ts";
import type { Env } from "../env.ts";
import type { EgressCarryOver, EgressJob, EgressJobAnswer, EgressJobName } from "../protocol/egress-jobs.ts";
import { DEFAULT_POOL_NAME } from "../protocol/object-rpc.ts";

/** Many renewals long, so that a pool that is away for minutes does not end a subscription. */
export const SUBSCRIPTION_TOKEN_LIFETIME_S = 600;

export type RunnerWork = Omit<EgressJob, "token" | "allowPrivate" | "carryOver"> & {
	readonly carryOver: EgressCarryOver | undefined;
};

/**
 * Asks the pool for a runner, with a token that lets it subscribe to the program and nothing else. Its fence sets it apart from people who
 * watch: whoever takes their links back does not mean the destinations.
 */
export async function acquireRunner(env: Env, { carryOver, ...work }: RunnerWork): Promise<EgressJobAnswer> {
	const signingKey = signingKeyOf(env);
	if (signingKey === undefined) {
		return { outcome: "none", reason: "egress: expected the secret SIGNING_KEY to be set, got none" };
	}
	const exp = Math.floor(Date.now() / 1_000) + SUBSCRIPTION_TOKEN_LIFETIME_S;
	const token = await signRoleToken({ bid: work.broadcastId, role: "viewer", fence: work.fence, exp }, signingKey);
	return await env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME).acquireEgress({
		...work,
		token,
		allowPrivate: env.ALLOW_PRIVATE_DESTINATIONS === "1",
		...(carryOver !== undefined && { carryOver }),
	});
}

export async function releaseRunner(env: Env, job: EgressJobName): Promise<void> {
	await env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME).releaseEgress(job);
}
