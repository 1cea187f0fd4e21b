import { type Outcome, PROBLEMS, type ProblemKind, type RefusalFacts } from "../protocol/problem.ts";

/** When it may go better (RFC 9110 §10.2.3): limits count by the minute; most requests have finished in a second. */
const RETRY_AFTER_S: Partial<Record<ProblemKind, number>> = {
	"rate-limited": 60,
	"idempotency-in-progress": 1,
	"no-compositor": 5,
	unavailable: 1,
};

/** One fault of a request, by where it is. Never holds the value that was sent, which may be a key. */
export interface RequestFault {
	readonly path: string;
	readonly detail: string;
}

/** A request that is refused: thrown by routes, made a problem document (RFC 9457) by the one `onError`. */
export class ApiProblem extends Error {
	override readonly name = "ApiProblem";
	readonly kind: ProblemKind;
	readonly faults: readonly RequestFault[];

	readonly facts: RefusalFacts;

	constructor(kind: ProblemKind, detail: string, faults: readonly RequestFault[] = [], facts: RefusalFacts = {}) {
		super(detail);
		this.kind = kind;
		this.faults = faults;
		this.facts = facts;
	}
}

/** The value of a command that was done. @throws {ApiProblem} when it was refused. */
export function valueFrom<T>(outcome: Outcome<T>): T {
	if (!outcome.ok) {
		const { kind, detail, ...facts } = outcome.refusal;
		throw new ApiProblem(kind, detail, [], facts);
	}
	return outcome.value;
}

/** Where a kind of problem is explained: its entry on the page of the API. */
export function problemType(kind: ProblemKind): string {
	return `/api/docs#problem-${kind}`;
}

/** @param requestId by which the log can be searched for it */
export function problemResponse(problem: ApiProblem, requestId?: string): Response {
	const { status, title } = PROBLEMS[problem.kind];
	const document = {
		type: problemType(problem.kind),
		title,
		status,
		detail: problem.message,
		...problem.facts,
		...(requestId === undefined ? {} : { requestId }),
		...(problem.faults.length === 0 ? {} : { errors: problem.faults }),
	};
	const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
	if (problem.kind === "unauthorized") {
		headers.set("WWW-Authenticate", "Bearer");
	}
	const retryAfterS = RETRY_AFTER_S[problem.kind];
	if (retryAfterS !== undefined) {
		headers.set("Retry-After", String(retryAfterS));
	}
	if (problem.kind === "upgrade-required") {
		headers.set("Upgrade", "websocket");
	}
	return new Response(JSON.stringify(document), { status, headers });
}
