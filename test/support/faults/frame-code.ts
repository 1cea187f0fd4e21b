import type { Rect } from "../../../media/layout.ts";
import { meanOf, type Plane } from "../program/picture.ts";

/**
 * A number that a picture carries for a machine to read: black and white blocks, 8 a row, in the middle of the picture, where every layout's crop leaves
 * them. Rows from the top: the clip's id, the frame's number (high byte, low byte), a check of the three. Leftmost block is the highest bit.
 */
export interface FrameCode {
	/** 1 to 255: tells clips apart. */
	readonly id: number;
	/** 0 to 65,535, one more with every frame. */
	readonly number: number;
}

const COLUMNS = 8;
const ROWS = 4;
/** A block's side, by the picture's height: four rows are a third of it, and eight columns are still in a crop of half the width. */
const BLOCKS_PER_HEIGHT = 12;
const MAX_NUMBER = 0xffff;
/** Video range. */
const BLACK = 16;
const WHITE = 235;
/** What is between was smeared by a mixture of two pictures, or is no code. */
const BLACK_BELOW = 85;
const WHITE_ABOVE = 166;
/** x^8 + x^2 + x + 1. */
const CRC_POLYNOMIAL = 0x07;

/** Draws the code into a picture of luma samples whose height is a multiple of 12 and whose width is even. */
export function drawFrameCode(plane: Plane, code: FrameCode): void {
	if (!(code.id >= 1 && code.id <= 0xff && code.number >= 0 && code.number <= MAX_NUMBER)) {
		throw new RangeError(`frame code: expected id 1 to 255 and number 0 to 65535, got ${code.id} and ${code.number}`);
	}
	const { side, left, top } = place({ x: 0, y: 0, width: plane.width, height: plane.height });
	rowsOf(code).forEach((byte, row) => {
		for (let column = 0; column < COLUMNS; column++) {
			const value = (byte >> (COLUMNS - 1 - column)) & 1 ? WHITE : BLACK;
			for (let y = 0; y < side; y++) {
				const from = (top + row * side + y) * plane.width + left + column * side;
				plane.samples.fill(value, from, from + side);
			}
		}
	});
}

/** The code of the picture that is shown in `rect`, cropped at its left and right or not; `undefined` when there is none to be read. */
export function readFrameCode(plane: Plane, rect: Rect): FrameCode | undefined {
	const { side, left, top } = place(rect);
	const bytes: number[] = [];
	for (let row = 0; row < ROWS; row++) {
		let byte = 0;
		for (let column = 0; column < COLUMNS; column++) {
			const bit = readBlock(plane, left + column * side, top + row * side, side);
			if (bit === undefined) {
				return undefined;
			}
			byte = (byte << 1) | bit;
		}
		bytes.push(byte);
	}
	const [id = 0, high = 0, low = 0, check] = bytes;
	return id > 0 && check === checkOf([id, high, low]) ? { id, number: high * 0x100 + low } : undefined;
}

/** By the middle of the block, which neighbours do not smear. */
function readBlock(plane: Plane, x: number, y: number, side: number): 0 | 1 | undefined {
	const middle = Math.max(1, Math.floor(side / 2));
	const inset = (side - middle) / 2;
	const rect = { x: Math.round(x + inset), y: Math.round(y + inset), width: middle, height: middle };
	if (rect.x < 0 || rect.y < 0 || rect.x + middle > plane.width || rect.y + middle > plane.height) {
		return undefined;
	}
	const luma = meanOf(plane, rect);
	if (luma < BLACK_BELOW) {
		return 0;
	}
	return luma > WHITE_ABOVE ? 1 : undefined;
}

function place(rect: Rect): { side: number; left: number; top: number } {
	const side = rect.height / BLOCKS_PER_HEIGHT;
	return {
		side,
		left: rect.x + (rect.width - COLUMNS * side) / 2,
		top: rect.y + (rect.height - ROWS * side) / 2,
	};
}

function rowsOf({ id, number }: FrameCode): number[] {
	const bytes = [id, number >> 8, number & 0xff];
	return [...bytes, checkOf(bytes)];
}

/** CRC-8. */
function checkOf(bytes: readonly number[]): number {
	let crc = 0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) {
			crc = crc & 0x80 ? ((crc << 1) ^ CRC_POLYNOMIAL) & 0xff : crc << 1;
		}
	}
	return crc;
}
