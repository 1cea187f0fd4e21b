import type { Rect } from "../../../media/layout.ts";
import type { Border } from "../../layouts/lay-out.ts";
import type { PictureBuffer, PlanePosition } from "./picture-buffer.ts";
import type { GraphicPlane, PlanarGraphic } from "./planar-graphic.ts";
import { chromaUOf, chromaVOf, lumaOf } from "./yuv.ts";

/** Blends a graphic into a picture with its top left corner at (x, y), both even. What lies outside `clip` (even numbers) is left out. */
export function blendGraphic(picture: PictureBuffer, graphic: PlanarGraphic, x: number, y: number, clip: Rect): void {
	const left = Math.max(x, clip.x);
	const top = Math.max(y, clip.y);
	const right = Math.min(x + graphic.width, clip.x + clip.width);
	const bottom = Math.min(y + graphic.height, clip.y + clip.height);
	if (left >= right || top >= bottom) {
		return;
	}
	for (const plane of [0, 1, 2] as const) {
		const shift = plane === 0 ? 0 : 1;
		const to = picture.planes[plane];
		const fromX = (left - x) >> shift;
		const fromY = (top - y) >> shift;
		const width = (right - left) >> shift;
		const height = (bottom - top) >> shift;
		const first = to.offset + (top >> shift) * to.stride + (left >> shift);
		const rows = graphic.opaqueRows?.[plane];
		if (rows !== undefined && width === graphic.planes[plane].width) {
			copyRows(picture.bytes, first, to.stride, rows, fromY, height);
		} else {
			blendPlane(picture.bytes, first, to.stride, graphic.planes[plane], fromX, fromY, width, height);
		}
	}
}

function copyRows(
	output: Uint8Array,
	first: number,
	stride: number,
	rows: readonly Uint8Array[],
	fromY: number,
	height: number,
): void {
	for (let y = 0; y < height; y++) {
		const row = rows[fromY + y];
		if (row !== undefined) {
			output.set(row, first + y * stride);
		}
	}
}

function blendPlane(
	output: Uint8Array,
	first: number,
	stride: number,
	plane: GraphicPlane,
	fromX: number,
	fromY: number,
	width: number,
	height: number,
): void {
	const { colour, through } = plane;
	for (let y = 0; y < height; y++) {
		const to = first + y * stride;
		const from = (fromY + y) * plane.width + fromX;
		for (let x = 0; x < width; x++) {
			const under = output[to + x] as number;
			output[to + x] = ((colour[from + x] as number) + under * (through[from + x] as number) + 128) >> 8;
		}
	}
}

/** Draws a border inside the edge of `rect`. */
export function drawBorder(picture: PictureBuffer, rect: Rect, border: Border): void {
	const { red, green, blue, widthPx } = border;
	const levels = [lumaOf(red, green, blue), chromaUOf(red, green, blue), chromaVOf(red, green, blue)] as const;
	const { x, y, width, height } = rect;
	const side = Math.min(widthPx, width / 2, height / 2);
	for (const plane of [0, 1, 2] as const) {
		const shift = plane === 0 ? 0 : 1;
		const to = picture.planes[plane];
		const level = levels[plane];
		fill(picture.bytes, to, x >> shift, y >> shift, width >> shift, side >> shift, level);
		fill(picture.bytes, to, x >> shift, (y + height - side) >> shift, width >> shift, side >> shift, level);
		fill(picture.bytes, to, x >> shift, y >> shift, side >> shift, height >> shift, level);
		fill(picture.bytes, to, (x + width - side) >> shift, y >> shift, side >> shift, height >> shift, level);
	}
}

function fill(
	bytes: Uint8Array,
	plane: PlanePosition,
	x: number,
	y: number,
	width: number,
	height: number,
	level: number,
): void {
	for (let row = 0; row < height; row++) {
		const start = plane.offset + (y + row) * plane.stride + x;
		bytes.fill(level, start, start + width);
	}
}
