import type { Graphic } from "../../../compositor-page/graphics/graphic.ts";
import { contextOf } from "../../../compositor-page/graphics/graphic.ts";
import { GraphicsCache } from "../../../compositor-page/graphics/graphics-cache.ts";

/** What the tests of labels, cards and backgrounds run in the browser. */

export interface PaintRequest {
	readonly kind: "label" | "card" | "background";
	readonly text: string;
	readonly note?: string;
	readonly width: number;
	readonly height: number;
}

export interface Painted {
	readonly width: number;
	readonly height: number;
	/** RGBA, not premultiplied. */
	readonly pixels: Uint8Array;
}

export function paint(request: PaintRequest): Painted | undefined {
	const graphic = paintOne(new GraphicsCache(), request);
	return graphic === undefined ? undefined : paintedOf(graphic);
}

/** The number of different graphics that the cache gives for requests made twice over, and for the first of them at the end. */
export function paintTwice(requests: readonly PaintRequest[]): { first: number; second: number; afterClose: boolean } {
	const cache = new GraphicsCache();
	const first = requests.map((request) => paintOne(cache, request));
	const second = requests.map((request) => paintOne(cache, request));
	cache.close();
	const [again] = requests.map((request) => paintOne(cache, request));
	return {
		first: new Set(first).size,
		second: second.filter((graphic) => !first.includes(graphic)).length,
		afterClose: again !== first[0],
	};
}

function paintOne(cache: GraphicsCache, { kind, text, note, width, height }: PaintRequest): Graphic | undefined {
	switch (kind) {
		case "label":
			return cache.label(text, { width, height });
		case "card":
			return cache.card(text, note ?? "", { width, height });
		case "background":
			return cache.background({ width, height }, { title: text, note: note ?? "" });
	}
}

function paintedOf({ canvas, width, height }: Graphic): Painted {
	const { data } = contextOf(canvas, {}).getImageData(0, 0, width, height);
	return { width, height, pixels: new Uint8Array(data.buffer) };
}
