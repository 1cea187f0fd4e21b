import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Leg, LegSwitch } from "../../../../playout/real-time/leg-switch.ts";
import { FakeCodecs } from "./fake-codecs.ts";
import { feed, type Moment, play, type SentFrame } from "./person-rig.ts";

/** A person from the first frame of either leg to what is seen and heard of them, in made-up time. */

const SECONDS = 16;
const JOINS_US = 4e6;
const DIES_US = 9e6;
const WAKES_US = 9.8e6;

let codecs: FakeCodecs;

beforeEach(() => {
	codecs = new FakeCodecs();
	codecs.install();
});
afterEach(() => {
	vi.unstubAllGlobals();
});

interface OfLeg extends SentFrame {
	readonly leg: Leg;
}

function leg(name: Leg, transitUs: (capturedUs: number) => number, isSent: (capturedUs: number) => boolean): OfLeg[] {
	const sent = feed(
		SECONDS,
		(capturedUs) => capturedUs,
		(capturedUs) => (isSent(capturedUs) ? capturedUs + transitUs(capturedUs) : undefined),
	);
	let wasPicture = false;
	let lastUs = Number.NEGATIVE_INFINITY;
	return sent.map((each) => {
		// A leg begins with a key frame, and after a silence again.
		const isFirst = each.frame.track === "video" && (!wasPicture || each.capturedUs - lastUs > 200_000);
		if (each.frame.track === "video") {
			wasPicture = true;
			lastUs = each.capturedUs;
		}
		const frame = isFirst && each.frame.track === "video" ? { ...each.frame, keyFrame: true } : each.frame;
		return { ...each, frame, leg: name };
	});
}

function show(stream: readonly OfLeg[], realTime: readonly OfLeg[]): { moments: Moment[]; resets: number } {
	const sent = [...stream, ...realTime].sort((a, b) => a.arrivalUs - b.arrivalUs);
	const { moments, person } = play(codecs, sent, SECONDS - 1, undefined, (person) => {
		const legs = new LegSwitch({
			onFrame: (frame, arrivalUs) => person.push(frame, arrivalUs),
			onPath: (change, nowUs) => person.changePath(change, nowUs),
			onKeyFrameWanted: () => undefined,
		});
		legs.setConnected(true);
		return {
			push: (each, nowUs) => legs.push((each as OfLeg).leg, each.frame, nowUs, "capture"),
			tick: (nowUs) => legs.tick(nowUs),
		};
	});
	return { moments, resets: person.clock.figures.resets };
}

const between = (moments: readonly Moment[], fromUs: number, toUs: number) =>
	moments.filter(({ dueUs }) => dueUs >= fromUs && dueUs < toUs);

function longestStill(moments: readonly Moment[]): number {
	let longest = 0;
	let run = 0;
	for (const [index, { shownUs }] of moments.entries()) {
		run = shownUs === moments[index - 1]?.shownUs ? run + 1 : 0;
		longest = Math.max(longest, run);
	}
	return longest;
}

describe.each([
	{ name: "a slow stream", streamUs: 150_000, realTimeUs: 40_000 },
	{ name: "a fast stream", streamUs: 60_000, realTimeUs: 50_000 },
	{ name: "a stream that is faster than WebRTC", streamUs: 40_000, realTimeUs: 90_000 },
])("$name, then WebRTC, then the stream again", ({ streamUs, realTimeUs }) => {
	let moments: Moment[];
	let resets: number;
	beforeEach(() => {
		({ moments, resets } = show(
			leg(
				"stream",
				() => streamUs,
				(at) => at < JOINS_US + 1.5e6 || at > WAKES_US,
			),
			leg(
				"real-time",
				(at) => realTimeUs + (at % 7) * 1_000,
				(at) => at > JOINS_US && at < DIES_US,
			),
		));
	});

	test("never goes back, and stands still for no more than two output frames where both legs flow", () => {
		expect(resets).toBe(0);
		const times = moments.flatMap(({ shownUs }) => shownUs ?? []);
		expect(times).toEqual(times.toSorted((a, b) => a - b));
		expect(longestStill(between(moments, 2e6, DIES_US))).toBeLessThanOrEqual(2);
		expect(longestStill(between(moments, WAKES_US + 500_000, 15e6))).toBeLessThanOrEqual(2);
	});

	test("is heard without a break where both legs flow", () => {
		const silent = between(moments, 2e6, DIES_US).filter(({ soundLagMs }) => soundLagMs === undefined);
		expect(silent.length).toBeLessThanOrEqual(3);
	});

	test("has lips that match, all the way", () => {
		for (const { pictureLagMs, soundLagMs, dueUs } of [
			...between(moments, 3e6, DIES_US - 100_000),
			...between(moments, WAKES_US + 2e6, 15e6),
		]) {
			if (pictureLagMs !== undefined && soundLagMs !== undefined) {
				expect(Math.abs(pictureLagMs - soundLagMs), `at ${dueUs / 1_000} ms`).toBeLessThan(45);
			}
		}
	});

	test("takes the delay of the leg it is on within three seconds", () => {
		const lagMs = (fromUs: number) => {
			const lags = between(moments, fromUs, fromUs + 500_000).flatMap(({ pictureLagMs }) => pictureLagMs ?? []);
			return lags.reduce((sum, lag) => sum + lag, 0) / lags.length;
		};
		expect(lagMs(JOINS_US + 4e6)).toBeLessThan(realTimeUs / 1_000 + 75);
		expect(lagMs(14e6)).toBeLessThan(streamUs / 1_000 + 75);
	});
});
