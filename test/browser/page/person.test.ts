import { beforeAll, describe, expect, test } from "vitest";
import type { EncodedFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { personStatsSchema } from "../../../worker/protocol/compositor-stats.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { aac, h264, later, lumaOf } from "./made-media.ts";
import type { PersonRun, SentFrame, StepTaken } from "./person-in-worker.ts";

const MODULE = new URL("./person-in-worker.ts", import.meta.url);
const SECOND_US = 1_000_000;
/** From the encoder to us. */
const TRANSIT_US = 30_000;

const browser = useBrowser();
let video: EncodedVideoFrame[];
let sound: EncodedFrame[];
beforeAll(() => {
	video = h264({ frames: 90, group: 30 });
	sound = aac({ seconds: 3, hz: 1_000, sampleRate: 44_100, channels: 2 });
});

/** Frames on their way, each a transit after its own time, plus `delayUs`; in order, as TCP keeps it. */
function send(
	frames: readonly EncodedFrame[],
	offsetUs = 0,
	delayUs: (sourceUs: number) => number = () => 0,
): SentFrame[] {
	let latestUs = 0;
	return frames
		.toSorted((a, b) => a.dtsUs - b.dtsUs)
		.map((frame) => {
			latestUs = Math.max(latestUs, frame.dtsUs + offsetUs + TRANSIT_US + delayUs(frame.dtsUs));
			return { frame, arrivalUs: latestUs };
		});
}

function run(sent: readonly SentFrame[], untilUs: number): Promise<PersonRun> {
	return browser.run<PersonRun>(MODULE, "runPerson", [sent, untilUs]);
}

function indexOf({ luma }: StepTaken): number {
	return Math.round((luma - lumaOf(0)) / (lumaOf(1) - lumaOf(0)));
}

describe("Person", () => {
	test("shows each picture of a steady feed once, in step with its sound, and holds and drops none", async () => {
		const { steps, stats, problems } = await run(send([...video, ...sound]), 3 * SECOND_US);
		const first = steps.findIndex(({ step }) => step === "new");
		expect(first).toBeGreaterThanOrEqual(1);
		expect(first).toBeLessThanOrEqual(5);
		expect(steps.slice(0, first).every(({ state, step }) => state === "waiting" && step === "none")).toBe(true);
		const shown = steps.slice(first);
		expect(shown.map(indexOf)).toEqual(shown.map((_, index) => (indexOf(shown[0] as StepTaken) + index) % 50));
		expect(shown.every(({ step, state }) => step === "new" && state === "live")).toBe(true);
		expect(shown.slice(15).every(({ peak }) => peak > 0.05)).toBe(true);
		expect(personStatsSchema.parse(stats)).toMatchObject({
			connected: true,
			picture: "live",
			width: 320,
			height: 180,
			late: 0,
			held: 0,
			dropped: 0,
			decodeErrors: 0,
		});
		expect(Math.abs(stats.avSkewMs)).toBeLessThan(30);
		expect(problems).toEqual([]);
	});

	test("holds the last picture for 2 s, then shows the card, and the picture again when it is back", async () => {
		const back = 6 * SECOND_US;
		const { steps, stats } = await run([...send(video), ...send(later(video, back))], 9 * SECOND_US);
		const at = (seconds: number) => steps.find(({ dueUs }) => dueUs >= seconds * SECOND_US) as StepTaken;
		const last = steps.findLast(({ step, dueUs }) => step === "new" && dueUs < back) as StepTaken;
		expect(indexOf(last)).toBe(89 % 50);
		for (const { state, step, luma, dueUs } of steps.filter((each) => each.dueUs > last.dueUs && each.dueUs < back)) {
			const ageUs = dueUs - last.dueUs;
			expect(state).toBe(ageUs <= 250_000 ? "live" : ageUs <= 2 * SECOND_US ? "holding" : "card");
			expect(step).toBe(ageUs <= 2 * SECOND_US ? "missing" : "none");
			expect(luma).toBe(last.luma);
		}
		expect(at(4).state).toBe("holding");
		expect(at(5.5).state).toBe("card");
		const again = steps.filter(({ dueUs }) => dueUs >= back + 200_000);
		expect(again.every(({ state, step }) => state === "live" && step === "new")).toBe(true);
		expect(stats.held).toBeGreaterThanOrEqual(58);
		expect(stats.held).toBeLessThanOrEqual(61);
	});

	test("counts as late and gives up what comes in a heap after a stall, and is live again at once after it", async () => {
		const stall = (sourceUs: number) =>
			sourceUs >= SECOND_US && sourceUs < 1.6 * SECOND_US ? 1.6 * SECOND_US - sourceUs : 0;
		const { steps, stats } = await run(send(video, 0, stall), 3 * SECOND_US);
		expect(stats.late).toBeGreaterThanOrEqual(10);
		expect(stats.held).toBeGreaterThanOrEqual(10);
		expect(stats.dropped).toBeGreaterThanOrEqual(10);
		expect(stats.decodeErrors).toBe(0);
		const after = steps.filter(({ dueUs }) => dueUs >= 1.8 * SECOND_US);
		expect(after.every(({ step }) => step === "new" || step === "repeated")).toBe(true);
		for (const { dueUs, ptsUs } of after) {
			expect(dueUs - ptsUs).toBeLessThanOrEqual(TRANSIT_US + 500_000);
		}
		// Never backwards.
		for (const [index, { ptsUs }] of steps.entries()) {
			expect(ptsUs < (steps[index - 1]?.ptsUs ?? 0)).toBe(false);
		}
	});

	test("goes on when the source's time starts over, without a card", async () => {
		const restart = later(video, -(video[0]?.dtsUs ?? 0));
		const { steps, stats } = await run(
			[...send(later(video, 3_600 * SECOND_US), -3_600 * SECOND_US), ...send(restart, 3 * SECOND_US)],
			6 * SECOND_US,
		);
		const seen = steps.slice(steps.findIndex(({ step }) => step === "new"));
		expect(seen.every(({ state }) => state === "live" || state === "holding")).toBe(true);
		const after = steps.filter(({ dueUs }) => dueUs >= 3.25 * SECOND_US);
		expect(after.every(({ step, ptsUs }) => step === "new" && ptsUs < 3 * SECOND_US)).toBe(true);
		expect(stats).toMatchObject({ decodeErrors: 0, picture: "live" });
	});

	test("shows a broken frame's group no further, and the next group whole", async () => {
		const broken = video.map((frame, index) =>
			index === 40 ? { ...frame, data: Uint8Array.from([0x7f, 0xff, 0xff, 0xff, ...frame.data.subarray(4)]) } : frame,
		);
		const { steps, stats, problems } = await run(send(broken), 3 * SECOND_US);
		expect(stats.decodeErrors).toBe(1);
		expect(problems).toHaveLength(1);
		expect(problems[0]).toMatch(/^video decoder: /);
		// Pictures 39 to 59 are those of the broken group from the break on.
		const shown = steps.filter(({ step }) => step === "new").map(({ ptsUs }) => Math.round((ptsUs * 30) / SECOND_US));
		const firstUs = Math.round(((video[0]?.ptsUs ?? 0) * 30) / SECOND_US);
		const indexes = shown.map((index) => index - firstUs);
		expect(indexes.filter((index) => index >= 39 && index < 60)).toEqual([]);
		expect(indexes.filter((index) => index >= 60).slice(0, 5)).toEqual([60, 61, 62, 63, 64]);
	});
});
