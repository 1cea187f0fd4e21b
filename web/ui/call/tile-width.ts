/** The pictures' shape. */
export const TILE_ASPECT = 16 / 9;
/** As in the stylesheet. */
export const TILE_GAP_PX = 12;

/** How wide tiles can be that all fit into a box, in whole pixels: in as many columns as make them largest. */
export function tileWidth(count: number, box: { readonly width: number; readonly height: number }): number {
	let widest = 0;
	for (let columns = 1; columns <= count; columns++) {
		const rows = Math.ceil(count / columns);
		const byWidth = (box.width - TILE_GAP_PX * (columns - 1)) / columns;
		const byHeight = ((box.height - TILE_GAP_PX * (rows - 1)) / rows) * TILE_ASPECT;
		widest = Math.max(widest, Math.min(byWidth, byHeight));
	}
	return Math.max(0, Math.floor(widest));
}
