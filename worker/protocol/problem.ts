/** Every way a request can be refused: HTTP status and title. The key is the fragment of the problem's `type` (RFC 9457 §3.1). */
export const PROBLEMS = {
	"invalid-request": { status: 400, title: "The request is not valid" },
	unauthorized: { status: 401, title: "A valid token is needed" },
	forbidden: { status: 403, title: "The token does not allow this" },
	"not-found": { status: 404, title: "There is no such thing" },
	"method-not-allowed": { status: 405, title: "Not by this method" },
	"already-live": { status: 409, title: "The broadcast is live" },
	"wrong-state": { status: 409, title: "Not in this state of the broadcast" },
	"taken-over": { status: 409, title: "A newer one has taken over" },
	"too-many": { status: 409, title: "A limit is reached" },
	"duplicate-destination": { status: 409, title: "The broadcast goes there already" },
	"idempotency-in-progress": { status: 409, title: "The same request is being answered" },
	"broadcast-ended": { status: 410, title: "The broadcast has ended" },
	"invite-expired": { status: 410, title: "The invite is no longer good" },
	"precondition-failed": { status: 412, title: "It has changed since" },
	"precondition-required": { status: 428, title: "Say what it is to be done to" },
	"too-large": { status: 413, title: "The body is too large" },
	"unsupported-media-type": { status: 415, title: "The body is of another type" },
	"destination-refused": { status: 422, title: "The destination is not allowed" },
	"webhook-refused": { status: 422, title: "The webhook's address is not allowed" },
	"idempotency-mismatch": { status: 422, title: "The key was used for another request" },
	"upgrade-required": { status: 426, title: "This is a WebSocket" },
	"rate-limited": { status: 429, title: "Too many requests" },
	"internal-error": { status: 500, title: "Something went wrong on our side" },
	unavailable: { status: 503, title: "Interrupted on our side" },
	"no-compositor": { status: 503, title: "No compositor is there yet" },
	"not-configured": { status: 503, title: "The deployment is not set up" },
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

/** What a refusal says beside its words, for programs: the states in which it would be legal, and the one that was found. */
export interface RefusalFacts {
	readonly expected?: readonly string[];
	readonly found?: string;
}

/** A refusal as objects hand it to each other: `detail` says what was expected and what came, and never holds a secret. */
export interface Refusal extends RefusalFacts {
	readonly kind: ProblemKind;
	readonly detail: string;
}

/** What a command answers: a value, or why not. Thrown errors lose their class on their way between objects; values do not. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export function done<T>(value: T): { readonly ok: true; readonly value: T } {
	return { ok: true, value };
}

export function refused(
	kind: ProblemKind,
	detail: string,
	facts: RefusalFacts = {},
): { readonly ok: false; readonly refusal: Refusal } {
	return { ok: false, refusal: { kind, detail, ...facts } };
}
