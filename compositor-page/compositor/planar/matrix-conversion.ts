import type { Rect } from "../../../media/layout.ts";
import type { PictureBuffer } from "./picture-buffer.ts";

/** The luma weights of red and blue that define a Y'CbCr matrix. */
interface LumaWeights {
	readonly red: number;
	readonly blue: number;
}

const BT709: LumaWeights = { red: 0.2126, blue: 0.0722 };
/** ITU-R BT.601-7 §2.5.1; the same for the 525 and the 625 line system. */
const BT601: LumaWeights = { red: 0.299, blue: 0.114 };
/** ITU-R BT.2020-2, non-constant luminance. */
const BT2020: LumaWeights = { red: 0.2627, blue: 0.0593 };

/** What a pixel's new values are made of, as tables over the old ones, in 24.8 fixed point. */
export interface MatrixConversion {
	readonly lumaFromY: Int32Array;
	readonly lumaFromU: Int32Array;
	readonly lumaFromV: Int32Array;
	readonly uFromU: Int32Array;
	readonly uFromV: Int32Array;
	readonly vFromU: Int32Array;
	readonly vFromV: Int32Array;
}

type SourceColourSpace = {
	readonly matrix?: string | null | undefined;
	readonly fullRange?: boolean | null | undefined;
};

const conversions = new Map<string, MatrixConversion>();

/**
 * How pictures in `space` become BT.709 limited, or `undefined` where they are that already. What a source does not say is taken for BT.709
 * limited. Primaries and transfer are left as they are: BT.601's and BT.709's differ less than cameras do.
 */
export function conversionToBt709(space: SourceColourSpace): MatrixConversion | undefined {
	const weights = weightsOf(space.matrix);
	const fullRange = space.fullRange === true;
	if (weights === BT709 && !fullRange) {
		return undefined;
	}
	const key = `${weights.red} ${fullRange}`;
	const known = conversions.get(key);
	if (known !== undefined) {
		return known;
	}
	const conversion = conversionTables(weights, fullRange);
	conversions.set(key, conversion);
	return conversion;
}

function weightsOf(matrix: string | null | undefined): LumaWeights {
	switch (matrix) {
		case "smpte170m":
		case "bt470bg":
			return BT601;
		case "bt2020-ncl":
			return BT2020;
		default:
			return BT709;
	}
}

function conversionTables(from: LumaWeights, fullRange: boolean): MatrixConversion {
	const lumaGain = fullRange ? 219 / 255 : 1;
	const chromaGain = fullRange ? 224 / 255 : 1;
	const lumaZero = fullRange ? 0 : 16;
	/** Chroma levels to luma levels, both in limited range. */
	const toLuma = 219 / 224;
	// With R' = Y + 2(1-Kr)·V and B' = Y + 2(1-Kb)·U, on signals of unit range, everything below is linear in Y, U and V.
	const greenFrom = 1 - from.red - from.blue;
	const greenTo = 1 - BT709.red - BT709.blue;
	const redOfV = 2 * (1 - from.red);
	const blueOfU = 2 * (1 - from.blue);
	const greenOfU = (-from.blue * blueOfU) / greenFrom;
	const greenOfV = (-from.red * redOfV) / greenFrom;
	const lumaOfU = BT709.blue * blueOfU + greenTo * greenOfU;
	const lumaOfV = BT709.red * redOfV + greenTo * greenOfV;
	const uScale = 1 / (2 * (1 - BT709.blue));
	const vScale = 1 / (2 * (1 - BT709.red));
	return {
		lumaFromY: table((level) => (level - lumaZero) * lumaGain + 16 + 0.5),
		lumaFromU: table((level) => (level - 128) * chromaGain * lumaOfU * toLuma),
		lumaFromV: table((level) => (level - 128) * chromaGain * lumaOfV * toLuma),
		uFromU: table((level) => (level - 128) * chromaGain * (blueOfU - lumaOfU) * uScale + 128 + 0.5),
		uFromV: table((level) => (level - 128) * chromaGain * -lumaOfV * uScale),
		vFromU: table((level) => (level - 128) * chromaGain * -lumaOfU * vScale),
		vFromV: table((level) => (level - 128) * chromaGain * (redOfV - lumaOfV) * vScale + 128 + 0.5),
	};
}

function table(value: (level: number) => number): Int32Array {
	return Int32Array.from({ length: 256 }, (_, level) => Math.round(value(level) * 256));
}

/** Converts `rect` (even numbers) of a picture in place. */
export function convertMatrix(picture: PictureBuffer, rect: Rect, conversion: MatrixConversion): void {
	const { lumaFromY, lumaFromU, lumaFromV, uFromU, uFromV, vFromU, vFromV } = conversion;
	const { bytes } = picture;
	const [luma, chromaU, chromaV] = picture.planes;
	for (let y = 0; y < rect.height; y += 2) {
		const lumaRow = luma.offset + (rect.y + y) * luma.stride + rect.x;
		const uRow = chromaU.offset + ((rect.y + y) >> 1) * chromaU.stride + (rect.x >> 1);
		const vRow = chromaV.offset + ((rect.y + y) >> 1) * chromaV.stride + (rect.x >> 1);
		for (let x = 0; x < rect.width; x += 2) {
			const u = bytes[uRow + (x >> 1)] as number;
			const v = bytes[vRow + (x >> 1)] as number;
			const shift = (lumaFromU[u] as number) + (lumaFromV[v] as number);
			const top = lumaRow + x;
			const bottom = top + luma.stride;
			bytes[top] = level((lumaFromY[bytes[top] as number] as number) + shift);
			bytes[top + 1] = level((lumaFromY[bytes[top + 1] as number] as number) + shift);
			bytes[bottom] = level((lumaFromY[bytes[bottom] as number] as number) + shift);
			bytes[bottom + 1] = level((lumaFromY[bytes[bottom + 1] as number] as number) + shift);
			bytes[uRow + (x >> 1)] = level((uFromU[u] as number) + (uFromV[v] as number));
			bytes[vRow + (x >> 1)] = level((vFromU[u] as number) + (vFromV[v] as number));
		}
	}
}

function level(fixed: number): number {
	const whole = fixed >> 8;
	return Math.min(Math.max(whole, 0), 255);
}
