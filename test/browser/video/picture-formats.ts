/** Frames of one test card in every pixel format, made without the code under test. */

export type Rgb = readonly [red: number, green: number, blue: number];
export type CardFormat = "I420" | "NV12" | "I420A" | "I422" | "I444" | "RGBA" | "BGRX";
export type CardMatrix = "bt709" | "smpte170m";

export interface CardOptions {
	readonly width: number;
	readonly height: number;
	/** Colours of the quarters: top left, top right, bottom left, bottom right. */
	readonly quarters: readonly [Rgb, Rgb, Rgb, Rgb];
	readonly format?: CardFormat;
	readonly matrix?: CardMatrix;
	readonly fullRange?: boolean;
	/** A white disc in the middle, this high as a share of the card; round as displayed. */
	readonly disc?: number;
	readonly displayWidth?: number;
	/** Magenta around the card, inside the coded picture and outside the visible one. */
	readonly padding?: number;
}

const MAGENTA: Rgb = [255, 0, 255];
const WHITE: Rgb = [255, 255, 255];

/** A frame with the card; the one who asked closes it. */
export function cardFrame(options: CardOptions, timestamp = 0): VideoFrame {
	const { width, height, padding = 0 } = options;
	const whole = wholeFrame(options, timestamp);
	try {
		// From memory, the browser would keep the visible part only; cut out of a frame, the rest stays in the coded picture.
		return new VideoFrame(whole, {
			visibleRect: { x: padding, y: padding, width, height },
			displayWidth: options.displayWidth ?? width,
			displayHeight: height,
		});
	} finally {
		whole.close();
	}
}

function wholeFrame(options: CardOptions, timestamp: number): VideoFrame {
	const { width, height, format = "I420", matrix = "bt709", fullRange = false, padding = 0 } = options;
	const codedWidth = width + 2 * padding;
	const codedHeight = height + 2 * padding;
	const colourAt = (x: number, y: number): Rgb => cardColour(options, x - padding, y - padding);
	const common = { codedWidth, codedHeight, timestamp };
	if (format === "RGBA" || format === "BGRX") {
		const bytes = new Uint8Array(codedWidth * codedHeight * 4);
		forEachPixel(codedWidth, codedHeight, (x, y) => {
			const [red, green, blue] = colourAt(x, y);
			const at = (y * codedWidth + x) * 4;
			bytes[at] = format === "RGBA" ? red : blue;
			bytes[at + 1] = green;
			bytes[at + 2] = format === "RGBA" ? blue : red;
			bytes[at + 3] = 255;
		});
		return new VideoFrame(bytes, { ...common, format });
	}
	const known = new Map<Rgb, Rgb>();
	const levels = (x: number, y: number): Rgb => {
		const colour = colourAt(x, y);
		const found = known.get(colour) ?? yuvOf(colour, matrix, fullRange);
		known.set(colour, found);
		return found;
	};
	return new VideoFrame(planarBytes(format, codedWidth, codedHeight, levels), {
		...common,
		format,
		colorSpace: { matrix, fullRange, primaries: "bt709", transfer: "bt709" },
	});
}

function cardColour(options: CardOptions, x: number, y: number): Rgb {
	const { width, height, quarters, disc = 0, displayWidth = width } = options;
	if (x < 0 || y < 0 || x >= width || y >= height) {
		return MAGENTA;
	}
	const pixelAspect = displayWidth / width;
	if (Math.hypot((x + 0.5 - width / 2) * pixelAspect, y + 0.5 - height / 2) < (disc * height) / 2) {
		return WHITE;
	}
	return quarters[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] as Rgb;
}

function planarBytes(
	format: Exclude<CardFormat, "RGBA" | "BGRX">,
	width: number,
	height: number,
	levels: (x: number, y: number) => Rgb,
): Uint8Array<ArrayBuffer> {
	const shiftX = format === "I444" ? 0 : 1;
	const shiftY = format === "I444" || format === "I422" ? 0 : 1;
	const chromaWidth = (width + shiftX) >> shiftX;
	const chromaHeight = (height + shiftY) >> shiftY;
	const luma = new Uint8Array(width * height);
	const u = new Uint8Array(chromaWidth * chromaHeight);
	const v = new Uint8Array(chromaWidth * chromaHeight);
	forEachPixel(width, height, (x, y) => {
		const [level, blueDifference, redDifference] = levels(x, y);
		luma[y * width + x] = level;
		const chroma = (y >> shiftY) * chromaWidth + (x >> shiftX);
		u[chroma] = blueDifference;
		v[chroma] = redDifference;
	});
	if (format === "NV12") {
		const both = new Uint8Array(u.length * 2);
		u.forEach((value, at) => {
			both.set([value, v[at] ?? 0], at * 2);
		});
		return joined([luma, both]);
	}
	return joined(format === "I420A" ? [luma, u, v, new Uint8Array(width * height).fill(255)] : [luma, u, v]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

/** ITU-R BT.709-6 §3 and BT.601-7 §2.5, in floating point. */
function yuvOf([red, green, blue]: Rgb, matrix: CardMatrix, fullRange: boolean): Rgb {
	const [kr, kb] = matrix === "bt709" ? [0.2126, 0.0722] : [0.299, 0.114];
	const luma = (kr * red + (1 - kr - kb) * green + kb * blue) / 255;
	const u = (blue / 255 - luma) / (2 * (1 - kb));
	const v = (red / 255 - luma) / (2 * (1 - kr));
	const scaled = fullRange
		? [luma * 255, u * 255 + 128, v * 255 + 128]
		: [luma * 219 + 16, u * 224 + 128, v * 224 + 128];
	const [y = 0, cb = 0, cr = 0] = scaled.map((value) => Math.max(0, Math.min(255, Math.round(value))));
	return [y, cb, cr];
}

function forEachPixel(width: number, height: number, visit: (x: number, y: number) => void): void {
	for (let y = 0; y < height; y++) {
		for (let x = 0; x < width; x++) {
			visit(x, y);
		}
	}
}
