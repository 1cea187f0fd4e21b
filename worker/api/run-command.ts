import type { Context } from "hono";
import { actorOf } from "../auth/permissions.ts";
import type { BroadcastCommand, BroadcastView, CommandContext, CommandResult } from "../protocol/broadcast-commands.ts";
import type { ApiEnv } from "./api-app.ts";
import { valueFrom } from "./api-problem.ts";
import { entityTag, readIfMatch } from "./entity-tag.ts";
import { broadcastOf } from "./guard.ts";

/**
 * Gives a command to the broadcast that the path names, on behalf of whoever asks, and on the version they meant where they say it (`If-Match`).
 * @throws {ApiProblem} when it is refused
 */
export async function runCommand(c: Context<ApiEnv>, command: BroadcastCommand): Promise<CommandResult> {
	const result = valueFrom(await broadcastOf(c).command(command, commandContext(c)));
	tagged(c, result.broadcast);
	return result;
}

export function commandContext(c: Context<ApiEnv>): CommandContext {
	const ifMatch = readIfMatch(c.req.header("If-Match"));
	const { principal, requestId } = c.var;
	return { actor: actorOf(principal), requestId, ...(ifMatch === undefined ? {} : { ifMatch }) };
}

/** The answer shows this version of the broadcast. */
export function tagged(c: Context<ApiEnv>, broadcast: BroadcastView): void {
	c.header("ETag", entityTag(broadcast.version));
}
