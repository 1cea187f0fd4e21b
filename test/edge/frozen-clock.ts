import { afterEach, beforeEach, vi } from "vitest";

/**
 * Stops the wall clock of the tests in a file, which the Worker under test shares, so that no time-out of ours passes because the machine is
 * slow. Timers and alarms go on ringing at their real time, and find that it is too early.
 */
export function freezeClock(): void {
	beforeEach(() => {
		vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
	});
	afterEach(() => {
		vi.useRealTimers();
	});
}

export function advanceClock(ms: number): void {
	vi.setSystemTime(Date.now() + ms);
}
