import { describe, expect, test } from "vitest";
import { LatencyLog } from "../../../../compositor-page/program/latency-log.ts";

describe("LatencyLog", () => {
	test("is 0 before anything was measured", () => {
		expect(new LatencyLog().quantilesMs()).toEqual({ inputToEncodedP50: 0, inputToEncodedP95: 0 });
	});

	test("takes the time from each picture's arrival to the encoded frame that shows it first", () => {
		const log = new LatencyLog();
		log.shown(0, [1_000_000, 1_010_000]);
		log.encoded(0, 1_050_000);
		expect(log.quantilesMs()).toEqual({ inputToEncodedP50: 50, inputToEncodedP95: 50 });
		log.encoded(0, 9_000_000); // once only
		log.encoded(33_333, 9_000_000); // showed nothing new
		expect(log.quantilesMs()).toEqual({ inputToEncodedP50: 50, inputToEncodedP95: 50 });
	});

	test("gives the quantiles of the latest measurements", () => {
		const log = new LatencyLog();
		for (let index = 0; index < 1_000; index += 1) {
			log.shown(index, [0]);
			log.encoded(index, index < 400 ? 900_000 : (index % 100) * 1_000);
		}
		expect(log.quantilesMs()).toEqual({ inputToEncodedP50: 50, inputToEncodedP95: 95 });
	});

	test("forgets output frames that were never encoded", () => {
		const log = new LatencyLog();
		for (let index = 0; index < 65; index += 1) {
			log.shown(index, [0]);
		}
		log.encoded(0, 1_000_000);
		expect(log.quantilesMs().inputToEncodedP50).toBe(0);
		log.encoded(1, 70_000);
		expect(log.quantilesMs().inputToEncodedP50).toBe(70);
	});
});
