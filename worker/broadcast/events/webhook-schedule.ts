import { type RetryPolicy, retryDelayMs } from "../../../media/retry-delay.ts";

/** A receiver that is being deployed is back within seconds; one that is down for the night is asked once an hour. */
export const WEBHOOK_RETRY: RetryPolicy = { firstMs: 5_000, capMs: 3_600_000 };
/** After this an event is given up: whoever was away for longer asks for it by replay. */
export const DELIVER_WITHIN_MS = 24 * 3_600_000;

/** Events that are sent again, before those that are new. */
export interface Replay {
	/** The first that has not been sent again yet. */
	readonly next: number;
	readonly to: number;
	/** From then on they have the time of new ones. */
	readonly askedAtMs: number;
}

/** How far the deliveries of one webhook have come. */
export interface DeliveryState {
	/** The last event that was delivered or given up, apart from a replay. */
	readonly cursor: number;
	/** Attempts in a row that failed. */
	readonly failures: number;
	/** Not before then, after a failure. */
	readonly nextAttemptMs?: number;
	readonly lastError?: string;
	readonly replay?: Replay;
}

export type DeliveryStep =
	/** Nothing is left to send. */
	| { readonly kind: "idle" }
	/** All of a replay was sent: on with what is new. */
	| { readonly kind: "replayed" }
	| { readonly kind: "wait"; readonly untilMs: number }
	| { readonly kind: "send" }
	| { readonly kind: "give-up" };

export function newDeliveryState(cursor: number): DeliveryState {
	return { cursor, failures: 0 };
}

/** Among which events the next one is. */
export function rangeOf({ cursor, replay }: DeliveryState): { readonly after: number; readonly upTo?: number } {
	return replay === undefined ? { after: cursor } : { after: replay.next - 1, upTo: replay.to };
}

/** @param next when the first event of {@link rangeOf} that the webhook wants happened; `undefined` when there is none */
export function deliveryStep(
	state: DeliveryState,
	next: { readonly atMs: number } | undefined,
	nowMs: number,
): DeliveryStep {
	const { replay, nextAttemptMs = nowMs } = state;
	if (next === undefined) {
		return { kind: replay === undefined ? "idle" : "replayed" };
	}
	const giveUpAtMs = Math.max(next.atMs, replay?.askedAtMs ?? 0) + DELIVER_WITHIN_MS;
	if (nowMs >= giveUpAtMs) {
		return { kind: "give-up" };
	}
	return nowMs < nextAttemptMs ? { kind: "wait", untilMs: Math.min(nextAttemptMs, giveUpAtMs) } : { kind: "send" };
}

/** The event was delivered: the next one goes out at once. */
export function delivered(state: DeliveryState, sequence: number, sentAs: Replay | undefined): DeliveryState {
	const { nextAttemptMs: _next, lastError: _error, ...rest } = state;
	return past({ ...rest, failures: 0 }, sequence, sentAs);
}

/** The event was given up; a receiver that does not answer is not asked any sooner for it. */
export function givenUp(state: DeliveryState, sequence: number): DeliveryState {
	return past(state, sequence, state.replay);
}

/** @param random in [0, 1) */
export function failed(state: DeliveryState, error: string, nowMs: number, random: number): DeliveryState {
	const delayMs = Math.ceil(retryDelayMs(WEBHOOK_RETRY, state.failures, random));
	return { ...state, failures: state.failures + 1, nextAttemptMs: nowMs + delayMs, lastError: error };
}

/** Whoever asks for a replay is there: it begins at once. One that comes during another takes its rest in. */
export function replaying(state: DeliveryState, from: number, to: number, nowMs: number): DeliveryState {
	const { nextAttemptMs: _next, ...rest } = state;
	const { next = from, to: lastTo = to } = state.replay ?? {};
	return {
		...rest,
		failures: 0,
		replay: { next: Math.min(from, next), to: Math.max(to, lastTo), askedAtMs: nowMs },
	};
}

export function withoutReplay({ replay: _, ...state }: DeliveryState): DeliveryState {
	return state;
}

/** Past that event, unless another replay was asked for while it was on its way: that one begins where it was asked to. */
function past(state: DeliveryState, sequence: number, sentAs: Replay | undefined): DeliveryState {
	const { replay } = state;
	if (sentAs === undefined) {
		return { ...state, cursor: Math.max(state.cursor, sequence) };
	}
	if (replay === undefined || replay.next !== sentAs.next) {
		return state;
	}
	return sequence >= replay.to ? withoutReplay(state) : { ...state, replay: { ...replay, next: sequence + 1 } };
}
