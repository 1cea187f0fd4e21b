import type { Scene } from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { ComposedPlace, CompositionInput, Picture } from "../compositor/compositor.ts";
import type { GraphicsCache } from "../graphics/graphics-cache.ts";
import { labelPosition } from "../graphics/label.ts";
import { layOut, type Place } from "../layouts/lay-out.ts";

const STARTING_SOON = { title: "Starting soon" };
const BACK_SOON = "Will be right back";

/** What is needed of a `GraphicsCache`. */
export type SceneGraphics = Pick<GraphicsCache, "label" | "card" | "background">;

/** What there is to show of a person on air: their picture, or nothing but their card. */
export interface OnAirPerson {
	readonly id: PersonId;
	readonly frame: VideoFrame | undefined;
}

/**
 * What the output picture is made of: the scene's layout with the people on air, who fill it in the scene's order. Somebody who was never seen
 * has no place; somebody whose picture is gone keeps theirs, with a card, and a guest for as long as they are expected back.
 */
export function composeScene(scene: Scene, onAir: readonly OnAirPerson[], graphics: SceneGraphics): CompositionInput {
	const size = { width: scene.width, height: scene.height };
	const ids = shownIds(scene, onAir);
	const places = layOut(scene.layout, size, ids).places.flatMap((place) => {
		const person = scene.people.find(({ id }) => id === place.id);
		const shown = onAir.find(({ id }) => id === place.id);
		return person === undefined || shown === undefined
			? []
			: [fill(place, { name: person.name, isLabelled: scene.labels !== false }, shown.frame, graphics)];
	});
	return { ...size, background: graphics.background(size, ids.length === 0 ? STARTING_SOON : {}), places };
}

/** Lines of each person's place in the output; who has none is not in it. */
export function placeHeights(scene: Scene, onAir: readonly OnAirPerson[]): ReadonlyMap<PersonId, number> {
	const size = { width: scene.width, height: scene.height };
	const { places } = layOut(scene.layout, size, shownIds(scene, onAir));
	return new Map(places.map(({ id, rect }) => [id, rect.height]));
}

/** A guest who has left for good leaves their place to the others, where there are any: a row of cards is no show. */
function shownIds({ people }: Scene, onAir: readonly OnAirPerson[]): PersonId[] {
	const shown = people.flatMap((person) => {
		const there = onAir.find(({ id }) => id === person.id);
		return there === undefined ? [] : [{ ...person, hasPicture: there.frame !== undefined }];
	});
	const isAnyoneThere = shown.some(({ hasPicture, expected }) => hasPicture || expected);
	return shown
		.filter(({ id, hasPicture, expected }) => hasPicture || expected || id === "host" || !isAnyoneThere)
		.map(({ id }) => id);
}

function fill(
	place: Place<PersonId>,
	person: { readonly name: string; readonly isLabelled: boolean },
	frame: VideoFrame | undefined,
	graphics: SceneGraphics,
): ComposedPlace {
	const { rect, z, border } = place;
	const common = { rect, z, ...(border === undefined ? {} : { border }) };
	if (frame === undefined) {
		return { ...common, picture: { kind: "card", card: graphics.card(person.name, BACK_SOON, rect) } };
	}
	const picture: Picture = { kind: "frame", frame };
	const graphic = person.isLabelled ? graphics.label(person.name, rect) : undefined;
	return graphic === undefined
		? { ...common, picture }
		: { ...common, picture, label: { graphic, ...labelPosition(rect, graphic) } };
}
