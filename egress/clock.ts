/** Time and waiting, so that a session can be tested at any speed. */
export interface Clock {
	nowMs(): number;
	/** Calls `action` once after `delayMs`; the returned function cancels it. */
	after(delayMs: number, action: () => void): () => void;
}

/** Time as the platform has it. */
export const systemClock: Clock = {
	nowMs: () => Date.now(),
	after(delayMs, action) {
		const timer = setTimeout(action, delayMs);
		return () => clearTimeout(timer);
	},
};

/** Resolves after `delayMs`; rejects with the signal's reason when that comes first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>();
	const cancel = clock.after(delayMs, resolve);
	return unlessAborted(promise, signal).finally(cancel);
}

/** `work`, or a rejection with the signal's reason when that comes first. The work itself goes on: the caller must end it. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const aborted = () => reject(signal.reason);
	if (signal.aborted) {
		aborted();
	}
	signal.addEventListener("abort", aborted);
	work.then(resolve, reject);
	return promise.finally(() => signal.removeEventListener("abort", aborted));
}
