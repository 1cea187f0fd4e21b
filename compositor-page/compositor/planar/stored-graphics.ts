import type { Graphic } from "../../graphics/graphic.ts";
import { contextOf } from "../../graphics/graphic.ts";
import { RecentlyUsed } from "../../graphics/recently-used.ts";
import type { PictureMemory } from "../../kernels/picture-memory.ts";
import { type PlanarGraphic, planarGraphic } from "./planar-graphic.ts";

/** Graphics of a program at a time: its background, and a label or card for each of a dozen people. */
const MAX_GRAPHICS = 32;

/** Addresses of one plane of a graphic: as levels to be copied, or to be blended as `colour + under * through`. */
export type StoredPlane =
	| { readonly kind: "opaque"; readonly width: number; readonly levels: number }
	| { readonly kind: "seeThrough"; readonly width: number; readonly colour: number; readonly through: number };

/** A graphic where the kernels reach it. */
export interface StoredGraphic {
	readonly width: number;
	readonly height: number;
	readonly planes: readonly [StoredPlane, StoredPlane, StoredPlane];
	/** What is to be given back. */
	readonly address: number;
}

/** Graphics converted once and kept in the kernels' memory, the least used given up where there are too many. */
export class StoredGraphics {
	readonly #memory: PictureMemory;
	readonly #stored: RecentlyUsed<Graphic, StoredGraphic>;

	constructor(memory: PictureMemory) {
		this.#memory = memory;
		this.#stored = new RecentlyUsed(MAX_GRAPHICS, ({ address }) => memory.giveBack(address));
	}

	/** Good until the next call. */
	of(graphic: Graphic): StoredGraphic {
		return this.#stored.get(graphic, () => this.#convert(graphic));
	}

	#convert(graphic: Graphic): StoredGraphic {
		const { width, height } = graphic;
		const pixels = contextOf(graphic.canvas, {}).getImageData(0, 0, width, height);
		return storeGraphic(this.#memory, planarGraphic(pixels.data, width, height));
	}
}

/** Copies a converted graphic to where the kernels reach it. */
export function storeGraphic(memory: PictureMemory, { width, height, isOpaque, planes }: PlanarGraphic): StoredGraphic {
	const samples = planes.reduce((sum, { colour }) => sum + colour.length, 0);
	const address = memory.take(isOpaque ? samples : 4 * samples);
	let at = address;
	const stored = planes.map((plane): StoredPlane => {
		const { length } = plane.colour;
		if (isOpaque) {
			memory.bytes.set(
				plane.colour.map((colour) => (colour + 128) >> 8),
				at,
			);
			at += length;
			return { kind: "opaque", width: plane.width, levels: at - length };
		}
		new Uint16Array(memory.bytes.buffer, at, length).set(plane.colour);
		new Uint16Array(memory.bytes.buffer, at + 2 * length, length).set(plane.through);
		at += 4 * length;
		return { kind: "seeThrough", width: plane.width, colour: at - 4 * length, through: at - 2 * length };
	});
	const [luma, chromaU, chromaV] = stored;
	if (luma === undefined || chromaU === undefined || chromaV === undefined) {
		throw new Error(`graphic: expected 3 planes, got ${stored.length}`);
	}
	return { width, height, planes: [luma, chromaU, chromaV], address };
}
