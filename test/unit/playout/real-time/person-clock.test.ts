import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PersonClock } from "../../../../playout/real-time/person-clock.ts";

const RATES = { audio: 48_000, video: 90_000 } as const;
const INTERVALS_US = { audio: 20_000, video: 1e6 / 30 } as const;
type Track = keyof typeof RATES;

interface Sent {
	readonly track: Track;
	readonly rtpTimestamp: number;
	/** When it was really captured, on the sender's clock. */
	readonly trueUs: number;
	readonly captureUs: number | undefined;
	readonly arrivalUs: number;
}

interface Call {
	readonly seconds: number;
	/** Sender's clock less ours. */
	readonly aheadUs: number;
	/** How much faster the sound card runs than the sender's clock, in parts per million. */
	readonly driftPpm: number;
	readonly says: readonly Track[];
	/** Of the first packet of each track. */
	readonly firstRtp: number;
	/** Least time from capture to here: encoding, packets, network. */
	readonly transitUs: Readonly<Record<Track, number>>;
	/** What comes on top, by the frame's number. */
	readonly jitterUs: (index: number, track: Track) => number;
	/** Of the time that is said. */
	readonly stampErrorUs: (index: number) => number;
	readonly isLost: (index: number, track: Track) => boolean;
}

const PLAIN: Call = {
	seconds: 20,
	aheadUs: 0,
	driftPpm: 0,
	says: ["audio", "video"],
	firstRtp: 1_000,
	transitUs: { audio: 25_000, video: 35_000 },
	jitterUs: () => 0,
	stampErrorUs: () => 0,
	isLost: () => false,
};

function send(call: Call): Sent[] {
	const sent: Sent[] = [];
	for (const track of ["audio", "video"] as const) {
		const count = (call.seconds * 1e6) / INTERVALS_US[track];
		for (let index = 0; index < count; index += 1) {
			if (call.isLost(index, track)) {
				continue;
			}
			const elapsedUs = index * INTERVALS_US[track];
			const trueUs = 5e6 + call.aheadUs + elapsedUs;
			const ticks = (elapsedUs * (1 + call.driftPpm / 1e6) * RATES[track]) / 1e6;
			sent.push({
				track,
				trueUs,
				rtpTimestamp: Math.round(call.firstRtp + ticks) % 2 ** 32,
				captureUs: call.says.includes(track) ? trueUs + call.stampErrorUs(index) : undefined,
				arrivalUs: trueUs - call.aheadUs + call.transitUs[track] + call.jitterUs(index, track),
			});
		}
	}
	return sent.sort((a, b) => a.arrivalUs - b.arrivalUs);
}

/** By how much each frame's time is off what it should be, after `fromSecond`. */
function errorsUs(call: Call, fromSecond: number): Record<Track, number[]> {
	const clock = new PersonClock();
	const errors: Record<Track, number[]> = { audio: [], video: [] };
	for (const { track, trueUs, ...arrival } of send(call)) {
		const { us } = clock.time(track, 1, arrival);
		if (arrival.arrivalUs >= 5e6 + fromSecond * 1e6) {
			errors[track].push(us - trueUs);
		}
	}
	return errors;
}

