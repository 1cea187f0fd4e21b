import { describe, expect, it } from "vitest";
import { drawFrameCode, type FrameCode, readFrameCode } from "../../../support/faults/frame-code.ts";
import type { Plane } from "../../../support/program/picture.ts";

const WIDTH = 640;
const HEIGHT = 360;
const WHOLE = { x: 0, y: 0, width: WIDTH, height: HEIGHT };

function ground(luma = 90): Plane {
	return { width: WIDTH, height: HEIGHT, samples: new Uint8Array(WIDTH * HEIGHT).fill(luma) };
}

function pictureOf(code: FrameCode): Plane {
	const plane = ground();
	drawFrameCode(plane, code);
	return plane;
}

/** Every second sample of every second row. */
function halved({ width, height, samples }: Plane): Plane {
	const half = { width: width / 2, height: height / 2, samples: new Uint8Array((width * height) / 4) };
	for (let y = 0; y < half.height; y++) {
		for (let x = 0; x < half.width; x++) {
			half.samples[y * half.width + x] = samples[2 * y * width + 2 * x] ?? 0;
		}
	}
	return half;
}

describe("the number burnt into a picture", () => {
	it.each([
		{ id: 1, number: 0 },
		{ id: 101, number: 12_345 },
		{ id: 255, number: 65_535 },
	])("is read as it was drawn: %j", (code) => {
		expect(readFrameCode(pictureOf(code), WHOLE)).toEqual(code);
	});

	it("is read at half the size", () => {
		const plane = halved(pictureOf({ id: 7, number: 4_321 }));
		expect(readFrameCode(plane, { x: 0, y: 0, width: WIDTH / 2, height: HEIGHT / 2 })).toEqual({
			id: 7,
			number: 4_321,
		});
	});

	it("is read in a crop of half the width, wherever that is shown", () => {
		const whole = pictureOf({ id: 3, number: 999 });
		const shown = ground();
		for (let y = 0; y < HEIGHT; y++) {
			const row = whole.samples.subarray(y * WIDTH + WIDTH / 4, y * WIDTH + (WIDTH * 3) / 4);
			shown.samples.set(row, y * WIDTH + WIDTH / 2);
		}
		const right = { x: WIDTH / 2, y: 0, width: WIDTH / 2, height: HEIGHT };
		expect(readFrameCode(shown, right)).toEqual({ id: 3, number: 999 });
		expect(readFrameCode(shown, { ...right, x: 0 })).toBeUndefined();
		expect(readFrameCode(shown, WHOLE)).toBeUndefined();
	});

	it("is not read where there is none", () => {
		for (const luma of [16, 90, 235]) {
			expect(readFrameCode(ground(luma), WHOLE)).toBeUndefined();
		}
	});

	it("is not read when any block is turned over, or between two pictures", () => {
		const plane = pictureOf({ id: 5, number: 0x0f0f });
		const other = pictureOf({ id: 5, number: 0x0f10 });
		const mixed = { ...plane, samples: plane.samples.map((sample, at) => (sample + (other.samples[at] ?? 0)) / 2) };
		expect(readFrameCode(mixed, WHOLE)).toBeUndefined();
		const side = HEIGHT / 12;
		for (let block = 0; block < 32; block++) {
			const turned = { ...plane, samples: plane.samples.slice() };
			const left = (WIDTH - 8 * side) / 2 + (block % 8) * side;
			const top = (HEIGHT - 4 * side) / 2 + Math.floor(block / 8) * side;
			for (let y = top; y < top + side; y++) {
				const from = y * WIDTH + left;
				turned.samples.fill((plane.samples[from] ?? 0) > 128 ? 16 : 235, from, from + side);
			}
			expect(readFrameCode(turned, WHOLE)).toBeUndefined();
		}
	});

	it("is refused when it does not fit", () => {
		expect(() => drawFrameCode(ground(), { id: 0, number: 1 })).toThrow(/expected id 1 to 255/);
		expect(() => drawFrameCode(ground(), { id: 1, number: 65_536 })).toThrow(/number 0 to 65535/);
	});
});
