/** Pictures that the tests encode, as I420 without gaps: made anew from their number wherever they are needed. */

export type Content = "card" | "noise";

type I420 = Uint8Array<ArrayBuffer>;

/** Noise takes long to make: it is made once, and pictures begin at different places in it. */
let noisePool: I420 = new Uint8Array(0);
const NOISE_OFFSETS = 0x1_0000;
/** Odd, so that no two of 65,536 pictures are the same, and no multiple of a width. */
const NOISE_STEP = 7_919;

export function madePicture(content: Content, width: number, height: number, index: number): I420 {
	return content === "card" ? movingCard(width, height, index) : noise(width, height, index);
}

/** Luma ramps with a bright square that moves: easy to encode, and each frame differs from the last. */
function movingCard(width: number, height: number, index: number): I420 {
	const bytes = new Uint8Array((width * height * 3) / 2);
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			bytes[y * width + x] = 40 + Math.floor((120 * x) / width) + Math.floor((40 * y) / height);
		}
	}
	const side = Math.floor(height / 4);
	const left = (index * 6) % (width - side);
	for (let y = side; y < 2 * side; y++) {
		bytes.fill(220, y * width + left, y * width + left + side);
	}
	const chroma = width * height;
	bytes.fill(110, chroma, chroma + chroma / 4);
	bytes.fill(150, chroma + chroma / 4);
	return bytes;
}

/** A part of the pool, another for each number. */
function noise(width: number, height: number, index: number): I420 {
	const bytes = (width * height * 3) / 2;
	if (noisePool.length < bytes + NOISE_OFFSETS) {
		noisePool = makeNoise(bytes + NOISE_OFFSETS);
	}
	const offset = (index * NOISE_STEP) % NOISE_OFFSETS;
	return noisePool.slice(offset, offset + bytes);
}

/** From a generator of its own, so that every run encodes the same (Numerical Recipes' constants). */
function makeNoise(length: number): I420 {
	const bytes = new Uint8Array(length);
	let state = 2_654_435_761;
	for (let at = 0; at < length; at++) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		bytes[at] = (state >>> 24) & 0xff;
	}
	return bytes;
}
