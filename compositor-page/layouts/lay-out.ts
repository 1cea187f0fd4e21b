import type { LayoutName, Rect } from "../../media/layout.ts";

/** A frame inside the edge of a place, over the picture. */
export interface Border {
	/** Even, so that it falls on whole chroma samples. */
	readonly widthPx: number;
	/** Of the corners, outside; even. What is under the place shows in them. */
	readonly radiusPx: number;
	readonly red: number;
	readonly green: number;
	readonly blue: number;
}

/** Where one person is shown. Places with a higher `z` cover those with a lower one. */
export interface Place<Id extends string = string> {
	readonly id: Id;
	readonly rect: Rect;
	readonly z: number;
	readonly border?: Border;
}

export interface OutputSize {
	readonly width: number;
	readonly height: number;
}

export interface LayOutOptions {
	/** Width of an inset as a share of the output's; by default a quarter, or a third of an upright picture. */
	readonly insetShare?: number;
}

const WHITE = { red: 255, green: 255, blue: 255 } as const;
/** At 720 lines: 24 pixels of margin around insets, 4 of border, corners of 12. */
const INSET_MARGIN_SHARE = 1 / 30;
const BORDER_SHARE = 1 / 240;
const RADIUS_SHARE = 1 / 60;
/** More than this side by side would leave strips too narrow for a face. */
const MAX_IN_ONE_ROW = 3;
const SMALLEST_SIDE_PX = 16;

/**
 * Rectangles for people, in their order, in a picture of `size`. Together they cover it exactly, insets lie on top, and every number is even.
 * One person fills the picture in any layout; nobody gives no places. Throws on a size that is odd or smaller than 16 pixels.
 */
export function layOut<Id extends string>(
	layout: LayoutName,
	size: OutputSize,
	personIds: readonly Id[],
	options: LayOutOptions = {},
): { readonly places: readonly Place<Id>[] } {
	checkSide("width", size.width);
	checkSide("height", size.height);
	const [first, ...others] = personIds;
	if (first === undefined) {
		return { places: [] };
	}
	const full = { id: first, rect: { x: 0, y: 0, width: size.width, height: size.height }, z: 0 };
	if (others.length === 0) {
		return { places: [full] };
	}
	switch (layout) {
		case "solo":
			return { places: [full] };
		case "pip":
			return { places: [full, ...insets(size, others, options)] };
		case "landscape":
			return { places: lines(size, personIds, "rows") };
		case "vertical":
			return { places: lines(size, personIds, "columns") };
		case "grid":
			return { places: grid(size, personIds) };
	}
}

/** Rows of as many people each as make their places about the shape of the picture; the last row is shared by those who are left. */
function grid<Id extends string>(size: OutputSize, ids: readonly Id[]): Place<Id>[] {
	const root = Math.sqrt(ids.length);
	const isUpright = size.height > size.width;
	// Two in an upright picture are stacked; more stand in pairs at least, or each would be a strip.
	const perRow = isUpright ? Math.max(ids.length > 2 ? 2 : 1, Math.floor(root)) : Math.ceil(root);
	const rows = splitEvenly(size.height, Math.ceil(ids.length / perRow));
	return rows.flatMap((row, rowIndex) => {
		const rowIds = ids.slice(rowIndex * perRow, (rowIndex + 1) * perRow);
		const parts = splitEvenly(size.width, rowIds.length);
		return rowIds.map((id, index) => {
			const part = parts[index] ?? { start: 0, length: size.width };
			return { id, rect: { x: part.start, y: row.start, width: part.length, height: row.length }, z: 0 };
		});
	});
}

/** Lines of people, as even in number as can be: rows from top to bottom, or columns from left to right. */
function lines<Id extends string>(size: OutputSize, ids: readonly Id[], kind: "rows" | "columns"): Place<Id>[] {
	const lineCount = ids.length <= MAX_IN_ONE_ROW ? 1 : Math.round(Math.sqrt(ids.length));
	const [along, across] = kind === "rows" ? [size.width, size.height] : [size.height, size.width];
	return splitEvenly(across, lineCount).flatMap((line, lineIndex) => {
		const from = Math.round((ids.length * lineIndex) / lineCount);
		const to = Math.round((ids.length * (lineIndex + 1)) / lineCount);
		const lineIds = ids.slice(from, to);
		const parts = splitEvenly(along, lineIds.length);
		return lineIds.map((id, index) => {
			const part = parts[index] ?? { start: 0, length: along };
			const rect =
				kind === "rows"
					? { x: part.start, y: line.start, width: part.length, height: line.length }
					: { x: line.start, y: part.start, width: line.length, height: part.length };
			return { id, rect, z: 0 };
		});
	});
}

/** Pictures of the output's shape, from the bottom right corner upwards. */
function insets<Id extends string>(size: OutputSize, ids: readonly Id[], options: LayOutOptions): Place<Id>[] {
	const shorter = Math.min(size.width, size.height);
	const margin = nearestEven(shorter * INSET_MARGIN_SHARE);
	const wanted = options.insetShare ?? (size.width >= size.height ? 1 / 4 : 1 / 3);
	/** Rounded down: what is rounded up for each of several does not fit for all. */
	const room = Math.max(2, Math.floor((size.height - margin * (ids.length + 1)) / ids.length / 2) * 2);
	const share = Math.min(wanted, room / size.height);
	const width = nearestEven(size.width * share);
	const height = Math.min(nearestEven(size.height * share), room);
	const border = {
		widthPx: nearestEven(shorter * BORDER_SHARE),
		radiusPx: nearestEven(shorter * RADIUS_SHARE),
		...WHITE,
	};
	return ids.map((id, index) => ({
		id,
		rect: {
			x: size.width - margin - width,
			y: size.height - (margin + height) * (index + 1),
			width,
			height,
		},
		z: index + 1,
		border,
	}));
}

/** Parts that cover `total` exactly, each even and within two of the others. */
function splitEvenly(total: number, count: number): { start: number; length: number }[] {
	const edges = Array.from({ length: count + 1 }, (_, index) => Math.round((total * index) / count / 2) * 2);
	return edges.slice(1).map((edge, index) => {
		const start = edges[index] ?? 0;
		return { start, length: edge - start };
	});
}

function nearestEven(value: number): number {
	return Math.max(2, Math.round(value / 2) * 2);
}

function checkSide(name: string, value: number): void {
	if (!Number.isInteger(value) || value % 2 !== 0 || value < SMALLEST_SIDE_PX) {
		throw new RangeError(`layout: expected an even ${name} of at least ${SMALLEST_SIDE_PX}, got ${value}`);
	}
}
