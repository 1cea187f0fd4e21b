import type { EventDraft } from "../../protocol/broadcast-events.ts";
import { type BroadcastRecord, type DestinationRecord, shownDestinations } from "../broadcast-record.ts";
import type { ChangeCause } from "../record-keeper.ts";
import type { Before, Happening } from "./happening.ts";
import { inviteEvents, peopleEvents } from "./people-events.ts";

/** Settings as the API names them, by what the record calls them; those with an event of their own are not here. */
const SETTINGS = {
	title: "title",
	description: "description",
	posterUrl: "posterUrl",
	guestName: "guestName",
	width: "width",
	height: "height",
	frameRate: "frameRate",
	videoBitrateBps: "videoBitrate",
	alwaysCompose: "alwaysCompose",
	holdSeconds: "holdSeconds",
	guestGraceSeconds: "guestGraceSeconds",
	maxGuests: "maxGuests",
	guestAdmission: "guestAdmission",
	startMode: "startMode",
	lobbySeconds: "lobbySeconds",
	noShowSeconds: "noShowSeconds",
	reminderMinutesBefore: "reminderMinutesBefore",
} as const satisfies Partial<Record<keyof BroadcastRecord, string>>;

const HAS_COMPOSITOR: readonly string[] = ["assigned", "running"];

/**
 * Everything that happened to a broadcast from one record to the next, in the order of the table of events. The one place where events come from,
 * but for reminders, which change no record.
 *
 * @param before `undefined` of a new broadcast
 */
export function eventsBetween(
	before: BroadcastRecord | undefined,
	after: BroadcastRecord,
	{ actor, requestId }: ChangeCause,
	nowMs: number,
): EventDraft[] {
	if (before?.deleted) {
		// Of what is cleared away afterwards nobody is told: the last word was said.
		return [];
	}
	const was = before ?? nothingBefore(after);
	const happenings: readonly Happening[] = [
		...(before === undefined ? createdEvents(after) : settingsEvents(before, after)),
		...startEvents(was, after),
		...statusEvents(was, after, nowMs),
		...inviteEvents(was, after),
		...peopleEvents(was, after),
		...sceneEvents(was, after),
		...destinationEvents(was, after),
		...compositorEvents(was, after),
		...programEvents(was, after),
		...webhookEvents(was, after),
		...(after.deleted ? [{ type: "broadcast.deleted", data: {} } as const] : []),
	];
	return happenings.map((happening) => ({ ...happening, actor, ...(requestId === undefined ? {} : { requestId }) }));
}

/** A new broadcast has its people and its scene from the first moment; what else it has came to it. */
function nothingBefore({ people, layout, labels, order, viewerVersion, lease }: BroadcastRecord): Before {
	return {
		people,
		layout,
		labels,
		order,
		viewerVersion,
		lease,
		liveStreams: [],
		call: [],
		invites: [],
		destinations: [],
		webhooks: [],
		programSource: "none",
	};
}

function createdEvents({ title, status, scheduledStartMs }: BroadcastRecord): Happening[] {
	const start = scheduledStartMs === undefined ? {} : { scheduledStartTime: timeOf(scheduledStartMs) };
	return [{ type: "broadcast.created", data: { title, status, ...start } }];
}

function settingsEvents(before: BroadcastRecord, after: BroadcastRecord): Happening[] {
	const keys = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];
	const settings = keys.filter((key) => before[key] !== after[key]).map((key) => SETTINGS[key]);
	return settings.length === 0 ? [] : [{ type: "broadcast.updated", data: { settings } }];
}

function startEvents(before: Before, after: BroadcastRecord): Happening[] {
	const { scheduledStartMs: is } = after;
	const { scheduledStartMs: was } = before;
	if (is === was) {
		return [];
	}
	if (was === undefined && is !== undefined) {
		return [{ type: "broadcast.scheduled", data: { scheduledStartTime: timeOf(is) } }];
	}
	return [{ type: "broadcast.rescheduled", data: { scheduledStartTime: is === undefined ? null : timeOf(is) } }];
}

