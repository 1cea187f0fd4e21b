import { describe, expect, test } from "vitest";
import { personFigures, programFigures } from "../../../../scripts/talk/figures.ts";
import { AUDIO_FRAME_MS, type SeenFrame, type Timeline } from "../../../../test/support/faults/timeline.ts";

const ORIGIN_MS = 1_700_000_000_000;
const FRAME_MS = 1_000 / 30;
const NOTHING = { concealedSamples: 0, samples: 0, keyFrameRequests: 1, bufferedS: 1, playedSamples: 0 };
const WINDOW = { fromMs: 0, toMs: 1e9, hostId: 1, ids: [1, 2], frameRate: 30 };

/** Pictures of the host, each captured so long before it arrived. */
function frames(count: number, latencyMs: (index: number) => number): SeenFrame[] {
	return Array.from({ length: count }, (_, index) => {
		const arrivedAtMs = index * FRAME_MS;
		const number = Math.round(ORIGIN_MS + arrivedAtMs - latencyMs(index)) % 0x10000;
		return { arrivedAtMs, timeMs: arrivedAtMs, session: 0, key: index === 0, codes: [{ id: 1, number }] };
	});
}

function timeline(parts: Partial<Timeline>): Timeline {
	return { sessions: [{ startedAtMs: 0, endedAtMs: 1 }], frames: [], sound: [], splices: [], complaints: [], ...parts };
}

describe("what reached the destination", () => {
	test("is as late as the clocks in it say, over the round of 65 s", () => {
		const { seen } = programFigures(timeline({ frames: frames(3_000, () => 140) }), WINDOW, ORIGIN_MS);
		expect(seen?.p50).toBeCloseTo(140, -1);
		expect(seen?.p95).toBeCloseTo(140, -1);
	});

	test("stands still for as long as no newer picture comes, also where held ones do", () => {
		const all = frames(90, (index) => (index >= 30 && index < 60 ? 100 + (index - 30) * FRAME_MS : 100));
		const { freezeMs, shownBack } = programFigures(timeline({ frames: all }), WINDOW, ORIGIN_MS);
		expect(freezeMs).toBeCloseTo(30 * FRAME_MS, -2);
		expect(shownBack).toBe(0);
	});

	test("goes back where an older picture follows", () => {
		const all = frames(60, (index) => (index >= 30 && index < 33 ? 300 : 100));
		expect(programFigures(timeline({ frames: all }), WINDOW, ORIGIN_MS).shownBack).toBeGreaterThan(0);
	});

	const atFrame32 = [{ arrivedAtMs: 32 * FRAME_MS, timeMs: 32 * FRAME_MS }];

	test("costs at a splice what the picture stands still there, which shows what comes next", () => {
		const all = frames(60, (index) => (index >= 32 ? 100 + 2 * FRAME_MS : 100)).filter(
			(_, index) => index < 30 || index > 31,
		);
		const { spliceMs, spliceLostMs } = programFigures(timeline({ frames: all, splices: atFrame32 }), WINDOW, ORIGIN_MS);
		expect(Math.abs(spliceMs - 2 * FRAME_MS)).toBeLessThan(2);
		expect(spliceLostMs).toBe(0);
	});

	test("leaves out at a splice what the camera saw and nobody else", () => {
		const all = frames(60, (index) => (index >= 32 ? 100 : 100 + 3 * FRAME_MS));
		const { spliceMs, spliceLostMs } = programFigures(timeline({ frames: all, splices: atFrame32 }), WINDOW, ORIGIN_MS);
		expect(spliceMs).toBeLessThan(2);
		expect(Math.abs(spliceLostMs - 2.5 * FRAME_MS)).toBeLessThan(2);
	});

	test("costs nothing at a splice where the camera missed a picture", () => {
		const all = frames(60, () => 100).filter((_, index) => index !== 31);
		const { spliceMs, spliceLostMs } = programFigures(timeline({ frames: all, splices: atFrame32 }), WINDOW, ORIGIN_MS);
		expect(Math.max(spliceMs, spliceLostMs)).toBeLessThan(2);
	});

	test("has a skew where sound is as late as picture plus it", () => {
		const sound = Array.from({ length: 400 }, (_, index) => {
			const arrivedAtMs = index * 21.33;
			const isBeep = arrivedAtMs % 1_000 >= 240 && arrivedAtMs % 1_000 < 340;
			return { arrivedAtMs, timeMs: arrivedAtMs, session: 0, rms: 0.1, tones: [isBeep ? 0.3 : 0, 0] };
		});
		const { skewMs } = programFigures(timeline({ frames: frames(240, () => 140), sound }), WINDOW, ORIGIN_MS);
		expect(skewMs).toBeGreaterThan(90);
		expect(skewMs).toBeLessThan(130);
	});

	test("is late by more than the second in which beeps repeat, where the picture is", () => {
		const sound = [...Array(200).keys()].map((index) => {
			const arrivedAtMs = 2_300 + (index - 50) * AUDIO_FRAME_MS;
			return { arrivedAtMs, timeMs: arrivedAtMs, session: 0, rms: 0.1, tones: [index === 50 ? 0.3 : 0, 0] };
		});
		const { heard, skewMs } = programFigures(timeline({ frames: frames(240, () => 1_280), sound }), WINDOW, ORIGIN_MS);
		expect(heard?.p50).toBeCloseTo(1_300, -1);
		expect(skewMs).toBeCloseTo(20, -1);
	});

	test("begins a beep within its packet, by how much of the tone is in it", () => {
		const strengths = [0.075, 0.3, 0.3, 0];
		const sound = [...Array(100).keys()].map((index) => {
			const timeMs = 1_000 + (index - 50) * AUDIO_FRAME_MS;
			return { arrivedAtMs: timeMs, timeMs, session: 0, rms: 0.1, tones: [strengths[index - 50] ?? 0, 0] };
		});
		const { skewMs } = programFigures(timeline({ frames: frames(240, () => 0), sound }), WINDOW, ORIGIN_MS);
		expect(Math.abs((skewMs ?? 0) - 0.75 * AUDIO_FRAME_MS)).toBeLessThan(2);
	});

	test("has so many new pictures a second", () => {
		const all = frames(90, (index) => 100 + (index % 2) * FRAME_MS);
		expect(programFigures(timeline({ frames: all }), WINDOW, ORIGIN_MS).frameRate).toBeCloseTo(15, 0);
	});

	test("counts time that goes back", () => {
		const all = frames(10, () => 100).map((frame, index) => (index === 5 ? { ...frame, timeMs: 0 } : frame));
		expect(programFigures(timeline({ frames: all }), WINDOW, ORIGIN_MS).timeBack).toBe(1);
	});
});

test("what a person sees and hears is told by quantiles, gaps and the share that was made up", () => {
	const seen = Array.from({ length: 100 }, (_, index) => ({
		atMs: index * 40 + (index > 50 ? 500 : 0),
		latencyMs: index,
	}));
	const figures = personFigures({ seen, heardAtMs: [ORIGIN_MS + 150, ORIGIN_MS + 1_160] }, NOTHING, {
		concealedSamples: 480,
		samples: 48_000,
		keyFrameRequests: 4,
		bufferedS: 1_441,
		playedSamples: 48_000,
	});
	expect(figures).toMatchObject({
		...{ seen: { p50: 50, p95: 95 }, heard: { p50: 160 }, freezeMs: 540, concealed: 0.01 },
		keyFrameRequests: 3,
		bufferedMs: 30,
	});
	expect(figures.frameRate).toBeCloseTo(99 / 4.46);
});
