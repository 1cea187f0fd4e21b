import { describe, expect, it } from "vitest";
import { quantiles } from "../../../scripts/talk/figures.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { readFrameCode } from "../../support/faults/frame-code.ts";
import type { LoopedBack } from "./rig-in-page.ts";

/** What the talk is measured with must itself be right: a clock that is read, and little that it adds. */

const RIG = new URL("./rig-in-page.ts", import.meta.url);
const FLAGS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
/** Of a person's real figures nothing but what a loaded machine adds may be in here: usually it is 15 ms. */
const OWN_DELAY_MS = 500;
const NARROW_BPS = 500_000;
const PICTURES = 60;
const BEEPS = 3;

const { run } = useBrowser({ flags: FLAGS });

function loopBack(bitrateBps?: number): Promise<LoopedBack> {
	const args = bitrateBps === undefined ? [PICTURES, BEEPS] : [PICTURES, BEEPS, bitrateBps];
	return run<LoopedBack>(RIG, "loopBack", args, { where: "page" });
}

describe("the talk's camera and microphone", () => {
	it("are read as they were drawn and sounded, with next to no delay of their own", async () => {
		const { seen, heardAtMs } = await loopBack();
		expect(seen.length).toBeGreaterThanOrEqual(PICTURES);
		expect(heardAtMs.length).toBeGreaterThanOrEqual(BEEPS);
		expect(quantiles(seen.map(({ latencyMs }) => latencyMs))?.p50).toBeLessThan(OWN_DELAY_MS);
		const offsets = heardAtMs.map((atMs) => Math.abs(atMs - Math.round(atMs / 1_000) * 1_000));
		expect(quantiles(offsets)?.p50).toBeLessThan(OWN_DELAY_MS / 2);
	});

	it("are read after WebRTC has coded them for 500 kb/s", async () => {
		const { seen, heardAtMs } = await loopBack(NARROW_BPS);
		expect(seen.length).toBeGreaterThanOrEqual(PICTURES);
		expect(heardAtMs.length).toBeGreaterThanOrEqual(BEEPS);
	});

	it("show what the judge of programs reads, at half the size", async () => {
		const { picture } = await loopBack(NARROW_BPS);
		const code = readFrameCode(picture, { x: 0, y: 0, width: picture.width, height: picture.height });
		expect(code?.id).toBe(5);
	});
});
