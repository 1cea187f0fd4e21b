/** The only clock of this folder, so that a test can run on made-up time. */
export interface Timers {
	/** Runs `run` once after `delayMs`; the function returned cancels it and may be called at any time. */
	after(delayMs: number, run: () => void): () => void;
}

export const systemTimers: Timers = {
	after(delayMs, run) {
		const timer = setTimeout(run, delayMs);
		return () => clearTimeout(timer);
	},
};
