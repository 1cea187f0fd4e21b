import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LivenessWatch } from "../../../scripts/local-system/liveness-watch.ts";
import { waitFor } from "../../../scripts/wait-for.ts";

const WITHIN_MS = 10_000;
let watch: LivenessWatch;
const onDead = vi.fn();

beforeEach(() => onDead.mockReset());
afterEach(() => watch.stop());

function watching(ask: (signal: AbortSignal) => Promise<unknown>, deadAfterMs: number): void {
	watch = new LivenessWatch({ ask, onDead, everyMs: 5, deadAfterMs });
}

describe("watching whether something answers", () => {
	it("says once that it does not, and asks no more", async () => {
		const ask = vi.fn(() => Promise.reject(new Error("no answer")));
		watching(ask, 20);
		await waitFor("it to be said", WITHIN_MS, () => onDead.mock.calls.length > 0 || undefined);
		const asked = ask.mock.calls.length;
		expect(asked).toBeGreaterThan(1);
		await new Promise((resolve) => setTimeout(resolve, 30));
		expect(ask).toHaveBeenCalledTimes(asked);
		expect(onDead).toHaveBeenCalledOnce();
	});

	it("takes an answer that never comes for none", async () => {
		const never = (signal: AbortSignal) =>
			new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
		watching(never, 20);
		await waitFor("it to be said", WITHIN_MS, () => onDead.mock.calls.length > 0 || undefined);
	});

	it("forgives questions that go unanswered now and then, and can be stopped", async () => {
		let asked = 0;
		watching(() => {
			asked += 1;
			return asked % 2 === 0 ? Promise.resolve() : Promise.reject(new Error("no answer"));
		}, 60_000);
		await waitFor("some questions", WITHIN_MS, () => asked > 5 || undefined);
		watch.stop();
		watch.stop();
		expect(onDead).not.toHaveBeenCalled();
	});
});
