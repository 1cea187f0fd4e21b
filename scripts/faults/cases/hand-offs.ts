import { setTimeout as sleep } from "node:timers/promises";
import { browserProcessesOf } from "../../../test/support/faults/processes-of.ts";
import type { FaultCase } from "../fault-case.ts";

/** No faults, but what a show is made of: who is on air changes, and nobody may see a seam. */

const GUEST_GRACE_S = 2;

export const HAND_OFFS: readonly FaultCase[] = [
	{
		name: "solo",
		what: "host alone, passed through with no browser",
		compositors: 0,
		targets: { maxFreezeMs: 150, maxLatencyBackMs: 0 },
		run: async (stage) => {
			await stage.goLive();
			await stage.publish("host", "host");
			await stage.settle();
			await stage.inject(() => sleep(2_000));
			const { compositor } = await stage.stats();
			stage.expect(compositor.lease === "none", `expected no compositor leased, got one that is ${compositor.lease}`);
			const browsers = browserProcessesOf(stage.bench.system.pids().runner);
			// A runner that is there for other cases has its spare.
			const isSpare = stage.bench.runners.length > 0;
			stage.expect(isSpare || browsers.length === 0, `expected no browser, got ${browsers.length} processes of one`);
		},
	},
	{
		name: "guest-joins",
		what: "guest joins a host who was passed through",
		compositors: 1,
		targets: { seamless: true, minSplices: 1 },
		run: async (stage) => {
			await stage.prepare("guest");
			await stage.goLive();
			await stage.publish("host", "host");
			await stage.settle();
			await stage.inject(async () => {
				await stage.publish("guest", "guest");
			});
			await stage.untilProgramIs("composite");
		},
	},
	{
		name: "guest-leaves",
		what: "guest leaves for good, host is passed through again",
		compositors: 1,
		targets: { seamless: true, minSplices: 1 },
		run: async (stage) => {
			await stage.prepare("guest");
			await stage.goLive({ guestGraceSeconds: GUEST_GRACE_S });
			const guest = await stage.publish("guest", "guest");
			await stage.publish("host", "host");
			await stage.untilProgramIs("composite");
			await stage.settle();
			await stage.inject(() => guest.stop());
			await stage.untilProgramIs("host");
		},
	},
	{
		name: "size-change",
		what: "host changes the picture's size on air",
		compositors: 1,
		targets: { minSplices: 1, maxRecoverMs: 10_000 },
		run: async (stage) => {
			await stage.prepare("host-larger");
			await stage.goLive();
			const host = await stage.publishPaced("host", "host");
			const larger = await stage.clipTags("host-larger");
			await stage.settle();
			await stage.inject(() => host.switchTo(larger));
			await stage.untilProgramIs("composite");
		},
	},
];
