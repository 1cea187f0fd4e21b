import { hc } from "hono/client";
import type { Api } from "#api";

export interface ApiClientOptions {
	/** The admin token, or a broadcast's role token, stream key or invite code; what is public needs none. */
	readonly token?: string;
	/** In place of the platform's own. */
	readonly fetch?: typeof fetch;
}

/**
 * The HTTP API as typed calls: `apiClient(origin, {token}).broadcasts[":id"].$get({param: {id}})`. Paths, bodies and answers are those of the
 * Worker's own schemas. Calls resolve to a `Response`; {@link answerOf} makes a value or an error of it.
 *
 * @param origin such as `https://tandem.example`
 */
export function apiClient(origin: string, { token, fetch }: ApiClientOptions = {}) {
	const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
	return hc<Api>(origin, { headers, ...(fetch === undefined ? {} : { fetch }) }).api;
}

export type TandemApi = ReturnType<typeof apiClient>;

/** A problem document (RFC 9457) as the API answers it. */
export interface ApiProblemDocument {
	readonly type: string;
	readonly title: string;
	readonly status: number;
	/** What was expected and what came. */
	readonly detail: string;
	/** Where a state was wrong: those in which it is legal, and the one there is. */
	readonly expected?: readonly string[];
	readonly found?: string;
	readonly errors?: readonly { readonly path: string; readonly detail: string }[];
	readonly requestId?: string;
}

/** A request that the API refused. */
export class ApiRefusalError extends Error {
	override readonly name = "ApiRefusalError";
	readonly status: number;
	/** Absent where something other than the API answered. */
	readonly problem?: ApiProblemDocument;

	constructor(status: number, problem: ApiProblemDocument | undefined) {
		super(problem === undefined ? `api: expected an answer, got HTTP ${status}` : problem.detail || problem.title);
		this.status = status;
		if (problem !== undefined) {
			this.problem = problem;
		}
	}
}

/** What a response of {@link apiClient} holds when it is no problem; `undefined` where that is nothing. */
export type AnswerOf<R> = [BodyOf<R>] extends [never] ? undefined : BodyOf<R>;
type BodyOf<R> = R extends { json(): Promise<infer Body> }
	? unknown extends Body
		? never
		: Exclude<Body, Pick<ApiProblemDocument, "detail">>
	: never;

/**
 * The answer to a call; `undefined` where there is nothing to tell (204, 304).
 * @throws {ApiRefusalError} when it was refused
 */
export async function answerOf<R extends Response | { json(): Promise<unknown> }>(
	call: Promise<R>,
): Promise<AnswerOf<R>> {
	const response = (await call) as unknown as Response;
	if (response.status === 204 || response.status === 304) {
		return undefined as AnswerOf<R>;
	}
	const body: unknown = await response.json().catch(() => undefined);
	if (!response.ok || body === undefined) {
		throw new ApiRefusalError(response.status, isProblem(body) ? body : undefined);
	}
	return body as AnswerOf<R>;
}

function isProblem(body: unknown): body is ApiProblemDocument {
	return typeof body === "object" && body !== null && "type" in body && "title" in body && "detail" in body;
}
