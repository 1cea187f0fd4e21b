import { describe, expect, it } from "vitest";
import { DecodedTimes } from "../../../../playout/audio/decoded-times.ts";

describe("DecodedTimes", () => {
	it("gives each output the time of its chunk, whatever the decoder says", () => {
		const times = new DecodedTimes();
		times.sent(0);
		times.sent(500_000);
		expect(times.take(0)).toBe(0);
		times.sent(20_000);
		expect(times.take(21_333)).toBe(500_000);
		expect(times.take(42_667)).toBe(20_000);
	});

	it("believes the decoder where it knows nothing, and after the decoder was given up", () => {
		const times = new DecodedTimes();
		expect(times.take(7)).toBe(7);
		times.sent(1);
		times.clear();
		expect(times.take(8)).toBe(8);
	});

	it("stays bounded when chunks get no answer, keeping the newest", () => {
		const times = new DecodedTimes();
		for (let index = 0; index < 1_000; index += 1) {
			times.sent(index);
		}
		expect(times.take(-1)).toBe(500);
	});
});
