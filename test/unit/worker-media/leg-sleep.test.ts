import fc from "fast-check";
import { expect, test } from "vitest";
import { LEGS_STALE_AFTER_MS } from "../../../worker/protocol/media-socket.ts";
import type { ProgramPlan } from "../../../worker/protocol/object-rpc.ts";
import {
	type LegSituation,
	LegSleep,
	SLEEP_AFTER_MS,
	STEADY_AFTER_MS,
	WAKE_AFTER_SILENCE_MS,
} from "../../../worker/router/leg-sleep.ts";

const PLAN: ProgramPlan = {
	onAir: true,
	prefers: "composite",
	width: 1280,
	height: 720,
	allowsBFrames: false,
	minFence: 0,
	holdSeconds: 120,
};
const COMPOSED: LegSituation = { plan: PLAN, source: "composite", sourceForMs: 60_000, compositeSilentMs: 20 };

function asleep(): LegSleep {
	const sleep = new LegSleep();
	sleep.legs(["guest", "host"], 0);
	expect(sleep.look(COMPOSED, 0)).toBe("sleep");
	return sleep;
}

test("sleeps once the program has been the composite for a second, and is told so once", () => {
	const sleep = new LegSleep();
	sleep.legs(["host"], 0);
	expect(sleep.look({ ...COMPOSED, sourceForMs: SLEEP_AFTER_MS - 1 }, 0)).toBeUndefined();
	expect(sleep.look({ ...COMPOSED, sourceForMs: SLEEP_AFTER_MS }, 1)).toBe("sleep");
	expect(sleep.look({ ...COMPOSED, sourceForMs: SLEEP_AFTER_MS + 1 }, 2)).toBeUndefined();
});

test("does not sleep before the compositor says that it has the host by their other leg, or when that was long ago", () => {
	const sleep = new LegSleep();
	expect(sleep.look(COMPOSED, 0)).toBeUndefined();
	sleep.legs(["guest"], 0);
	expect(sleep.look(COMPOSED, 0)).toBeUndefined();
	sleep.legs(["host"], 0);
	expect(sleep.look(COMPOSED, LEGS_STALE_AFTER_MS)).toBeUndefined();
});

test.each<[string, LegSituation]>([
	["the plan prefers the host", { ...COMPOSED, plan: { ...PLAN, prefers: "host" } }],
	["the broadcast is off air", { ...COMPOSED, plan: { ...PLAN, onAir: false } }],
	["there is no plan", { ...COMPOSED, plan: undefined }],
	["the program is the host", { ...COMPOSED, source: "host", sourceForMs: 0 }],
	["the program is held", { ...COMPOSED, source: "hold", sourceForMs: 0 }],
	["the composite is silent", { ...COMPOSED, compositeSilentMs: WAKE_AFTER_SILENCE_MS }],
	["nobody publishes the composite", { ...COMPOSED, compositeSilentMs: undefined }],
])("wakes at once when %s, and sleeps not while it is so", (_, situation) => {
	const sleep = asleep();
	expect(sleep.look(situation, 10)).toBe("wake");
	expect(sleep.look(situation, 11)).toBeUndefined();
	for (let nowMs = 100; nowMs < 5_000; nowMs += 50) {
		sleep.legs(["host"], nowMs);
		expect(sleep.look(situation, nowMs)).toBeUndefined();
	}
});

test("wakes when the compositor no longer names the host, says nothing any more, or is another", () => {
	for (const lose of [(sleep: LegSleep) => sleep.legs(["guest"], 100), (sleep: LegSleep) => sleep.forget()]) {
		const sleep = asleep();
		lose(sleep);
		expect(sleep.look(COMPOSED, 100)).toBe("wake");
	}
	const sleep = asleep();
	expect(sleep.look(COMPOSED, LEGS_STALE_AFTER_MS - 1)).toBeUndefined();
	expect(sleep.look(COMPOSED, LEGS_STALE_AFTER_MS)).toBe("wake");
});

test("sleeps again two seconds after it was woken, not sooner, however well all is", () => {
	const sleep = asleep();
	expect(sleep.look({ ...COMPOSED, compositeSilentMs: 310 }, 50)).toBe("wake");
	expect(sleep.look(COMPOSED, 60)).toBeUndefined();
	sleep.legs(["host"], 1_000);
	expect(sleep.look(COMPOSED, 50 + 2 * SLEEP_AFTER_MS - 1)).toBeUndefined();
	expect(sleep.look(COMPOSED, 50 + 2 * SLEEP_AFTER_MS)).toBe("sleep");
});

