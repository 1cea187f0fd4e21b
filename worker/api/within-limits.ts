import { BroadcastTable } from "../broadcast/broadcast-index.ts";
import type { Env } from "../env.ts";
import type { Limits } from "../limits.ts";
import { createLog } from "../log.ts";
import { ApiProblem } from "./api-problem.ts";

const log = createLog("limits");

/** What of a request may be less in this deployment than the schemas allow. @throws {ApiProblem} for what is more */
export function withinLimits(
	request: { readonly maxGuests?: number | undefined; readonly destinations?: readonly unknown[] },
	{ maxGuests, maxDestinations }: Limits,
): void {
	const found: readonly (readonly [path: string, limit: number, got: number])[] = [
		["maxGuests", maxGuests, request.maxGuests ?? 0],
		["destinations", maxDestinations, request.destinations?.length ?? 0],
	];
	for (const [path, limit, got] of found) {
		if (got > limit) {
			const detail = `expected at most ${limit}, got ${got}`;
			throw new ApiProblem("invalid-request", `${path}: ${detail}`, [{ path, detail }]);
		}
	}
}

/**
 * Whether there may be another broadcast, by the list of them: it may be a moment behind. A list that does not answer keeps nobody from going live.
 * @throws {ApiProblem} when there are as many as there may be
 */
export async function roomForOneMore(env: Pick<Env, "INDEX">, { maxBroadcasts }: Limits): Promise<void> {
	const open = await countOpen(env);
	if (open >= maxBroadcasts) {
		throw new ApiProblem("too-many", `broadcast: expected at most ${maxBroadcasts} that are not over, got one more`);
	}
}

async function countOpen({ INDEX }: Pick<Env, "INDEX">): Promise<number> {
	try {
		return await new BroadcastTable(INDEX).countOpen();
	} catch (error) {
		log.warn("broadcasts could not be counted", { error });
		return 0;
	}
}
