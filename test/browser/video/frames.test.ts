import { describe, expect, test } from "vitest";
import { LAYOUT_NAMES } from "../../../media/layout.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { Growth, Orientation, StillRun } from "./frames-in-worker.ts";
import type { CardOptions, Rgb } from "./picture-formats.ts";

const MODULE = new URL("./frames-in-worker.ts", import.meta.url);
const RED: Rgb = [200, 60, 60];
const GREEN: Rgb = [60, 180, 60];
const BLUE: Rgb = [60, 60, 200];
const GREY: Rgb = [128, 128, 128];
const CARD: CardOptions = { width: 320, height: 180, quarters: [RED, GREEN, BLUE, GREY] };
const COMPOSES = 300;
/** Of 8 bits. A picture is drawn up to twice on the way, and Chromium's software makes blue a little darker each time. */
const LEVELS_APART = 20;

const browser = useBrowser();

describe.each(["planar", "canvas"] as const)("the %s compositor", (kind) => {
	test.each([
		{ orientation: {}, quarters: [RED, GREEN, BLUE, GREY] },
		{ orientation: { rotation: 90 }, quarters: [BLUE, RED, GREY, GREEN] },
		{ orientation: { rotation: 180 }, quarters: [GREY, BLUE, GREEN, RED] },
		{ orientation: { rotation: 270 }, quarters: [GREEN, GREY, RED, BLUE] },
		{ orientation: { flip: true }, quarters: [GREEN, RED, GREY, BLUE] },
	] satisfies { orientation: Orientation; quarters: Rgb[] }[])(
		"shows a frame turned by $orientation as it is meant to be seen",
		async ({ orientation, quarters }) => {
			const seen = await browser.run<Rgb[]>(MODULE, "composeTurned", [kind, CARD, orientation]);
			for (const [index, colour] of quarters.entries()) {
				for (const [channel, level] of colour.entries()) {
					expect(
						Math.abs((seen[index]?.[channel] ?? -1) - level),
						`quarter ${index}: ${seen[index]}`,
					).toBeLessThanOrEqual(LEVELS_APART);
				}
			}
		},
	);

	test.each(LAYOUT_NAMES)(
		`keeps no frame open and takes no new memory over ${COMPOSES} pictures in %s`,
		async (layout) => {
			for (const format of ["I420", "NV12"] as const) {
				const card = { ...CARD, width: 640, height: 360, format };
				const growth = await browser.run<Growth>(MODULE, "composeManyTimes", [kind, layout, card, COMPOSES]);
				expect(growth).toMatchObject({ openFrames: 0, lateBytes: 0 });
				expect(growth.earlyBytes).toBeGreaterThan(0);
			}
		},
	);
});

test.each(["solo", "landscape", "pip"] as const)(
	"a %s picture that stands still is one frame at many times, let go of when it moves or ends",
	async (layout) => {
		const card = { ...CARD, width: 640, height: 360 };
		const still = await browser.run<StillRun>(MODULE, "composeStill", [layout, card, 4]);
		// The first is drawn, the others share what the second kept, and the last is drawn again.
		expect(still.open).toEqual([0, 1, 1, 1, 0, 0]);
		expect(still.timestamps).toEqual([0, 1, 2, 3, 4].map((time) => time * 33_333));
		expect(still.same).toBe(true);
	},
);
