import { BrowserSession } from "../../test/support/browser/browser-session.ts";
import type { Bench, BenchResult } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { CHROMIUM_FLAGS, measureInChromium } from "./measure-in-chromium.ts";
import { measureInNode } from "./measure-in-node.ts";
import type { MicroTime } from "./micro-case.ts";
import { microTable } from "./micro-table.ts";

const IN = { node: "in Node", chromium: "in Chromium" } as const;

export const MICRO_BENCH: Bench = {
	name: "micro",
	about: "FLV, RTMP chunks, Router, splicer, jitter buffer, mixer, picture kernels: time and allocations of each",
	async run({ runs, cleanUp, say }): Promise<BenchResult> {
		const browser = await BrowserSession.open({ flags: CHROMIUM_FLAGS });
		cleanUp.add(() => browser.close());
		const measured = await interleave<readonly MicroTime[]>(
			[
				{ name: IN.node, measure: measureInNode },
				{ name: IN.chromium, measure: () => measureInChromium(browser) },
			],
			{ runs, say },
		);
		return {
			tables: [
				microTable("Bytes and decisions, in Node", measured.get(IN.node) ?? []),
				microTable("Picture kernels, in Chromium", measured.get(IN.chromium) ?? []),
			],
			verdicts: [],
			notes: [
				"A program of 720p30 in pictures of 6,000 bytes and AAC frames of 340: of those, 30 and 47 a second go through each part for each person.",
				"Each run is a fresh process, or a fresh page; warm, and of five stretches of 60 ms in Node the middle one counts. What the collector takes is in the time.",
				"Allocated is what the heap and the buffers beside it hold more after so many iterations that the collector has not run, in a second process with a large young generation; it says how often the collector will run, not what is kept. Chromium tells of its heap only, without what lies in WebAssembly's memory.",
				"MB/s are of encoded media, of samples in Float32 for the mixer, and of the picture's samples written for the kernels.",
			],
		};
	},
};
