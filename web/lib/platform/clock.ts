/** Time and waiting, so that what waits can be tested at any speed. */
export interface Clock {
	nowMs(): number;
	/** Calls `action` once after `delayMs`; the returned function cancels it. */
	after(delayMs: number, action: () => void): () => void;
}

/** Time that never goes back, as the browser has it. */
export const browserClock: Clock = {
	nowMs: () => performance.now(),
	after(delayMs, action) {
		const timer = setTimeout(action, delayMs);
		return () => clearTimeout(timer);
	},
};
