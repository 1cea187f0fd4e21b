/**
 * A picture painted once, with transparency. Its sides are even. It owns its canvas and is never changed after painting, so that whoever blends
 * it may keep a converted copy by identity.
 */
export interface Graphic {
	readonly width: number;
	readonly height: number;
	readonly canvas: OffscreenCanvas;
}

export type GraphicContext = OffscreenCanvasRenderingContext2D;

/** Paints a graphic of `width` × `height`, each rounded up to an even number. */
export function paintGraphic(
	width: number,
	height: number,
	paint: (context: GraphicContext, width: number, height: number) => void,
): Graphic {
	const evenWidth = Math.max(2, Math.ceil(width / 2) * 2);
	const evenHeight = Math.max(2, Math.ceil(height / 2) * 2);
	const canvas = new OffscreenCanvas(evenWidth, evenHeight);
	// Read back at least once by the planar compositor, and small: kept in memory rather than on a GPU.
	const context = contextOf(canvas, { willReadFrequently: true });
	paint(context, evenWidth, evenHeight);
	return { width: evenWidth, height: evenHeight, canvas };
}

/** Throws when the browser gives no 2D context, as it may under memory pressure. */
export function contextOf(canvas: OffscreenCanvas, settings: CanvasRenderingContext2DSettings): GraphicContext {
	const context = canvas.getContext("2d", settings);
	if (context === null) {
		throw new Error(`canvas: expected a 2D context of ${canvas.width}x${canvas.height}, got none`);
	}
	return context;
}
