import type { Rect } from "../../../media/layout.ts";
import type { Kernels } from "../../kernels/kernels.ts";
import type { MemoryPicture } from "./memory-picture.ts";
import type { StoredGraphic } from "./stored-graphics.ts";

/** Blends a graphic into a picture with its top left corner at (x, y), both even. What lies outside `clip` (even numbers) is left out. */
export function blendGraphic(
	kernels: Kernels,
	picture: MemoryPicture,
	graphic: StoredGraphic,
	x: number,
	y: number,
	clip: Rect,
): void {
	const left = Math.max(x, clip.x);
	const top = Math.max(y, clip.y);
	const right = Math.min(x + graphic.width, clip.x + clip.width);
	const bottom = Math.min(y + graphic.height, clip.y + clip.height);
	if (left >= right || top >= bottom) {
		return;
	}
	for (const plane of [0, 1, 2] as const) {
		const shift = plane === 0 ? 0 : 1;
		const stored = graphic.planes[plane];
		const width = (right - left) >> shift;
		const height = (bottom - top) >> shift;
		const first = ((top - y) >> shift) * stored.width + ((left - x) >> shift);
		const into = picture.address(plane, left >> shift, top >> shift);
		const { stride } = picture.planes[plane];
		if (stored.kind === "opaque") {
			kernels.copyPlane(stored.levels + first, stored.width, into, stride, width, height);
		} else {
			const { colour, through } = stored;
			kernels.blendPlane(colour + 2 * first, through + 2 * first, stored.width, into, stride, width, height);
		}
	}
}
