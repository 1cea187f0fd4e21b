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

/** How a pixel's new values come from its old ones, from which {@link lumaZero} and 128 are taken first, and to which 16 and 128 are added. */
export interface MatrixConversion {
	/** Of luma from Y, U and V; of U from U and V; of V from U and V. */
	readonly weights: readonly [number, number, number, number, number, number, number];
	/** Level of black. */
	readonly lumaZero: 0 | 16;
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
	const conversion = conversionFrom(weights, fullRange);
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

function conversionFrom(from: LumaWeights, fullRange: boolean): MatrixConversion {
	const lumaGain = fullRange ? 219 / 255 : 1;
	const chromaGain = fullRange ? 224 / 255 : 1;
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
		lumaZero: fullRange ? 0 : 16,
		weights: [
			lumaGain,
			chromaGain * lumaOfU * toLuma,
			chromaGain * lumaOfV * toLuma,
			chromaGain * (blueOfU - lumaOfU) * uScale,
			chromaGain * -lumaOfV * uScale,
			chromaGain * -lumaOfU * vScale,
			chromaGain * (redOfV - lumaOfV) * vScale,
		],
	};
}
