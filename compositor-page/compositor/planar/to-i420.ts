import type { Kernels } from "../../kernels/kernels.ts";
import type { MemoryPicture } from "./memory-picture.ts";
import type { PictureBuffer } from "./picture-buffer.ts";
import { chromaUOf, chromaVOf, lumaOf } from "./yuv.ts";

/** Pixels of other formats in memory, as `VideoFrame.copyTo` lays them out, into I420. All widths and heights are those of the picture. */

export interface RawPlane {
	readonly offset: number;
	readonly stride: number;
}

/** Byte positions of red, green and blue in a pixel of four bytes. */
export type ChannelOrder = "RGB" | "BGR";

/** NV12, from an address of the kernels' memory: luma, then a plane of alternating U and V. */
export function nv12ToI420(
	kernels: Kernels,
	source: number,
	planes: readonly RawPlane[],
	picture: MemoryPicture,
): void {
	const [luma, chroma] = planes;
	if (luma === undefined || chroma === undefined) {
		throw new Error(`nv12: expected 2 planes, got ${planes.length}`);
	}
	const { width, height } = picture;
	const [toLuma, toChroma] = picture.planes;
	kernels.copyPlane(source + luma.offset, luma.stride, picture.address(0), toLuma.stride, width, height);
	kernels.splitPairs(
		source + chroma.offset,
		chroma.stride,
		picture.address(1),
		picture.address(2),
		toChroma.stride,
		width >> 1,
		height >> 1,
	);
}

/** Three planes with at least as much chroma as I420 has, averaged; a fourth, with alpha, is left out. Shifts: I422 1 and 0, I444 0 and 0. */
export function planarToI420(
	source: Uint8Array,
	planes: readonly RawPlane[],
	chroma: { readonly widthShift: 0 | 1; readonly heightShift: 0 | 1 },
	picture: PictureBuffer,
): void {
	const luma = planes[0];
	if (luma === undefined) {
		throw new Error(`planar frame: expected 3 planes, got ${planes.length}`);
	}
	copyLuma(source, luma, picture);
	const right = 1 - chroma.widthShift;
	const below = 1 - chroma.heightShift;
	for (const plane of [1, 2] as const) {
		const from = planes[plane];
		const to = picture.planes[plane];
		if (from === undefined) {
			throw new Error(`planar frame: expected 3 planes, got ${planes.length}`);
		}
		for (let y = 0; y < picture.height >> 1; y++) {
			const top = from.offset + y * (1 + below) * from.stride;
			const bottom = top + below * from.stride;
			for (let x = 0; x < picture.width >> 1; x++) {
				const at = x * (1 + right);
				const sum =
					(source[top + at] as number) +
					(source[top + at + right] as number) +
					(source[bottom + at] as number) +
					(source[bottom + at + right] as number);
				picture.bytes[to.offset + y * to.stride + x] = (sum + 2) >> 2;
			}
		}
	}
}

/** Pixels of four bytes, red or blue first; the fourth byte is ignored. The result is BT.709 limited. */
export function packedToI420(
	source: Uint8Array | Uint8ClampedArray,
	plane: RawPlane,
	order: ChannelOrder,
	picture: PictureBuffer,
): void {
	const red = order === "RGB" ? 0 : 2;
	const blue = 2 - red;
	const { bytes } = picture;
	const [toY, toU, toV] = picture.planes;
	for (let y = 0; y < picture.height; y += 2) {
		const lumaRow = toY.offset + y * toY.stride;
		const uRow = toU.offset + (y >> 1) * toU.stride;
		const vRow = toV.offset + (y >> 1) * toV.stride;
		for (let x = 0; x < picture.width; x += 2) {
			const top = plane.offset + y * plane.stride + x * 4;
			let redSum = 2;
			let greenSum = 2;
			let blueSum = 2;
			for (let corner = 0; corner < 4; corner++) {
				const pixel = top + (corner >> 1) * plane.stride + (corner & 1) * 4;
				const r = source[pixel + red] as number;
				const g = source[pixel + 1] as number;
				const b = source[pixel + blue] as number;
				bytes[lumaRow + (corner >> 1) * toY.stride + x + (corner & 1)] = lumaOf(r, g, b);
				redSum += r;
				greenSum += g;
				blueSum += b;
			}
			bytes[uRow + (x >> 1)] = chromaUOf(redSum >> 2, greenSum >> 2, blueSum >> 2);
			bytes[vRow + (x >> 1)] = chromaVOf(redSum >> 2, greenSum >> 2, blueSum >> 2);
		}
	}
}

function copyLuma(source: Uint8Array, from: RawPlane, picture: PictureBuffer): void {
	const to = picture.planes[0];
	for (let y = 0; y < picture.height; y++) {
		const start = from.offset + y * from.stride;
		picture.bytes.set(source.subarray(start, start + picture.width), to.offset + y * to.stride);
	}
}
