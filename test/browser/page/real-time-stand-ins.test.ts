import { expect, test } from "vitest";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { StandInsDecoded } from "./stand-ins-in-worker.ts";

const browser = useBrowser();

test("each codec's stand-in is a picture of 16×16 in a few bytes, however many come in a row", async () => {
	const module = new URL("./stand-ins-in-worker.ts", import.meta.url);
	const decoded = await browser.run<StandInsDecoded[]>(module, "decodeStandIns", [5]);
	expect(decoded.map(({ codec }) => codec)).toEqual(["avc", "vp8", "vp9", "av1"]);
	for (const { codec, bytes, pictures, error } of decoded) {
		expect(error, codec).toBe("");
		expect(pictures, codec).toEqual(Array.from({ length: 5 }, (_, index) => `16×16 at ${index}`));
		expect(bytes, codec).toBeLessThan(64);
	}
});
