import type {
	BroadcastView,
	DestinationView,
	InviteView,
	PersonView,
	WebhookView,
} from "../protocol/broadcast-commands.ts";
import {
	type BroadcastRecord,
	type DestinationRecord,
	type InviteRecord,
	shownDestinations,
	type WebhookRecord,
} from "./broadcast-record.ts";
import type { PersonRecord } from "./person-record.ts";
import { isLive } from "./presence.ts";

/** What the API may show of a record: nothing that opens anything. */
export function broadcastView(record: BroadcastRecord): BroadcastView {
	const { id, status, version, title, layout, width, height, frameRate, videoBitrateBps } = record;
	const { description, posterUrl, scheduledStartMs, startedAtMs, endedAtMs, endReason } = record;
	const { alwaysCompose, holdSeconds, guestGraceSeconds, maxGuests, guestAdmission, guestName } = record;
	const { startMode, lobbySeconds, noShowSeconds, reminderMinutesBefore, labels, order } = record;
	return {
		id,
		status,
		version,
		title,
		...(description === undefined ? {} : { description }),
		...(posterUrl === undefined ? {} : { posterUrl }),
		hostName: record.people.find((person) => person.id === "host")?.name ?? "",
		guestName,
		layout,
		width,
		height,
		frameRate,
		videoBitrateBps,
		alwaysCompose,
		holdSeconds,
		guestGraceSeconds,
		maxGuests,
		guestAdmission,
		startMode,
		...(scheduledStartMs === undefined ? {} : { scheduledStartMs }),
		lobbySeconds,
		noShowSeconds,
		reminderMinutesBefore,
		labels,
		order,
		people: record.people.map((person) => personView(record, person)),
		createdAtMs: record.createdAtMs,
		...(startedAtMs === undefined ? {} : { startedAtMs }),
		...(endedAtMs === undefined ? {} : { endedAtMs }),
		...(endReason === undefined ? {} : { endReason }),
		liveStreams: record.liveStreams,
		programSource: record.programSource,
		destinations: shownDestinations(record).map(destinationView),
	};
}

function personView(record: BroadcastRecord, person: PersonRecord): PersonView {
	const { id, name, gain, muted, admitted, inviteId, credentialsVersion } = person;
	return {
		id,
		name,
		gain,
		muted,
		admitted,
		live: isLive(record, id),
		...(inviteId === undefined ? {} : { inviteId }),
		credentialsVersion,
	};
}

export function destinationView(destination: DestinationRecord): DestinationView {
	const { id, name, service, via, shownUrl, hasStreamKey, allowBFrames, state, lastError } = destination;
	return {
		id,
		...(name === undefined ? {} : { name }),
		service,
		via,
		url: shownUrl,
		hasStreamKey,
		allowBFrames,
		state,
		...(lastError === undefined ? {} : { lastError }),
	};
}

export function inviteView(invite: InviteRecord, guestAdmission: InviteView["admission"]): InviteView {
	const { inviteId, codeHash: _, admission = guestAdmission, ...shown } = invite;
	return { id: inviteId, ...shown, admission };
}

export function webhookView({ webhookId, url, events, createdAtMs }: WebhookRecord): WebhookView {
	return { id: webhookId, url, events, createdAtMs };
}
