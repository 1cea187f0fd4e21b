import { setTimeout as sleep } from "node:timers/promises";
import type { PacedPublisher } from "../../../test/support/faults/paced-publisher.ts";
import type { FaultCase } from "../fault-case.ts";
import type { Stage } from "../stage.ts";

/** Publishers that come, go, and send what times they like. */

const HOUR_MS = 3_600_000;
/** A wrap is passed this long after publishing began: by then the broadcast is settled, with a browser's start or without. */
const WRAP_AFTER_MS = { passedThrough: 12_000, composed: 25_000 };
const LINE_FAULT_MS = 5_000;
const LINE_DELAY_MS = 2_000;
/** What an encoder waits before it connects again. */
const ENCODER_RETRY_MS = 1_000;
/** From the publisher's connecting to its first picture with the viewer. */
const BACK_WITHIN_MS = 3_000;

function hostAway(awayMs: number): FaultCase["run"] {
	return async (stage) => {
		await stage.prepare("host-again");
		await stage.goLive();
		const host = await stage.publish("host", "host");
		await stage.settle();
		await stage.inject(() => host.stop("SIGKILL"));
		await sleep(awayMs);
		await stage.restore(async () => {
			await stage.publish("host", "host-again");
		});
		await stage.untilProgramIs("host");
	};
}

function timesJump(jump: (host: PacedPublisher) => void): FaultCase["run"] {
	return async (stage) => {
		await stage.goLive();
		const host = await stage.publishPaced("host", "host");
		await stage.settle();
		await stage.inject(() => jump(host));
		await sleep(2_000);
	};
}

function wrapAt(wrapMs: number, alwaysCompose: boolean): FaultCase["run"] {
	return async (stage) => {
		await stage.goLive({ alwaysCompose });
		const wrapAfterMs = alwaysCompose ? WRAP_AFTER_MS.composed : WRAP_AFTER_MS.passedThrough;
		const host = await stage.publishPaced("host", "host", wrapMs - wrapAfterMs);
		await stage.untilProgramIs(alwaysCompose ? "composite" : "host");
		await stage.settle();
		const waitMs = wrapAfterMs - host.elapsedMs;
		stage.expect(waitMs > 0, `expected to be on air before the wrap, got there ${Math.round(-waitMs)} ms after it`);
		await sleep(Math.max(0, waitMs));
		await stage.inject(() => sleep(500));
	};
}

async function onAir(stage: Stage) {
	await stage.prepare("host-again");
	await stage.goLive();
	const host = await stage.publish("host", "host");
	await stage.settle();
	return host;
}

const UNNOTICED = { maxFreezeMs: 250 } as const;

export const PUBLISHERS: readonly FaultCase[] = [
	{
		name: "host-away-3s",
		what: "host vanishes and is back after 3 s",
		compositors: 0,
		targets: { maxResumeMs: BACK_WITHIN_MS },
		run: hostAway(3_000),
	},
	{
		name: "host-away-20s",
		what: "host vanishes and is back after 20 s",
		compositors: 0,
		targets: { maxResumeMs: BACK_WITHIN_MS },
		run: hostAway(20_000),
	},
	{
		name: "times-from-zero",
		what: "host's times begin at zero again",
		compositors: 0,
		targets: UNNOTICED,
		run: timesJump((host) => {
			host.shiftMs = -Math.round(host.elapsedMs);
		}),
	},
	{
		name: "times-forwards",
		what: "host's times jump forwards by an hour",
		compositors: 0,
		targets: UNNOTICED,
		run: timesJump((host) => {
			host.shiftMs = HOUR_MS;
		}),
	},
	{
		name: "times-backwards",
		what: "host's times jump backwards by 5 s",
		compositors: 0,
		targets: UNNOTICED,
		run: timesJump((host) => {
			host.shiftMs = -5_000;
		}),
	},
	...[24, 31, 32].map(
		(bits): FaultCase => ({
			name: `times-2^${bits}`,
			what: `host's times pass 2^${bits} ms, passed through`,
			compositors: 0,
			targets: UNNOTICED,
			run: wrapAt(2 ** bits, false),
		}),
	),
	...[24, 31, 32].map(
		(bits): FaultCase => ({
			name: `times-2^${bits}-composed`,
			what: `host's times pass 2^${bits} ms, composed`,
			compositors: 1,
			targets: UNNOTICED,
			run: wrapAt(2 ** bits, true),
		}),
	),
	{
		name: "publisher-delay",
		what: "host's line is late by 2 s, for 5 s",
		compositors: 0,
		targets: { maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await onAir(stage);
			await stage.inject(() => stage.bench.publisherLine.set({ kind: "delay", ms: LINE_DELAY_MS }));
			await sleep(LINE_FAULT_MS);
			await stage.restore(() => stage.bench.publisherLine.set({ kind: "none" }));
		},
	},
	{
		name: "publisher-cut",
		what: "host's line is cut, the encoder connects again",
		compositors: 0,
		targets: { maxResumeMs: BACK_WITHIN_MS },
		run: async (stage) => {
			const host = await onAir(stage);
			await stage.inject(() => stage.bench.publisherLine.cut());
			await host.ended;
			await sleep(ENCODER_RETRY_MS);
			await stage.restore(async () => {
				await stage.publish("host", "host-again");
			});
			await stage.untilProgramIs("host");
		},
	},
	{
		name: "publisher-blackhole",
		what: "host's line is dead for 5 s",
		compositors: 0,
		targets: { maxResumeMs: BACK_WITHIN_MS, maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await onAir(stage);
			await stage.inject(() => stage.bench.publisherLine.set({ kind: "blackhole" }));
			await sleep(LINE_FAULT_MS);
			await stage.restore(() => stage.bench.publisherLine.set({ kind: "none" }));
			await stage.untilProgramIs("host");
		},
	},
];
