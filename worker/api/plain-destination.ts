import type { Env } from "../env.ts";
import type { NewDestination } from "../protocol/broadcast-commands.ts";
import { done, type Outcome } from "../protocol/problem.ts";
import { ApiProblem } from "./api-problem.ts";
import { allowedDestination } from "./destination-request.ts";
import { faultsInWords, requestFaults } from "./request-faults.ts";
import { newDestinationSchema } from "./schemas.ts";

/** The destination that the body of `POST …/destinations` asks for, where it comes by the control socket: checked and sealed as over HTTP. */
export async function plainDestination(body: unknown, broadcastId: string, env: Env): Promise<Outcome<NewDestination>> {
	const parsed = newDestinationSchema.safeParse(body);
	if (!parsed.success) {
		const detail = faultsInWords(requestFaults(parsed.error.issues));
		return { ok: false, refusal: { kind: "invalid-request", detail } };
	}
	try {
		return done(await allowedDestination(parsed.data, broadcastId, env));
	} catch (error) {
		if (error instanceof ApiProblem) {
			return { ok: false, refusal: { kind: error.kind, detail: error.message, ...error.facts } };
		}
		throw error;
	}
}
