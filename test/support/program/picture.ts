import type { Rect } from "../../../media/layout.ts";

/** One plane of 8-bit samples, row by row without gaps. */
export interface Plane {
	readonly width: number;
	readonly height: number;
	readonly samples: Uint8Array;
}

/** A decoded picture, I420 as the decoder gave it: no conversion of colour stands between the picture and what is measured. */
export interface Picture {
	readonly y: Plane;
	readonly u: Plane;
	readonly v: Plane;
}

export interface Colour {
	readonly y: number;
	readonly u: number;
	readonly v: number;
}

export function pictureFromI420(bytes: Uint8Array, width: number, height: number): Picture {
	const lumaBytes = width * height;
	const chroma = { width: width / 2, height: height / 2 };
	const chromaBytes = lumaBytes / 4;
	return {
		y: { width, height, samples: bytes.subarray(0, lumaBytes) },
		u: { ...chroma, samples: bytes.subarray(lumaBytes, lumaBytes + chromaBytes) },
		v: { ...chroma, samples: bytes.subarray(lumaBytes + chromaBytes, lumaBytes + 2 * chromaBytes) },
	};
}

export function i420Bytes(width: number, height: number): number {
	return (width * height * 3) / 2;
}

/** Mean colour of a rectangle (even numbers). */
export function meanColour(picture: Picture, rect: Rect): Colour {
	const half = { x: rect.x / 2, y: rect.y / 2, width: rect.width / 2, height: rect.height / 2 };
	return { y: meanOf(picture.y, rect), u: meanOf(picture.u, half), v: meanOf(picture.v, half) };
}

/** The largest difference of any component. */
export function colourDistance(a: Colour, b: Colour): number {
	return Math.max(Math.abs(a.y - b.y), Math.abs(a.u - b.u), Math.abs(a.v - b.v));
}

export function meanOf(plane: Plane, rect: Rect): number {
	let sum = 0;
	for (let row = rect.y; row < rect.y + rect.height; row++) {
		for (let at = row * plane.width + rect.x; at < row * plane.width + rect.x + rect.width; at++) {
			sum += plane.samples[at] ?? 0;
		}
	}
	return sum / (rect.width * rect.height);
}

/** A part of a plane, copied. */
export function cropPlane(plane: Plane, rect: Rect): Plane {
	const samples = new Uint8Array(rect.width * rect.height);
	for (let row = 0; row < rect.height; row++) {
		const from = (rect.y + row) * plane.width + rect.x;
		samples.set(plane.samples.subarray(from, from + rect.width), row * rect.width);
	}
	return { width: rect.width, height: rect.height, samples };
}

/** A rectangle less `px` on every side, in even numbers: keeps what encoders smear over an edge out of a measurement. */
export function inset(rect: Rect, px: number): Rect {
	return { x: rect.x + px, y: rect.y + px, width: rect.width - 2 * px, height: rect.height - 2 * px };
}
