import { chromaUOf, chromaVOf, lumaOf } from "./yuv.ts";

/** Alpha is counted in parts of 256, so that blending shifts where it would divide. */
const OPAQUE = 256;

/** One plane of a graphic: `output = (colour + output * (256 - alpha)) / 256`, with the colour already multiplied by its alpha. */
export interface GraphicPlane {
	readonly width: number;
	readonly height: number;
	readonly colour: Uint16Array;
	/** 256 - alpha. */
	readonly through: Uint16Array;
}

/** A painted graphic, converted for being blended into an I420 picture. */
export interface PlanarGraphic {
	readonly width: number;
	readonly height: number;
	readonly planes: readonly [GraphicPlane, GraphicPlane, GraphicPlane];
	/** Nothing shines through: its colours can be copied as they are, without a look at what is under them. */
	readonly isOpaque: boolean;
}

/** Converts RGBA pixels (not premultiplied, as `ImageData` has them). Width and height are even. */
export function planarGraphic(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number): PlanarGraphic {
	if (width % 2 !== 0 || height % 2 !== 0 || rgba.length < width * height * 4) {
		throw new RangeError(`graphic: expected even sides and all pixels, got ${width}x${height} in ${rgba.length} bytes`);
	}
	const luma = emptyPlane(width, height);
	const chromaU = emptyPlane(width / 2, height / 2);
	const chromaV = emptyPlane(width / 2, height / 2);
	let seeThrough = false;
	for (let y = 0; y < height; y += 2) {
		for (let x = 0; x < width; x += 2) {
			let alphaSum = 0;
			let uSum = 0;
			let vSum = 0;
			for (let corner = 0; corner < 4; corner++) {
				const pixel = (y + (corner >> 1)) * width + x + (corner & 1);
				const red = rgba[pixel * 4] ?? 0;
				const green = rgba[pixel * 4 + 1] ?? 0;
				const blue = rgba[pixel * 4 + 2] ?? 0;
				const alpha = Math.round(((rgba[pixel * 4 + 3] ?? 0) * OPAQUE) / 255);
				luma.colour[pixel] = lumaOf(red, green, blue) * alpha;
				luma.through[pixel] = OPAQUE - alpha;
				alphaSum += alpha;
				uSum += chromaUOf(red, green, blue) * alpha;
				vSum += chromaVOf(red, green, blue) * alpha;
			}
			const sample = (y >> 1) * (width >> 1) + (x >> 1);
			chromaU.colour[sample] = Math.round(uSum / 4);
			chromaV.colour[sample] = Math.round(vSum / 4);
			const through = OPAQUE - Math.round(alphaSum / 4);
			chromaU.through[sample] = through;
			chromaV.through[sample] = through;
			seeThrough ||= alphaSum < 4 * OPAQUE;
		}
	}
	return { width, height, planes: [luma, chromaU, chromaV], isOpaque: !seeThrough };
}

function emptyPlane(width: number, height: number): GraphicPlane {
	return { width, height, colour: new Uint16Array(width * height), through: new Uint16Array(width * height) };
}
