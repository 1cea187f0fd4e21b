import { paintBorder, paintMask } from "../../graphics/border.ts";
import { contextOf, type Graphic } from "../../graphics/graphic.ts";
import { RecentlyUsed } from "../../graphics/recently-used.ts";
import type { PictureMemory } from "../../kernels/picture-memory.ts";
import type { Border } from "../../layouts/lay-out.ts";
import { type GraphicPlane, type PlanarGraphic, planarGraphic } from "./planar-graphic.ts";
import { type StoredGraphic, storeGraphic } from "./stored-graphics.ts";

/** Insets of one program have one size, and another after a change of layout; a few programs share a compositor. */
const MAX_FRAMES = 8;
/** Alpha of what is opaque. */
const OPAQUE = 256;

/** What goes around a place's picture: the mask it is seen through and the line at its edge, where the kernels reach them. */
export interface StoredFrame {
	readonly line: StoredGraphic;
	/** Address of each plane's mask, of 16-bit values from 0 to 256, as wide as the place. */
	readonly masks: readonly [number, number, number];
	/** Of the masks. */
	readonly address: number;
}

/** Frames painted once for each size and border, and kept in the kernels' memory. */
export class StoredFrames {
	readonly #memory: PictureMemory;
	readonly #stored: RecentlyUsed<string, StoredFrame>;

	constructor(memory: PictureMemory) {
		this.#memory = memory;
		this.#stored = new RecentlyUsed(MAX_FRAMES, ({ address, line }) => {
			memory.giveBack(address);
			memory.giveBack(line.address);
		});
	}

	/** Good until the next call. */
	of(border: Border, place: { readonly width: number; readonly height: number }): StoredFrame {
		const { widthPx, radiusPx, red, green, blue } = border;
		const key = [widthPx, radiusPx, red, green, blue, place.width, place.height].join(" ");
		return this.#stored.get(key, () => this.#paint(border, place));
	}

	#paint(border: Border, place: { readonly width: number; readonly height: number }): StoredFrame {
		const line = storeGraphic(this.#memory, converted(paintBorder(border, place)));
		const { planes } = converted(paintMask(border, place));
		const [luma, chromaU, chromaV] = planes.map(alphaOf);
		if (luma === undefined || chromaU === undefined || chromaV === undefined) {
			throw new Error(`border: expected 3 planes, got ${planes.length}`);
		}
		const address = this.#memory.take(luma.byteLength + chromaU.byteLength + chromaV.byteLength);
		const { buffer } = this.#memory.bytes;
		const masks = [address, address + luma.byteLength, address + luma.byteLength + chromaU.byteLength] as const;
		for (const [index, alpha] of [luma, chromaU, chromaV].entries()) {
			new Uint16Array(buffer, masks[index], alpha.length).set(alpha);
		}
		return { line, masks, address };
	}
}

function converted(graphic: Graphic): PlanarGraphic {
	const { canvas, width, height } = graphic;
	return planarGraphic(contextOf(canvas, {}).getImageData(0, 0, width, height).data, width, height);
}

function alphaOf({ through }: GraphicPlane): Uint16Array {
	return through.map((each) => OPAQUE - each);
}