function statusEvents(before: Before, after: BroadcastRecord, nowMs: number): Happening[] {
	if (before.status === after.status) {
		return [];
	}
	const reason = after.endReason ?? "";
	switch (after.status) {
		case "scheduled":
			// Told by its new start.
			return [];
		case "lobby":
			return [{ type: "broadcast.lobby_opened", data: {} }];
		case "live":
			return [{ type: "broadcast.live", data: { startedAt: timeOf(after.startedAtMs ?? nowMs) } }];
		case "ended":
			return [{ type: "broadcast.ended", data: { reason } }];
		case "cancelled":
			return [{ type: "broadcast.cancelled", data: { reason } }];
	}
}

function sceneEvents(before: Before, { layout, labels, order }: BroadcastRecord): Happening[] {
	const isSame = layout === before.layout && labels === before.labels && order.join() === before.order.join();
	return isSame ? [] : [{ type: "scene.changed", data: { layout, labels, order: [...order] } }];
}

function destinationEvents(before: Before, after: BroadcastRecord): Happening[] {
	const [were, are] = [shownDestinations(before), shownDestinations(after)];
	return [
		...are.filter(({ id }) => !were.some((each) => each.id === id)).map(destinationAdded),
		...are.flatMap((is) => {
			const was = were.find(({ id }) => id === is.id);
			return was === undefined ? [] : destinationChanges(was, is);
		}),
		...were
			.filter(({ id }) => !are.some((each) => each.id === id))
			.map(({ id }) => ({ type: "destination.removed", data: { destinationId: id } }) as const),
	];
}

function destinationAdded({ id, name, service, via, shownUrl }: DestinationRecord): Happening {
	const named = name === undefined ? {} : { name };
	return { type: "destination.added", data: { destinationId: id, ...named, service, via, url: shownUrl } };
}

function destinationChanges(was: DestinationRecord, is: DestinationRecord): Happening[] {
	const changed = [
		...(was.name === is.name ? [] : (["name"] as const)),
		...(was.allowBFrames === is.allowBFrames ? [] : (["allowBFrames"] as const)),
		...(was.sealedAddress === is.sealedAddress ? [] : (["streamKey"] as const)),
	];
	const { id: destinationId, state, lastError } = is;
	const failed = lastError === undefined ? {} : { lastError };
	return [
		...(changed.length === 0 ? [] : [{ type: "destination.updated", data: { destinationId, changed } } as const]),
		...(was.state === state && was.lastError === lastError
			? []
			: [{ type: "destination.state", data: { destinationId, state, ...failed } } as const]),
	];
}

function compositorEvents({ lease: was }: Before, { lease: is }: BroadcastRecord): Happening[] {
	const { fence } = is;
	// The next one is asked for in between: no phase goes straight from one compositor to another.
	const had = HAS_COMPOSITOR.includes(was.phase);
	const isReady = is.phase === "running" && was.phase !== "running";
	return [
		...(HAS_COMPOSITOR.includes(is.phase) && !had ? [{ type: "compositor.assigned", data: { fence } } as const] : []),
		...(isReady ? [{ type: "compositor.ready", data: { fence } } as const] : []),
		...(is.phase === "retrying" && had
			? [{ type: "compositor.lost", data: { fence, reason: is.lastFailure ?? "" } } as const]
			: []),
	];
}

function programEvents(before: Before, { programSource: source }: BroadcastRecord): Happening[] {
	return source === before.programSource ? [] : [{ type: "program.source", data: { source } }];
}

function webhookEvents({ webhooks: were }: Before, { webhooks: are }: BroadcastRecord): Happening[] {
	const isIn = (webhooks: Before["webhooks"], id: string) => webhooks.some(({ webhookId }) => webhookId === id);
	return [
		...are
			.filter(({ webhookId }) => !isIn(were, webhookId))
			.map(({ webhookId, url }) => {
				const origin = URL.parse(url)?.origin ?? "";
				return { type: "webhook.added", data: { webhookId, origin } } as const;
			}),
		...were
			.filter(({ webhookId }) => !isIn(are, webhookId))
			.map(({ webhookId }) => ({ type: "webhook.removed", data: { webhookId } }) as const),
	];
}

function timeOf(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
