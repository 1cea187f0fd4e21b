import { expect, test } from "vitest";
import { type TimedTrack, TimeRebaser } from "../../../worker/router/time-rebaser.ts";

function mapAll(rebaser: TimeRebaser, tags: readonly (readonly [TimedTrack, number])[]): (number | undefined)[] {
	return tags.map(([track, ms]) => rebaser.map(track, ms));
}

test("leaves the first source's own time alone", () => {
	expect(
		mapAll(new TimeRebaser(), [
			["video", 5_000],
			["audio", 5_010],
			["video", 5_040],
		]),
	).toEqual([5_000, 5_010, 5_040]);
});

test("starts at the time it is given", () => {
	expect(
		mapAll(new TimeRebaser(0), [
			["video", 5_000],
			["audio", 5_010],
			["video", 5_040],
		]),
	).toEqual([0, 10, 40]);
});

test("joins a new source on by one frame interval, whatever its time starts at", () => {
	for (const start of [0, 77, 2 ** 31, 2 ** 32 - 20]) {
		const rebaser = new TimeRebaser();
		mapAll(rebaser, [
			["video", 1_000],
			["video", 1_040],
			["audio", 1_050],
		]);
		rebaser.restart();
		const wrapped = (ms: number) => (start + ms) % 2 ** 32;
		expect(
			mapAll(rebaser, [
				["video", start],
				["audio", wrapped(5)],
				["video", wrapped(40)],
			]),
		).toEqual([1_090, 1_095, 1_130]);
	}
});

test("drops a new source's sound from before its first key frame", () => {
	const rebaser = new TimeRebaser();
	mapAll(rebaser, [
		["video", 1_000],
		["video", 1_040],
	]);
	rebaser.restart();
	expect(
		mapAll(rebaser, [
			["video", 100],
			["audio", 80],
			["audio", 100],
		]),
	).toEqual([1_080, undefined, 1_080]);
});

test("goes on rising across the wrap at 2^32", () => {
	const rebaser = new TimeRebaser();
	const start = 2 ** 32 - 40;
	expect(
		mapAll(rebaser, [
			["video", start],
			["video", 0],
			["audio", 2 ** 32 - 10],
			["video", 40],
		]),
	).toEqual([start, start + 40, start + 30, start + 80]);
});

test("keeps time monotonic when the source restarts at zero", () => {
	const rebaser = new TimeRebaser();
	mapAll(rebaser, [
		["video", 60_000],
		["audio", 60_020],
		["video", 60_040],
	]);
	expect(
		mapAll(rebaser, [
			["video", 0],
			["audio", 10],
			["video", 40],
		]),
	).toEqual([60_080, 60_090, 60_120]);
});

test("takes a jump far ahead for a new time base, and a pause for a pause", () => {
	const rebaser = new TimeRebaser();
	mapAll(rebaser, [
		["video", 0],
		["video", 40],
	]);
	expect(rebaser.map("video", 9_000)).toBe(9_000);
	expect(rebaser.map("video", 100_000)).toBe(9_040);
});

test("lets sound come back after a long silence while the picture went on", () => {
	const rebaser = new TimeRebaser();
	rebaser.map("audio", 0);
	for (let ms = 0; ms <= 60_000; ms += 1_000) {
		rebaser.map("video", ms);
	}
	expect(rebaser.map("audio", 60_010)).toBe(60_010);
});

test("rises strictly on each track when a source repeats a time or goes back a little", () => {
	const rebaser = new TimeRebaser();
	expect(
		mapAll(rebaser, [
			["video", 100],
			["video", 100],
			["video", 90],
			["audio", 90],
			["video", 140],
		]),
	).toEqual([100, 101, 102, 90, 140]);
});

test("leaves out sound from before the given beginning, which has no time there", () => {
	const rebaser = new TimeRebaser(0);
	expect(
		mapAll(rebaser, [
			["video", 1_000],
			["audio", 960],
			["audio", 999],
			["audio", 1_020],
			["video", 1_033],
		]),
	).toEqual([0, undefined, undefined, 20, 33]);
});

test("where arrival is known, a step ahead of the time that passed is a jump, and one within it a pause", () => {
	const rebaser = new TimeRebaser();
	rebaser.map("video", 0, 0);
	rebaser.map("video", 40, 40);
	const { epoch } = rebaser;
	// Ten minutes without a word, and as much in the source's time: a pause, however long.
	expect(rebaser.map("video", 600_040, 600_000)).toBe(600_040);
	// Two seconds more than passed are a burst; three are from the future.
	expect(rebaser.map("video", 602_080, 600_080)).toBe(602_080);
	expect(rebaser.epoch).toBe(epoch);
	expect(rebaser.map("video", 605_200, 600_120)).toBe(602_120);
	expect(rebaser.epoch).toBe(epoch + 1);
	expect(rebaser.map("audio", 605_210, 600_130)).toBe(602_130);
});

test("a jump that is told by arrival is judged by the latest of both tracks", () => {
	const rebaser = new TimeRebaser();
	rebaser.map("video", 0, 0);
	for (let ms = 0; ms <= 9_000; ms += 20) {
		rebaser.map("audio", ms, ms);
	}
	// Pictures that were away for nine seconds are where the sound is.
	expect(rebaser.map("video", 9_020, 9_020)).toBe(9_020);
	expect(rebaser.epoch).toBe(1);
});

test("counts an epoch for each source and each jump, and none for jitter", () => {
	const rebaser = new TimeRebaser();
	expect(rebaser.epoch).toBe(0);
	rebaser.map("video", 5_000, 0);
	rebaser.map("video", 5_040, 40);
	rebaser.map("video", 5_030, 80);
	expect(rebaser.epoch).toBe(1);
	rebaser.map("video", 0, 120);
	expect(rebaser.epoch).toBe(2);
	rebaser.restart();
	rebaser.map("video", 0, 160);
	expect(rebaser.epoch).toBe(3);
});
