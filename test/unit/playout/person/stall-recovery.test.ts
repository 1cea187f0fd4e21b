import { afterEach, describe, expect, test, vi } from "vitest";
import { randomSource } from "../jitter/traffic.ts";
import { FakeCodecs } from "./fake-codecs.ts";
import { feed, type Moment, OUTPUT_INTERVAL_US, play, type SentFrame, type Stop } from "./person-rig.ts";

const STALL_US = 12e6;
const TRANSIT_US = 5_000;
const SOURCE_START_US = 3e6;
const WATCHED_SECONDS = 6;
const WITHIN_SECONDS = 3;

/** A stall from `STALL_US` to `endUs` in a feed with up to `jitterMs` of jitter. */
interface Case {
	readonly endUs: number;
	readonly jitterMs: number;
}

interface Scenario {
	readonly sent: readonly SentFrame[];
	readonly stopped?: Stop;
	/** When all is as before again, if later than the stall's end. */
	readonly overUs?: number;
}

const before = (us: number) => us + SOURCE_START_US;

function transit(jitterMs: number): () => number {
	const random = randomSource(5);
	return () => TRANSIT_US + random() * jitterMs * 1_000;
}

/** Sent all the time; what falls into the stall comes at its end. */
function heldUp({ endUs, jitterMs }: Case, timeUs: (us: number) => number): Scenario {
	const takes = transit(jitterMs);
	const arrivalUs = (us: number) => {
		const usual = us + takes();
		return usual < STALL_US ? usual : Math.max(usual, endUs);
	};
	return { sent: feed(endUs / 1e6 + WATCHED_SECONDS, timeUs, arrivalUs) };
}

/** Nothing of the stall ever comes. */
function lost({ endUs, jitterMs }: Case, timeUs: (us: number) => number): Scenario {
	const takes = transit(jitterMs);
	const arrivalUs = (us: number) => (us >= STALL_US && us < endUs ? undefined : us + takes());
	return { sent: feed(endUs / 1e6 + WATCHED_SECONDS, timeUs, arrivalUs) };
}

/** What was held up comes at twice live speed. */
function drained({ endUs, jitterMs }: Case): Scenario {
	const takes = transit(jitterMs);
	const overUs = 2 * endUs - STALL_US;
	const arrivalUs = (us: number) =>
		us < STALL_US ? us + takes() : Math.max(us + takes(), endUs + (us - STALL_US) / 2);
	return { sent: feed(overUs / 1e6 + WATCHED_SECONDS, before, arrivalUs), overUs };
}

function ownStop({ endUs, jitterMs }: Case): Scenario {
	const takes = transit(jitterMs);
	const sent = feed(endUs / 1e6 + WATCHED_SECONDS, before, (us) => us + takes());
	return { sent, stopped: { fromUs: STALL_US, toUs: endUs } };
}

const stalls: Readonly<Record<string, (stall: Case) => Scenario>> = {
	"all comes at once after it": (stall) => heldUp(stall, before),
	"all comes at twice live speed after it": drained,
	"what it swallowed never comes": (stall) => lost(stall, before),
	"our own clock stood still": ownStop,
	"all comes at once, in time that starts at zero": (stall) =>
		heldUp(stall, (us) => (us < STALL_US ? before(us) : us - STALL_US)),
	"all comes at once, in time that leapt ahead by 4 s": (stall) =>
		heldUp(stall, (us) => (us < STALL_US ? before(us) : before(us) + 4e6)),
	"its source starts at zero after it": (stall) =>
		lost(stall, (us) => (us < stall.endUs ? before(us) : us - stall.endUs)),
	"its source's time stood still": (stall) =>
		lost(stall, (us) => (us < stall.endUs ? before(us) : before(us) - (stall.endUs - STALL_US))),
	"its source's time is 450 ms ahead": (stall) =>
		lost(stall, (us) => (us < stall.endUs ? before(us) : before(us) + 450_000)),
	"its source's time is 900 ms ahead": (stall) =>
		lost(stall, (us) => (us < stall.endUs ? before(us) : before(us) + 900_000)),
};

