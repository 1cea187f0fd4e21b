import { signRoleToken } from "../auth/role-token.ts";
import { signingKeyOf } from "../auth/signing-key.ts";
import { COMPOSITOR_TOKEN_LIFETIME_S } from "../auth/token-lifetime.ts";
import type { Env } from "../env.ts";
import { createLog } from "../log.ts";
import { DEFAULT_POOL_NAME } from "../protocol/object-rpc.ts";
import { BroadcastTable } from "./broadcast-index.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { type WorkPorts, WorkRunner } from "./work-runner.ts";

const log = createLog("broadcast");

export function routerOf(env: Env, broadcastId: string) {
	return env.ROUTER.getByName(broadcastId);
}

export function egressOf(env: Env, broadcastId: string, destinationId: string) {
	return env.EGRESS.getByName(`${broadcastId}/${destinationId}`);
}

/** Carries out a broadcast's work with the objects and the table that the environment binds. */
export function boundWorkRunner(
	env: Env,
	own: Pick<WorkPorts, "remindersDue"> & { record(): BroadcastRecord | undefined },
): WorkRunner {
	return new WorkRunner({
		router: (broadcastId) => routerOf(env, broadcastId),
		egress: (broadcastId, destinationId) => egressOf(env, broadcastId, destinationId),
		pool: () => env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME),
		index: new BroadcastTable(env.INDEX),
		remindersDue: (record, nowMs) => own.remindersDue(record, nowMs),
		compositorToken: (broadcastId, fence) => compositorToken(env, broadcastId, fence),
		delay: (ms, signal) => scheduler.wait(ms, { signal }),
		report: (step, error) => {
			const { id, requestId } = own.record() ?? {};
			log.warn(`${step} failed, to be tried again`, { broadcastId: id, requestId, error });
		},
	});
}

function compositorToken(env: Env, broadcastId: string, fence: number): Promise<string> {
	const signingKey = signingKeyOf(env);
	if (signingKey === undefined) {
		throw new Error("broadcast: expected SIGNING_KEY to be set, got none that is long enough");
	}
	const exp = Math.floor(Date.now() / 1_000) + COMPOSITOR_TOKEN_LIFETIME_S;
	return signRoleToken({ bid: broadcastId, role: "compositor", exp, fence }, signingKey);
}