function worst(values: readonly number[]): number {
	return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Not random, and not even either. */
function uneven(index: number, most: number): number {
	return ((index * 7_919) % 101) * (most / 100);
}

describe("with the sender's capture times", () => {
	test("gives them back, whatever the network does and however far the two clocks are apart", () => {
		const errors = errorsUs(
			{ ...PLAIN, aheadUs: 7e9, jitterUs: (index) => uneven(index, 80_000), isLost: (index) => index % 13 === 5 },
			0,
		);
		expect(worst(errors.audio)).toBeLessThan(50);
		expect(worst(errors.video)).toBeLessThan(50);
	});

	test("goes on across the wrap of the RTP time", () => {
		const errors = errorsUs({ ...PLAIN, firstRtp: 2 ** 32 - 90_000 * 3 }, 0);
		expect(worst([...errors.audio, ...errors.video])).toBeLessThan(50);
	});

	test("is steadier than times that are said to the millisecond, and some of them 20 ms off", () => {
		const errors = errorsUs(
			{ ...PLAIN, stampErrorUs: (index) => (index % 10 === 3 ? 20_000 : uneven(index, 2_000) - 1_000) },
			3,
		);
		expect(worst([...errors.audio, ...errors.video])).toBeLessThan(700);
	});

	test("follows a sound card's drift of 200 ppm for ten minutes, in steps nobody hears", () => {
		const call = { ...PLAIN, seconds: 600, driftPpm: 200 };
		const errors = errorsUs(call, 5);
		expect(worst(errors.audio)).toBeLessThan(500);
		expect(worst(errors.video)).toBeLessThan(500);
		const steps = errors.audio.slice(1).map((each, index) => each - (errors.audio[index] ?? 0));
		expect(worst(steps)).toBeLessThan(60);
	});

	test("jumps with a sender's clock that was set, but not for a few wrong words", () => {
		const clock = new PersonClock();
		let jumpedAt: number | undefined;
		for (const [index, { track, trueUs, captureUs = 0, ...arrival }] of send({ ...PLAIN, says: ["audio"] })
			.filter((each) => each.track === "audio")
			.entries()) {
			const isWrong = index === 100 || index === 103;
			const setUs = index >= 400 ? 3e6 : 0;
			const { us } = clock.time(track, 1, { ...arrival, captureUs: captureUs + setUs + (isWrong ? 9e6 : 0) });
			if (index < 400) {
				expect(Math.abs(us - trueUs)).toBeLessThan(100);
			} else if (jumpedAt === undefined && us - trueUs > 1e6) {
				jumpedAt = index;
			} else if (jumpedAt !== undefined) {
				expect(Math.abs(us - trueUs - 3e6)).toBeLessThan(100);
			}
		}
		expect(jumpedAt).toBeLessThan(410);
	});

	test("finds the other track's by the fastest frames where only one says them, lips within 10 ms of what encoding differs by", () => {
		const errors = errorsUs({ ...PLAIN, says: ["audio"], jitterUs: (index) => uneven(index, 60_000) }, 3);
		expect(worst(errors.audio)).toBeLessThan(50);
		expect(worst(errors.video)).toBeLessThan(20_000);
	});
});

describe("without capture times", () => {
	test("has both tracks on the local clock, lips within what encoding differs by, jitter, loss and drift or not", () => {
		const call: Call = {
			...PLAIN,
			seconds: 120,
			says: [],
			aheadUs: 3e9,
			driftPpm: 100,
			jitterUs: (index) => uneven(index, 60_000),
			isLost: (index) => index % 50 === 7,
		};
		const { audio, video } = errorsUs(call, 3);
		// On our clock, and as if the fastest frame had taken no time.
		const [sound = 0, picture = 0] = [audio, video].map((each) => each.reduce((sum, us) => sum + us, 0) / each.length);
		expect(sound + call.aheadUs - call.transitUs.audio).toBeLessThan(2_000);
		expect(Math.abs(picture - sound)).toBeLessThan(12_000);
		expect(worst(video.map((each) => each - picture))).toBeLessThan(3_000);
	});

	test("says which clock its times are of", () => {
		const clock = new PersonClock();
		const arrival = { rtpTimestamp: 0, arrivalUs: 1_000 };
		expect(clock.time("video", 1, { ...arrival, captureUs: undefined }).clock).toBe("local");
		expect(clock.time("audio", 2, { ...arrival, captureUs: 500 }).clock).toBe("capture");
		expect(clock.time("video", 1, { ...arrival, rtpTimestamp: 3_000, captureUs: undefined }).clock).toBe("capture");
	});
});

test("starts over with a new ssrc", () => {
	const clock = new PersonClock();
	clock.time("video", 1, { rtpTimestamp: 4e9, captureUs: 1e6, arrivalUs: 2e6 });
	expect(clock.time("video", 2, { rtpTimestamp: 5, captureUs: 7e6, arrivalUs: 8e6 }).us).toBeCloseTo(7e6);
});

test("never goes faster or slower than drift does, whatever order frames come in", () => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ late: fc.integer({ min: 0, max: 90 }), lost: fc.boolean() }), {
				minLength: 60,
				maxLength: 200,
			}),
			(packets) => {
				const clock = new PersonClock();
				const frames = packets
					.map(({ late, lost }, index) => ({ index, arrivalUs: index * 20_000 + late * 1_000, lost }))
					.filter(({ lost }) => !lost)
					.sort((a, b) => a.arrivalUs - b.arrivalUs);
				for (const { index, arrivalUs } of frames) {
					const { us } = clock.time("audio", 1, {
						rtpTimestamp: (2 ** 32 - 9_600 + index * 960) % 2 ** 32,
						captureUs: 1e9 + index * 20_000,
						arrivalUs,
					});
					expect(Math.abs(us - 1e9 - index * 20_000)).toBeLessThan(1);
				}
			},
		),
		{ numRuns: 50 },
	);
});
