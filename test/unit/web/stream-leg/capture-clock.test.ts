import { describe, expect, test } from "vitest";
import { CaptureClock } from "../../../../web/lib/stream-leg/capture-clock.ts";

const MS = 1_000;
const S = 1_000_000;
/** Where the capture clock stands when a device's clock is at 0. */
const EPOCH = 1_700_000_000 * S;

/** Blocks of 10 ms, each `delayUs` late; answers capture time less true time of each, in milliseconds. */
function errorsMs(blocks: number, delayUs: (index: number) => number, deviceUs = (trueUs: number) => trueUs): number[] {
	const clock = new CaptureClock();
	return Array.from({ length: blocks }, (_, index) => {
		const trueUs = index * 10 * MS;
		const captureUs = clock.captureUs(deviceUs(trueUs), EPOCH + trueUs + delayUs(index));
		return (captureUs - EPOCH - trueUs) / MS;
	});
}

describe("CaptureClock", () => {
	test("takes the least delay for none, whatever others wait", () => {
		const errors = errorsMs(500, (index) => (index % 7 === 0 ? 2 : 2 + ((index * 13) % 40)) * MS);
		expect(errors.every((error) => Math.abs(error - 2) < 0.001)).toBe(true);
	});

	test("comes down to a lesser delay as soon as it is seen", () => {
		const errors = errorsMs(4, (index) => [20, 12, 30, 3][index] as number).map((error) => error * MS);
		expect(errors.map(Math.round)).toEqual([20, 12, 12, 3]);
	});

	test.each([100, -100])("follows a device that drifts by %d ppm within 3 ms", (ppm) => {
		const errors = errorsMs(
			60_000,
			() => 2 * MS,
			(trueUs) => trueUs * (1 + ppm / 1e6),
		);
		// Of a clock that runs behind the least delay is a while old.
		expect(Math.max(...errors.map((error) => Math.abs(error - 2)))).toBeLessThan(3);
	});

	test("does not take a stall and its burst for time that was lost", () => {
		// Nothing for a second, then all of it at once, and on.
		const errors = errorsMs(600, (index) => (index >= 300 && index < 400 ? (400 - index) * 10 * MS + MS : 2 * MS));
		expect(Math.max(...errors)).toBeLessThan(2.1);
	});

	test("does not take a backlog that shrinks slowly for time that was lost", () => {
		const errors = errorsMs(900, (index) => (index < 100 ? 2 : Math.max(2, 200 - (index - 100) * 0.5)) * MS);
		expect(Math.max(...errors)).toBeLessThan(2.1);
	});

	test("follows a sound card that lost time in a third of a second", () => {
		const errors = errorsMs(
			200,
			() => 2 * MS,
			(trueUs) => (trueUs < S ? trueUs : trueUs - 150 * MS),
		);
		expect(errors[100]).toBeCloseTo(2 - 150, 3);
		expect(errors[135]).toBeCloseTo(2, 3);
		expect(errors.at(-1)).toBeCloseTo(2, 3);
	});
});
