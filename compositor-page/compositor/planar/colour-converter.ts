import type { Rect } from "../../../media/layout.ts";
import type { PictureMemory } from "../../kernels/picture-memory.ts";
import type { MatrixConversion } from "./matrix-conversion.ts";
import type { MemoryPicture } from "./memory-picture.ts";

/** The kernel counts weights in parts of this, as 16-bit numbers: they may reach four. */
const UNIT = 2 ** 13;

/** Converts the colours of pictures where they lie. There are a few conversions at most (matrices times ranges): what each needs is kept. */
export class ColourConverter {
	readonly #memory: PictureMemory;
	readonly #weights = new Map<MatrixConversion, number>();

	constructor(memory: PictureMemory) {
		this.#memory = memory;
	}

	/** Converts `rect` (even numbers) of a picture. */
	convert(picture: MemoryPicture, rect: Rect, conversion: MatrixConversion): void {
		const weights = this.#weightsOf(conversion);
		this.#memory.kernels.convertColours(
			picture.address(0, rect.x, rect.y),
			picture.planes[0].stride,
			picture.address(1, rect.x >> 1, rect.y >> 1),
			picture.address(2, rect.x >> 1, rect.y >> 1),
			picture.planes[1].stride,
			rect.width >> 1,
			rect.height >> 1,
			weights,
			conversion.lumaZero,
		);
	}

	#weightsOf(conversion: MatrixConversion): number {
		const known = this.#weights.get(conversion);
		if (known !== undefined) {
			return known;
		}
		const { weights } = conversion;
		const address = this.#memory.take(weights.length * Int16Array.BYTES_PER_ELEMENT);
		new Int16Array(this.#memory.bytes.buffer, address, weights.length).set(
			weights.map((weight) => Math.round(weight * UNIT)),
		);
		this.#weights.set(conversion, address);
		return address;
	}
}
