import { guestIdSchema, PERSON_IDS } from "../../protocol/roles.ts";
import { type BroadcastRecord, personOf } from "../broadcast-record.ts";
import { isVacant, type PersonRecord } from "../person-record.ts";
import { isLive } from "../presence.ts";
import type { Before, Happening } from "./happening.ts";

/** Invites that were made, used and taken back. */
export function inviteEvents(before: Before, after: BroadcastRecord): Happening[] {
	return after.invites.flatMap((invite): Happening[] => {
		const was = before.invites.find(({ inviteId }) => inviteId === invite.inviteId);
		const { inviteId, name, maxUses, expiresAtMs, admission, uses, revokedAtMs } = invite;
		const made: Happening = {
			type: "invite.created",
			data: {
				inviteId,
				...(name === undefined ? {} : { name }),
				maxUses,
				expiresAt: new Date(expiresAtMs).toISOString(),
				...(admission === undefined ? {} : { admission }),
			},
		};
		const isRevoked = revokedAtMs !== undefined && was?.revokedAtMs === undefined;
		return [
			...(was === undefined ? [made] : []),
			...(uses > (was?.uses ?? 0) ? redeemedEvents(inviteId, before, after) : []),
			...(isRevoked ? [{ type: "invite.revoked", data: { inviteId } } as const] : []),
		];
	});
}

/** Who came by it just now. */
function redeemedEvents(inviteId: string, before: Before, after: BroadcastRecord): Happening[] {
	return after.people
		.filter((person) => person.inviteId === inviteId && isReseated(personOf(before, person.id), person))
		.map(({ id, name }) => ({
			type: "invite.redeemed",
			data: { inviteId, personId: guestIdSchema.parse(id), name },
		}));
}

/** Credentials made anew, then who left, who was removed, changed and admitted, and who joined. */
export function peopleEvents(before: Before, after: BroadcastRecord): Happening[] {
	const places = PERSON_IDS.map((personId) => ({
		personId,
		was: personOf(before, personId),
		is: personOf(after, personId),
	}));
	const stayed = places.flatMap(({ personId, was, is }) =>
		was === undefined || is === undefined ? [] : [{ personId, was, is }],
	);
	const renewed = stayed.filter(({ was, is }) => isRenewed(was, is)).map(({ personId }) => personId);
	const viewers = after.viewerVersion > before.viewerVersion ? (["viewer"] as const) : [];
	const left = PERSON_IDS.filter((id) => isLive(before, id) && !isLive(after, id));
	const removed = places.filter(({ was, is }) => isRemoved(was, is)).map(({ personId }) => personId);
	const admitted = places.filter(({ was, is }) => is?.admitted && !was?.admitted && isHeld(is));
	const joined = PERSON_IDS.filter((id) => !isLive(before, id) && isLive(after, id));
	return [
		...[...renewed, ...viewers].map((personId) => ({ type: "credentials.renewed", data: { personId } }) as const),
		...left.map((personId) => ({ type: "person.left", data: { personId } }) as const),
		...removed.map((personId) => ({ type: "person.removed", data: { personId } }) as const),
		...stayed.flatMap(({ was, is }) => updatedEvents(was, is)),
		...admitted.map(({ personId }) => ({ type: "person.admitted", data: { personId } }) as const),
		...joined.map((personId) => ({ type: "person.joined", data: { personId } }) as const),
	];
}

/** Somebody's place is free now, or is no more. */
function isRemoved(was: PersonRecord | undefined, is: PersonRecord | undefined): boolean {
	if (was === undefined || (is !== undefined && !isVacant(is))) {
		return false;
	}
	// A place that was free may have been held by a token from before: then what opens it was made worthless.
	return !isVacant(was) || (is !== undefined && is.credentialsVersion > was.credentialsVersion);
}

function isRenewed(was: PersonRecord, is: PersonRecord): boolean {
	return is.credentialsVersion > was.credentialsVersion && isHeld(is) && !isReseated(was, is);
}

/** Another holder: what is different about the place is theirs, and no change to anybody. */
function isReseated(was: PersonRecord | undefined, is: PersonRecord): boolean {
	if (was === undefined) {
		return true;
	}
	const isAnother = is.inviteId !== was.inviteId || is.seatedAtMs !== was.seatedAtMs;
	return is.inviteId !== undefined && is.credentialsVersion > was.credentialsVersion && isAnother;
}

function isHeld(person: PersonRecord): boolean {
	return person.id === "host" || !isVacant(person);
}

function updatedEvents(was: PersonRecord, is: PersonRecord): Happening[] {
	if (isRemoved(was, is) || isReseated(was, is)) {
		return [];
	}
	const changes = {
		...(was.name === is.name ? {} : { name: is.name }),
		...(was.gain === is.gain ? {} : { gain: is.gain }),
		...(was.muted === is.muted ? {} : { muted: is.muted }),
	};
	return Object.keys(changes).length === 0 ? [] : [{ type: "person.updated", data: { personId: is.id, ...changes } }];
}
