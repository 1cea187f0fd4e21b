import { describe, expect, it } from "vitest";
import { useBrowser } from "../../support/browser/use-browser.ts";
import type { DecodedRun } from "./decoder-in-worker.ts";

const MODULE = new URL("./decoder-in-worker.ts", import.meta.url);

describe("DecodedTimes with Chromium's AudioDecoder", () => {
	const browser = useBrowser();

	it.each(["decodeAacWithJumps", "decodeOpusWithJumps"])("keeps the source's own times (%s)", async (name) => {
		const { sentUs, keptUs, stampedUs } = await browser.run<DecodedRun>(MODULE, name);
		expect(sentUs).toHaveLength(24);
		expect(keptUs).toEqual(sentUs);
		const believed = stampedUs.every((stamped, index) => Math.abs(stamped - (sentUs[index] ?? 0)) < 2_000);
		console.log(`${name}: the decoder itself ${believed ? "keeps" : "loses"} the times of its chunks`);
	});
});