/** Its composite hiccups as soon as it sleeps: how long it stays awake each time. */
function hiccups(count: number, sleepsMs: number, hiccup: LegSituation = { ...COMPOSED, compositeSilentMs: 310 }) {
	const sleep = new LegSleep();
	const waits: number[] = [];
	let nowMs = 0;
	const until = (change: string, situation: LegSituation) => {
		const fromMs = nowMs;
		for (;;) {
			sleep.legs(["host"], nowMs);
			if (sleep.look(situation, nowMs) === change) {
				return nowMs - fromMs;
			}
			nowMs += 50;
		}
	};
	until("sleep", COMPOSED);
	for (let each = 0; each < count; each++) {
		nowMs += sleepsMs;
		until("wake", hiccup);
		waits.push(until("sleep", COMPOSED));
	}
	return waits;
}

test("sleeps the later the oftener a weak compositor has it woken, and as soon as ever after a steady one", () => {
	expect(hiccups(8, 500)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000, 32_000]);
	expect(hiccups(3, STEADY_AFTER_MS)).toEqual([1_000, 1_000, 1_000]);
});

test("sleeps as soon as ever after guests have come and gone", () => {
	expect(hiccups(3, 500, { ...COMPOSED, plan: { ...PLAN, prefers: "host" } })).toEqual([1_000, 1_000, 1_000]);
});

test("tells a publisher that comes while it should sleep", () => {
	const sleep = asleep();
	sleep.publisherCame();
	expect(sleep.asleep).toBe(false);
	expect(sleep.look(COMPOSED, 100)).toBe("sleep");
});

/** The first nine times in ten. */
function mostly<T>(usual: T, ...others: T[]): fc.Arbitrary<T> {
	return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

test("a stream is never asleep at a moment at which it is needed, and is told by turns", () => {
	const step = fc.record({
		afterMs: fc.integer({ min: 0, max: 1_500 }),
		legs: mostly(["host"], [], ["guest"], undefined),
		forgets: mostly(false, true),
		came: mostly(false, true),
		onAir: mostly(true, false),
		prefers: mostly("composite", "host"),
		source: mostly("composite", "host", "hold", "none"),
		silentMs: mostly(33, 299, 300, 5_000, undefined),
	});
	let slept = 0;
	fc.assert(
		fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
			const sleep = new LegSleep();
			let [nowMs, sinceMs, saidMs] = [0, 0, Number.NEGATIVE_INFINITY];
			let names = false;
			let was: string = "none";
			let told: string | undefined;
			for (const each of steps) {
				nowMs += each.afterMs;
				if (each.source !== was) {
					[was, sinceMs] = [each.source, nowMs];
				}
				if (each.came) {
					sleep.publisherCame();
					told = undefined;
				}
				if (each.legs !== undefined) {
					sleep.legs(each.legs as ("host" | "guest")[], nowMs);
					[names, saidMs] = [each.legs.includes("host"), nowMs];
				}
				if (each.forgets) {
					sleep.forget();
					names = false;
				}
				const plan = { ...PLAN, onAir: each.onAir, prefers: each.prefers as "composite" | "host" };
				const source = each.source as LegSituation["source"];
				const situation = { plan, source, sourceForMs: nowMs - sinceMs, compositeSilentMs: each.silentMs };
				const change = sleep.look(situation, nowMs);
				expect(change === undefined || change !== (told ?? "wake")).toBe(true);
				told = change ?? told;
				const isFresh = names && nowMs - saidMs < 3_000;
				const isComposed = each.onAir && each.prefers === "composite" && each.source === "composite";
				const isSafe = isFresh && isComposed && (each.silentMs ?? 5_000) < 300;
				expect(sleep.asleep && !isSafe).toBe(false);
				if (change === "sleep") {
					slept += 1;
					expect(nowMs - sinceMs).toBeGreaterThanOrEqual(1_000);
				}
			}
		}),
		{ numRuns: 500 },
	);
	expect(slept).toBeGreaterThan(50);
});
