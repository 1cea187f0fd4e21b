import { layOut } from "../../../compositor-page/layouts/lay-out.ts";
import type { LayoutName, Rect } from "../../../media/layout.ts";
import { TALKERS, type Talker } from "../system/talkers.ts";
import { type Colour, colourDistance, cropPlane, inset, meanColour, type Picture, type Plane } from "./picture.ts";
import { pictureAt, pictureSize } from "./pictures.ts";
import { ssim } from "./ssim.ts";

/** Share of a place, from its top, that no label and no inset covers. */
const CLEAR_SHARE = 2 / 3;
/** Keeps a border and what an encoder smears over an edge out of the comparison. */
const EDGE_PX = 8;
/** An encoder keeps the mean colour of a place to one or two of 255. */
const MAX_COLOUR_DISTANCE = 6;

/** What one person's place should show, and where. */
export interface ExpectedPlace {
	readonly id: Talker;
	readonly rect: Rect;
	/** The part of the output that is compared, and what it should look like. */
	readonly compared: Rect;
	readonly plane: Plane;
	readonly colour: Colour;
}

export type ExpectedLayout = readonly ExpectedPlace[];

/** Each person's source, cropped to the shape of the place and scaled by ffmpeg: independent of how the compositor does it. */
export async function expectedLayout(
	layout: LayoutName,
	size: { readonly width: number; readonly height: number },
	sources: Readonly<Record<Talker, string>>,
): Promise<ExpectedLayout> {
	const { places } = layOut(layout, size, TALKERS);
	return Promise.all(
		places.map(async ({ id, rect }) => {
			const whole = await pictureAt(sources[id], 10, {
				filters: cropToFillFilter(await pictureSize(sources[id]), rect),
				size: rect,
			});
			const compared = clearPart(rect);
			const local = { ...compared, x: compared.x - rect.x, y: compared.y - rect.y };
			return { id, rect, compared, plane: cropPlane(whole.y, local), colour: meanColour(whole, local) };
		}),
	);
}

/** How alike the least alike of all places is: the SSIM of its brightness, 0 where its colour is another. */
export function likeness(picture: Picture, expected: ExpectedLayout): number {
	return Math.min(
		...expected.map(({ compared, plane, colour }) =>
			colourDistance(meanColour(picture, compared), colour) > MAX_COLOUR_DISTANCE
				? 0
				: ssim(cropPlane(picture.y, compared), plane),
		),
	);
}

/** The part of a place that shows the person and nothing over them. */
export function clearPart(rect: Rect): Rect {
	const upper = { ...rect, height: Math.floor((rect.height * CLEAR_SHARE) / 2) * 2 };
	return inset(upper, EDGE_PX);
}

/** ffmpeg's filters for the largest centred part of a source that has the shape of a place, at the size of the place. */
export function cropToFillFilter(source: { width: number; height: number }, place: Rect): string {
	const scale = Math.max(place.width / source.width, place.height / source.height);
	const width = Math.min(source.width, Math.round(place.width / scale / 2) * 2);
	const height = Math.min(source.height, Math.round(place.height / scale / 2) * 2);
	return `crop=${width}:${height},scale=${place.width}:${place.height}:flags=bicubic`;
}
