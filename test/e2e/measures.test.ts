import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFlashClip, makeStillClip } from "../support/peers/clips.ts";
import { mustRun } from "../support/peers/run-tool.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { GUEST_CARD, HOST_CARD, writeTestCard } from "../support/peers/test-card.ts";
import { discShape } from "../support/program/disc-shape.ts";
import { beepOnsetsMs, flashOnsetsMs, skewsMs } from "../support/program/onsets.ts";
import { dtsSteps, readPackets } from "../support/program/packets.ts";
import { colourDistance, meanColour } from "../support/program/picture.ts";
import { pictureAt } from "../support/program/pictures.ts";
import { decodeSound, soundBetween } from "../support/program/sound.ts";
import { ssim } from "../support/program/ssim.ts";
import { toneAmplitude, toneLevel } from "../support/program/tone.ts";

/** The end-to-end tests are worth what they measure with: each measure is shown to be right, and to notice what it is for. */

const SIZE = { width: 640, height: 360 };
const WHOLE = { x: 0, y: 0, ...SIZE };
const folder = new TempFolder();
const still = folder.file("still.flv");
const flash = folder.file("flash.flv");

beforeAll(async () => {
	const card = folder.file("card.ppm");
	writeTestCard(card, { ...SIZE, ...HOST_CARD });
	await makeStillClip(still, card, 440, { ...SIZE, frameRate: 30, seconds: 5, bFrames: 2 });
	await makeFlashClip(flash, 1_000, 0.3, { ...SIZE, frameRate: 30, seconds: 5 });
});

afterAll(() => folder[Symbol.dispose]());

describe("packets", () => {
	it("are all read, with their times and key frames, also where pictures are out of order", async () => {
		const { video, audio, complaints } = await readPackets(still);
		expect(complaints).toBe("");
		expect(video.length).toBe(150);
		expect(video.map(({ key }, index) => (key ? index : -1)).filter((index) => index >= 0)).toEqual([0, 60, 120]);
		expect(video.some(({ ptsMs, dtsMs }) => ptsMs > dtsMs)).toBe(true);
		expect(Math.min(...dtsSteps(video))).toBeGreaterThanOrEqual(33);
		expect(Math.max(...dtsSteps(audio))).toBeLessThanOrEqual(22);
	});
});

describe("pictures", () => {
	it("are alike when they show the same, and unlike when moved, mirrored or stretched", async () => {
		const picture = await pictureAt(still, 3);
		const same = await pictureAt(still, 100);
		expect(ssim(picture.y, same.y)).toBeGreaterThan(0.97);
		for (const filters of ["hflip", "vflip", "crop=640:340:0:10,scale=640:360", "crop=632:352:8:8,pad=640:360"]) {
			const changed = await pictureAt(still, 3, { filters, size: SIZE });
			expect(ssim(picture.y, changed.y), filters).toBeLessThan(0.9);
		}
	});

	it("show who they are of: another person's card is another picture", async () => {
		const other = folder.file("guest.ppm");
		writeTestCard(other, { ...SIZE, ...GUEST_CARD });
		const [host, guest] = [
			await pictureAt(still, 3),
			await pictureAt(other, 0, { filters: "format=yuv420p", size: SIZE }),
		];
		expect(ssim(host.y, guest.y)).toBeLessThan(0.8);
		expect(colourDistance(meanColour(host, WHOLE), meanColour(guest, WHOLE))).toBeGreaterThan(20);
		expect(() => discShape(guest, WHOLE, HOST_CARD.disc)).toThrow("got none");
	});

	it("show a disc as round when it is, and as long as it is stretched", async () => {
		const round = discShape(await pictureAt(still, 3), WHOLE, HOST_CARD.disc);
		expect(round.width / round.height).toBeCloseTo(1, 1);
		const stretched = { filters: "crop=480:360,scale=640:360", size: SIZE };
		const long = discShape(await pictureAt(still, 3, stretched), WHOLE, HOST_CARD.disc);
		expect(long.width / long.height).toBeCloseTo(4 / 3, 1);
	});
});

describe("sound", () => {
	it("holds the tone that was made, and no other", async () => {
		const part = soundBetween(await decodeSound(still), 1_000, 3_000);
		expect(toneAmplitude(part, 440)).toBeCloseTo(0.25, 1);
		expect(toneAmplitude(part, 1_000)).toBeLessThan(0.002);
		expect(toneLevel(part, 440 * 1.01)).toBeGreaterThan(0.2);
		expect(toneLevel(part, 1_000)).toBeLessThan(0.002);
	});
});

describe("flash and beep", () => {
	it("are found at their times, and in step", async () => {
		const [flashes = []] = await flashOnsetsMs(flash, [WHOLE]);
		const beeps = await beepOnsetsMs(flash, 1_000);
		const skews = skewsMs(flashes, beeps);
		expect(flashes.length).toBe(5);
		expect(skews.length).toBe(5);
		for (const skew of skews) {
			expect(Math.abs(skew)).toBeLessThan(5);
		}
	});

	it("show by how much the sound was moved", async () => {
		const late = folder.file("late.flv");
		const delayed = ["-i", flash, "-itsoffset", "0.08", "-i", flash, "-map", "0:v", "-map", "1:a"];
		await mustRun("ffmpeg", ["-y", "-v", "error", ...delayed, "-c", "copy", late]);
		const [flashes = []] = await flashOnsetsMs(late, [WHOLE]);
		for (const skew of skewsMs(flashes, await beepOnsetsMs(late, 1_000))) {
			expect(Math.abs(skew - 80)).toBeLessThan(5);
		}
	});
});
