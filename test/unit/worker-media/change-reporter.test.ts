import { expect, test, vi } from "vitest";
import { ChangeReporter } from "../../../worker/router/change-reporter.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";

test("tells the latest state of each key, one call at a time, and again after a failure", async () => {
	const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
	const clock = new ManualClock();
	const told: string[] = [];
	const calls: PromiseWithResolvers<void>[] = [];
	const reporter = new ChangeReporter<string>(
		(change) => {
			told.push(change);
			const call = Promise.withResolvers<void>();
			calls.push(call);
			return call.promise;
		},
		(delayMs, action) => clock.after(delayMs, action),
	);
	reporter.report("host", "host live");
	reporter.report("guest", "guest live");
	reporter.report("host", "host idle");
	expect(told).toEqual(["host live"]);
	calls[0]?.reject(new Error("away"));
	await settle();
	expect(told).toEqual(["host live"]);
	await clock.advance(10_000);
	expect(told).toEqual(["host live", "guest live"]);
	calls[1]?.resolve();
	await settle();
	expect(told).toEqual(["host live", "guest live", "host idle"]);
	calls[2]?.resolve();
	await clock.advance(60_000);
	expect(told).toHaveLength(3);
	expect(warn).toHaveBeenCalledOnce();
	warn.mockRestore();
});