function mean(values: readonly (number | undefined)[]): number {
	const known = values.filter((value) => value !== undefined);
	return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function usual(moments: readonly Moment[]): { delayMs: number; pictureLagMs: number; soundLagMs: number } {
	return {
		delayMs: mean(moments.map((moment) => moment.delayMs)),
		pictureLagMs: mean(moments.map((moment) => moment.pictureLagMs)),
		soundLagMs: mean(moments.map((moment) => moment.soundLagMs)),
	};
}

/** Seconds from `overUs` until delay, picture and sound are for good within 20 ms of what they were; a picture's time has the grid of output frames. */
function secondsToRecover(moments: readonly Moment[], overUs: number): number {
	const normal = usual(moments.filter(({ dueUs }) => dueUs > STALL_US - 2e6 && dueUs < STALL_US - 200_000));
	const after = moments.filter(({ dueUs }) => dueUs >= overUs);
	const gridMs = OUTPUT_INTERVAL_US / 1_000 + 1;
	const off = after.findLastIndex((moment) => {
		const { delayMs, pictureLagMs = Number.POSITIVE_INFINITY, soundLagMs = Number.POSITIVE_INFINITY } = moment;
		return (
			Math.abs(delayMs - normal.delayMs) > 20 ||
			Math.abs(soundLagMs - normal.soundLagMs) > 20 ||
			Math.abs(pictureLagMs - normal.pictureLagMs) > 20 + gridMs
		);
	});
	return ((after[off + 1]?.dueUs ?? Number.POSITIVE_INFINITY) - overUs) / 1e6;
}

describe("after a stall", () => {
	afterEach(() => {
		vi.unstubAllGlobals();
	});

	for (const [kind, scenario] of Object.entries(stalls)) {
		test.each([
			{ seconds: 0.5, jitterMs: 0 },
			{ seconds: 0.5, jitterMs: 80 },
			{ seconds: 1, jitterMs: 40 },
			{ seconds: 2, jitterMs: 0 },
			{ seconds: 5, jitterMs: 40 },
			{ seconds: 10, jitterMs: 0 },
			{ seconds: 10, jitterMs: 80 },
		])(
			`of $seconds s with $jitterMs ms of jitter, where ${kind}, delay and lips are as before`,
			({ seconds, jitterMs }) => {
				const codecs = new FakeCodecs();
				codecs.install();
				const endUs = STALL_US + seconds * 1e6;
				const { sent, stopped, overUs = endUs } = scenario({ endUs, jitterMs });
				const { moments, person } = play(codecs, sent, overUs / 1e6 + WATCHED_SECONDS - 0.5, stopped);
				const took = secondsToRecover(moments, overUs);
				expect(took).toBeLessThan(WITHIN_SECONDS);
				const settled = moments.filter(({ dueUs }) => dueUs >= overUs + WITHIN_SECONDS * 1e6);
				const steps = settled.filter(({ step }) => step === "new").length;
				expect(steps / settled.length).toBeGreaterThan(0.95);
				const { pictureLagMs, soundLagMs } = usual(settled);
				expect(Math.abs(soundLagMs - pictureLagMs)).toBeLessThan(30);
				expect(Math.abs(person.stats(0).avSkewMs)).toBeLessThan(30);
				// Nothing is ever shown as new, or heard, that is later than the ceiling and the usual delay together.
				for (const { step, pictureLagMs: lagMs = 0, soundLagMs: heardMs = 0 } of moments) {
					expect(step === "new" ? lagMs : 0).toBeLessThan(700);
					expect(heardMs).toBeLessThan(700);
				}
				// Neither pictures nor sound are kept that nobody will see or hear.
				for (const { queueMs, bufferedMs } of settled) {
					expect(queueMs).toBeLessThan(150);
					expect(bufferedMs).toBeLessThan(200);
				}
				expect(codecs.pictures.every((picture) => picture.closed === 1)).toBe(true);
			},
		);
	}
});
