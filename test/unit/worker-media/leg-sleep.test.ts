import { describe, expect, test } from "vitest";
import { LEGS_STALE_AFTER_MS } from "../../../worker/protocol/media-socket.ts";
import type { ProgramPlan } from "../../../worker/protocol/object-rpc.ts";
import {
	type LegSituation,
	LegSleep,
	SLEEP_AFTER_MS,
	WAKE_AFTER_SILENCE_MS,
} from "../../../worker/router/leg-sleep.ts";

const PLAN: ProgramPlan = {
	onAir: true,
	prefers: "composite",
	width: 640,
	height: 360,
	allowsBFrames: true,
	minFence: 1,
	holdSeconds: 120,
};
const COMPOSED: LegSituation = {
	plan: PLAN,
	source: "composite",
	sourceForMs: SLEEP_AFTER_MS,
	compositeSilentMs: 20,
};

/** One that sleeps, since a moment before `nowMs`. */
function asleep(nowMs = 10_000): LegSleep {
	const sleep = new LegSleep();
	sleep.legs(["host"], nowMs);
	expect(sleep.look(COMPOSED, nowMs)).toBe("sleep");
	return sleep;
}

describe("the host's stream", () => {
	test("sleeps once the program has been the composite for a second, and is told so once", () => {
		const sleep = new LegSleep();
		sleep.legs(["guest", "host"], 10_000);
		expect(sleep.look({ ...COMPOSED, sourceForMs: SLEEP_AFTER_MS - 1 }, 10_000)).toBeUndefined();
		expect(sleep.look(COMPOSED, 10_001)).toBe("sleep");
		expect(sleep.look(COMPOSED, 10_002)).toBeUndefined();
	});

	test.each<[string, Partial<LegSituation>]>([
		["nobody published a composite", { compositeSilentMs: undefined }],
		["the composite is silent", { compositeSilentMs: WAKE_AFTER_SILENCE_MS }],
		["the program is the host", { source: "host" }],
		["the program is held", { source: "hold" }],
		["the host is preferred", { plan: { ...PLAN, prefers: "host" } }],
		["it is off air", { plan: { ...PLAN, onAir: false } }],
		["there is no plan", { plan: undefined }],
	])("does not sleep while %s, and wakes when it comes to that", (_what, change) => {
		const sleep = new LegSleep();
		sleep.legs(["host"], 10_000);
		expect(sleep.look({ ...COMPOSED, ...change }, 10_000)).toBeUndefined();
		const sleeper = asleep();
		expect(sleeper.look({ ...COMPOSED, ...change }, 10_050)).toBe("wake");
		expect(sleeper.look({ ...COMPOSED, ...change }, 10_100)).toBeUndefined();
	});

	test("does not sleep before the compositor says that it has the host by their other leg, or when that was long ago", () => {
		const sleep = new LegSleep();
		expect(sleep.look(COMPOSED, 10_000)).toBeUndefined();
		sleep.legs(["guest"], 10_000);
		expect(sleep.look(COMPOSED, 10_000)).toBeUndefined();
		sleep.legs(["host"], 10_000);
		expect(sleep.look(COMPOSED, 10_000 + LEGS_STALE_AFTER_MS)).toBeUndefined();
	});

	test("wakes when the compositor has it no more, is another, or has said nothing for long", () => {
		const dropped = asleep();
		dropped.legs(["guest"], 10_100);
		expect(dropped.look(COMPOSED, 10_100)).toBe("wake");
		const replaced = asleep();
		replaced.forget();
		expect(replaced.look(COMPOSED, 10_100)).toBe("wake");
		expect(asleep().look(COMPOSED, 10_000 + LEGS_STALE_AFTER_MS)).toBe("wake");
	});

	test("once woken stays awake for a second, however short the scare was", () => {
		const sleep = asleep();
		expect(sleep.look({ ...COMPOSED, compositeSilentMs: 400 }, 10_500)).toBe("wake");
		expect(sleep.look(COMPOSED, 10_600)).toBeUndefined();
		expect(sleep.look(COMPOSED, 10_500 + SLEEP_AFTER_MS)).toBe("sleep");
	});

	test("sleeps again when its publisher came anew meanwhile", () => {
		const sleep = asleep();
		sleep.publisherCame();
		expect(sleep.look(COMPOSED, 10_100)).toBe("sleep");
	});
});
