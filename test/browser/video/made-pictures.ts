/** Pictures that the tests encode, as I420 without gaps: made anew from their number wherever they are needed. */

export type Content = "card" | "noise";

type I420 = Uint8Array<ArrayBuffer>;

/** Noise takes long to make, and four pictures of it are as hard to foretell as any number. */
const NOISE_PICTURES = 4;
const noisePictures = new Map<string, I420>();

export function madePicture(content: Content, width: number, height: number, index: number): I420 {
	return content === "card" ? movingCard(width, height, index) : noise(width, height, index % NOISE_PICTURES);
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

/** From a generator of its own, so that every run encodes the same (Numerical Recipes' constants). */
function noise(width: number, height: number, index: number): I420 {
	const key = `${width}x${height} ${index}`;
	const known = noisePictures.get(key);
	if (known !== undefined) {
		return known;
	}
	const bytes = new Uint8Array((width * height * 3) / 2);
	let state = (index + 1) * 2_654_435_761;
	for (let at = 0; at < bytes.length; at++) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		bytes[at] = (state >>> 24) & 0xff;
	}
	noisePictures.set(key, bytes);
	return bytes;
}
