import type { Rect } from "../../../media/layout.ts";
import type { Picture } from "./picture.ts";

/** Half the distance in chroma between a test card's disc and anything else on it. */
const NEAR_CHROMA = 24;
/** Less is noise. */
const SMALLEST_DISC_PX = 32;

/**
 * Width and height of a disc of one colour inside a rectangle, in pixels, without its roughest edge.
 * @throws Error when nothing there has the colour
 */
export function discShape(
	picture: Picture,
	rect: Rect,
	rgb: readonly [number, number, number],
): { width: number; height: number } {
	const wanted = chromaOf(rgb);
	const left = rect.x / 2;
	const top = rect.y / 2;
	const columns = new Array<number>(rect.width / 2).fill(0);
	const rows = new Array<number>(rect.height / 2).fill(0);
	for (let y = 0; y < rows.length; y++) {
		for (let x = 0; x < columns.length; x++) {
			const at = (top + y) * picture.u.width + left + x;
			const distance = Math.hypot((picture.u.samples[at] ?? 0) - wanted.u, (picture.v.samples[at] ?? 0) - wanted.v);
			if (distance < NEAR_CHROMA) {
				columns[x] = (columns[x] ?? 0) + 1;
				rows[y] = (rows[y] ?? 0) + 1;
			}
		}
	}
	if (Math.max(...columns) < SMALLEST_DISC_PX / 2) {
		throw new Error(`expected a disc of colour ${rgb.join(" ")} in ${JSON.stringify(rect)}, got none`);
	}
	// Lines that the disc hardly touches are noise at its edge.
	const extent = (counts: readonly number[]) => {
		const enough = Math.max(...counts) * 0.1;
		return 2 * (counts.findLastIndex((count) => count > enough) - counts.findIndex((count) => count > enough) + 1);
	};
	return { width: extent(columns), height: extent(rows) };
}

/** Chroma in video range (ITU-R BT.601), which is what ffmpeg makes of an RGB picture unless told otherwise. */
function chromaOf([red, green, blue]: readonly [number, number, number]): { u: number; v: number } {
	return {
		u: 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255,
		v: 128 + (112 * red - 93.786 * green - 18.214 * blue) / 255,
	};
}
