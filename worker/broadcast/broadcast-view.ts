import { hostOf } from "../destinations/placement.ts";
import { onlyWay } from "../destinations/services.ts";
import { destinationWarnings } from "../destinations/warnings.ts";
import type {
	BroadcastView,
	DestinationView,
	InviteView,
	PersonView,
	WebhookView,
} from "../protocol/broadcast-commands.ts";
import {
	AUDIO_BITRATE_BPS,
	type BroadcastRecord,
	type DestinationRecord,
	type InviteRecord,
	KEY_FRAME_INTERVAL_S,
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
		destinations: shownDestinations(record).map((destination) => destinationView(destination, record)),
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

export function destinationView(destination: DestinationRecord, record: BroadcastRecord): DestinationView {
	const { id, name, service, via, shownUrl, hasStreamKey, allowBFrames, state, lastError } = destination;
	const only = onlyWay(service, hostOf(shownUrl));
	return {
		id,
		...(name === undefined ? {} : { name }),
		service,
		via,
		...(only === undefined ? {} : { viaReason: only.reason }),
		url: shownUrl,
		hasStreamKey,
		allowBFrames,
		state,
		...(lastError === undefined ? {} : { lastError }),
		warnings: warningsOf(destination, record),
	};
}

export function warningsOf(destination: DestinationRecord, record: BroadcastRecord): DestinationView["warnings"] {
	const { width, height, frameRate, videoBitrateBps } = record;
	return destinationWarnings(destination, {
		width,
		height,
		frameRate,
		videoBitrateBps,
		audioBitrateBps: AUDIO_BITRATE_BPS,
		keyFrameIntervalS: KEY_FRAME_INTERVAL_S,
	});
}

export function inviteView(invite: InviteRecord, guestAdmission: InviteView["admission"]): InviteView {
	const { inviteId, codeHash: _, admission = guestAdmission, ...shown } = invite;
	return { id: inviteId, ...shown, admission };
}

export function webhookView({ webhookId, url, events, createdAtMs }: WebhookRecord): WebhookView {
	return { id: webhookId, url, events, createdAtMs };
}
