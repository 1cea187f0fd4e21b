import type { Context, MiddlewareHandler, Next } from "hono";
import { z } from "zod";
import { credentialOf } from "../auth/credential.ts";
import { randomCode } from "../auth/random-id.ts";
import { seal, sealingKeyOf, unseal } from "../auth/sealing.ts";
import { sha256Hex } from "../auth/secret.ts";
import { createLog } from "../log.ts";
import type { RepeatableRequest, RequestStanding } from "../protocol/idempotency.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";
import { broadcastIdOf } from "./named-broadcast.ts";
import { requiredSigningKey } from "./new-credentials.ts";
import { repeatableCreation } from "./repeatable-creation.ts";

const HEADER = "Idempotency-Key";
const REPLAYED_HEADER = "Idempotency-Replayed";
const KEY_PATTERN = /^[\x20-\x7e]{1,255}$/;
const ATTEMPT_LENGTH = 16;
/** A key that is used daily for a new broadcast lasts a month: each of them is asked, first to last. */
const MAX_CREATIONS = 32;
const FIRST_SERVER_ERROR = 500;
/** Of whoever was not let in, or not now: said again it would keep out who is let in by then. */
const PASSING_STATUSES: readonly number[] = [401, 403, 429];
const KEPT_HEADERS = ["Content-Type", "Cache-Control", "ETag", "Location"];

const answerSchema = z.object({
	status: z.int(),
	headers: z.array(z.tuple([z.string(), z.string()])),
	body: z.string(),
});

const log = createLog("api");

/** For routes that let people in by themselves; `allow` has it for all others. */
export function idempotent(): MiddlewareHandler<ApiEnv> {
	return (c, next) => idempotently(c, next);
}

/**
 * A POST that names itself by `Idempotency-Key` is carried out once: the same request again gets the same answer, byte for byte, for 24 h.
 * Whoever asks must be known by now, since keys are theirs alone.
 * @throws {ApiProblem} for a key that was used for another request, or whose request is being carried out
 */
export async function idempotently(c: Context<ApiEnv>, next: Next): Promise<Response | undefined> {
	const key = c.req.header(HEADER);
	if (c.req.method !== "POST" || key === undefined) {
		await next();
		return undefined;
	}
	if (!KEY_PATTERN.test(key)) {
		throw new ApiProblem("invalid-request", `${HEADER}: expected 1 to 255 printable characters, got another form`);
	}
	if (sealingKeyOf(c.env) === undefined) {
		throw new ApiProblem(
			"not-configured",
			`${HEADER}: expected the secret ENCRYPTION_KEY, to keep answers sealed, got none that is 32 bytes in base64`,
		);
	}
	const request = await requestOf(c, key);
	const { broadcastId, standing } = request.creates ? await beginCreation(c, request) : await begin(c, request);
	switch (standing.state) {
		case "absent":
			await next();
			return undefined;
		case "first":
			await outlivingClient(c, carryOut(c, next, broadcastId, request));
			return undefined;
		case "answered":
			return replay(await unseal(standing.sealedAnswer, c.env, sealedFor(broadcastId)));
		case "running":
			throw new ApiProblem(
				"idempotency-in-progress",
				`${HEADER}: expected a request that has been answered, got one that still is being answered`,
			);
		case "full":
			throw new ApiProblem("too-many", `${HEADER}: expected fewer requests of this broadcast's at once, got one more`);
		case "mismatch":
			throw new ApiProblem("idempotency-mismatch", `${HEADER}: expected the request it was used for, got another`);
		case "used":
			throw new ApiProblem(
				"idempotency-mismatch",
				`${HEADER}: expected one that was not used for ${MAX_CREATIONS} broadcasts yet, got one that was`,
			);
	}
}

async function requestOf(c: Context<ApiEnv>, key: string): Promise<RepeatableRequest> {
	const { pathname, search } = new URL(c.req.url);
	const caller = await sha256Hex(credentialOf(c.req.raw, { query: false }) ?? "");
	const conditions = [search, c.req.header("If-Match") ?? "", c.req.header("Content-Type") ?? ""];
	return {
		requestKey: await sha256Hex(JSON.stringify([caller, pathname, key])),
		fingerprint: await sha256Hex(JSON.stringify([...conditions, await c.req.text()])),
		attempt: randomCode(ATTEMPT_LENGTH),
		creates: c.req.param("id") === undefined,
	};
}

interface Begun {
	readonly broadcastId: string;
	readonly standing: RequestStanding;
}

async function begin(c: Context<ApiEnv>, request: RepeatableRequest): Promise<Begun> {
	const broadcastId = broadcastIdOf(c);
	return { broadcastId, standing: await c.env.BROADCAST.getByName(broadcastId).beginRequest(request) };
}

/** The key names the broadcast, so that of two requests at once both come to the same object. */
async function beginCreation(c: Context<ApiEnv>, request: RepeatableRequest): Promise<Begun> {
	const signingKey = requiredSigningKey(c.env);
	let begun: Begun | undefined;
	for (let nth = 0; nth < MAX_CREATIONS && (begun === undefined || begun.standing.state === "used"); nth++) {
		const creation = await repeatableCreation(request.requestKey, nth, signingKey);
		const { broadcastId } = creation;
		c.set("creation", creation);
		begun = { broadcastId, standing: await c.env.BROADCAST.getByName(broadcastId).beginRequest(request) };
	}
	return begun ?? { broadcastId: "", standing: { state: "used" } };
}

async function carryOut(
	c: Context<ApiEnv>,
	next: Next,
	broadcastId: string,
	request: RepeatableRequest,
): Promise<void> {
	let sealedAnswer: string | undefined;
	try {
		await next();
		sealedAnswer = await sealedAnswerOf(c, broadcastId);
	} finally {
		await finish(c, broadcastId, request, sealedAnswer);
	}
}

/** `undefined` for an answer that a repetition is not to get. */
async function sealedAnswerOf(c: Context<ApiEnv>, broadcastId: string): Promise<string | undefined> {
	const { status, headers } = c.res;
	if (status >= FIRST_SERVER_ERROR || PASSING_STATUSES.includes(status)) {
		return undefined;
	}
	const kept = KEPT_HEADERS.flatMap((name) => {
		const value = headers.get(name);
		return value === null ? [] : [[name, value] as const];
	});
	const answer = { status, headers: kept, body: await c.res.clone().text() };
	return seal(JSON.stringify(answer), c.env, sealedFor(broadcastId));
}

/** The request was carried out whatever becomes of its memory: a second try, and then it is taken for dead after a minute. */
async function finish(
	c: Context<ApiEnv>,
	broadcastId: string,
	request: RepeatableRequest,
	sealedAnswer: string | undefined,
): Promise<void> {
	const tell = () => c.env.BROADCAST.getByName(broadcastId).finishRequest(request, sealedAnswer);
	try {
		await tell().catch(tell);
	} catch (error) {
		log.warn("an answer could not be kept", { requestId: c.var.requestId, broadcastId, error });
	}
}

/** Clients that lose patience and ask again are who this is for: what they left goes on. */
async function outlivingClient(c: Context<ApiEnv>, work: Promise<void>): Promise<void> {
	try {
		c.executionCtx.waitUntil(work);
	} catch {
		// Called without a context, as tests do, there is no client to lose.
	}
	await work;
}

function replay(text: string): Response {
	const { status, headers, body } = answerSchema.parse(JSON.parse(text));
	return new Response(body === "" ? null : body, { status, headers: [...headers, [REPLAYED_HEADER, "true"]] });
}

function sealedFor(broadcastId: string): string {
	return `answer:${broadcastId}`;
}
