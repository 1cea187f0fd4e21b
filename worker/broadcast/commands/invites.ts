import { hashesMatch } from "../../auth/secret.ts";
import type { Limits } from "../../limits.ts";
import type { BroadcastCommand, NewInvite } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import { type GuestId, guestIdSchema } from "../../protocol/roles.ts";
import type { BroadcastRecord, InviteRecord } from "../broadcast-record.ts";
import { emptyPlace, type PersonRecord, vacantPlace } from "../person-record.ts";
import { graceEndsMs, isLive } from "../presence.ts";
import type { Applied } from "./applied.ts";
import { disconnected, vacated, withCredentials } from "./people.ts";

export function createInvite(
	record: BroadcastRecord,
	{ type: _, ...invite }: { readonly type: "create-invite" } & NewInvite,
	nowMs: number,
	{ maxInvites }: Pick<Limits, "maxInvites">,
): Outcome<Applied> {
	const kept =
		record.invites.length < maxInvites ? record.invites : record.invites.filter((each) => isGood(each, nowMs));
	if (kept.length >= maxInvites) {
		return refused("too-many", `invite: expected at most ${maxInvites} good ones a broadcast, got one more`);
	}
	return done({ record: { ...record, invites: [...kept, { ...invite, createdAtMs: nowMs, uses: 0 }] } });
}

/** Whoever came by it has to go as well. */
export function revokeInvite(record: BroadcastRecord, inviteId: string, nowMs: number): Outcome<Applied> {
	const invite = record.invites.find((each) => each.inviteId === inviteId);
	if (invite === undefined) {
		return refused("not-found", "invite: expected one of this broadcast's, got an id that is none of them");
	}
	if (invite.revokedAtMs !== undefined) {
		return done({ record });
	}
	const revoked = record.invites.map((each) => (each === invite ? { ...each, revokedAtMs: nowMs } : each));
	const holders = record.people.filter((person) => person.inviteId === inviteId);
	const freed = (person: PersonRecord): PersonRecord =>
		holders.includes(person)
			? vacantPlace(guestIdSchema.parse(person.id), record, person.credentialsVersion + 1)
			: person;
	const without = done({ record: { ...record, invites: revoked, people: record.people.map(freed) } });
	return holders.reduce<Outcome<Applied>>(
		(outcome, { id }) => vacated(outcome, guestIdSchema.parse(id), nowMs),
		without,
	);
}

/** Gives the first place that nobody holds. */
export function redeemInvite(
	record: BroadcastRecord,
	{ codeHash, name, streamKeyHash }: Extract<BroadcastCommand, { type: "redeem-invite" }>,
	nowMs: number,
): Outcome<Applied> {
	const invite = record.invites.find((each) => hashesMatch(codeHash, each.codeHash));
	if (invite === undefined) {
		return refused("unauthorized", "invite: expected a code of this broadcast's, got another");
	}
	const fault = whyNotGood(invite, nowMs);
	if (fault !== undefined) {
		return refused("invite-expired", `invite: expected one that is good, got one that ${fault}`);
	}
	const place = record.people.find((person) => person.id !== "host" && isFree(record, person, nowMs));
	if (place === undefined) {
		return refused("too-many", `invite: expected a free place among ${record.maxGuests}, got none`);
	}
	const id = guestIdSchema.parse(place.id);
	const settings = { guestName: record.guestName, guestAdmission: invite.admission ?? record.guestAdmission };
	const shownName = name ?? invite.name;
	const seated: PersonRecord = {
		...emptyPlace(id, settings, place.credentialsVersion + 1),
		...(shownName === undefined ? {} : { name: shownName }),
		inviteId: invite.inviteId,
		seatedAtMs: nowMs,
		streamKeyHash: streamKeyHash[id],
	};
	const people = record.people.map((person) => (person === place ? seated : person));
	const invites = record.invites.map((each) => (each === invite ? { ...each, uses: each.uses + 1 } : each));
	const seating = disconnected(done({ record: { ...record, people, invites } }), id);
	return withPlace(withCredentials(seating, id), id);
}

function withPlace(outcome: Outcome<Applied>, personId: GuestId): Outcome<Applied> {
	return outcome.ok ? done({ ...outcome.value, personId }) : outcome;
}

/** Held by no invite, and nobody who has a key from elsewhere is there, or may come back any moment. */
function isFree(record: BroadcastRecord, { id, inviteId }: PersonRecord, nowMs: number): boolean {
	return inviteId === undefined && !isLive(record, id) && nowMs >= (graceEndsMs(record, id) ?? nowMs);
}

function isGood(invite: InviteRecord, nowMs: number): boolean {
	return whyNotGood(invite, nowMs) === undefined;
}

function whyNotGood({ revokedAtMs, expiresAtMs, uses, maxUses }: InviteRecord, nowMs: number): string | undefined {
	if (revokedAtMs !== undefined) {
		return "was revoked";
	}
	if (nowMs >= expiresAtMs) {
		return "has expired";
	}
	return uses >= maxUses ? "has been used as often as it may" : undefined;
}
