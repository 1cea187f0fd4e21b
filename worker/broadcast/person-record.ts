import type { BroadcastSettings, GuestAdmission } from "../protocol/broadcast-commands.ts";
import { GUEST_IDS, type GuestId, type PersonId } from "../protocol/roles.ts";

/** The host, or one guest's place and who holds it. */
export interface PersonRecord {
	readonly id: PersonId;
	/** On the label and the card. */
	readonly name: string;
	/** Linear, 0 to 4; 1 is unchanged. */
	readonly gain: number;
	readonly muted: boolean;
	/** May be on air. Always true of the host. */
	readonly admitted: boolean;
	/** Tokens carry it; those with another are worth nothing. */
	readonly credentialsVersion: number;
	/** Absent where no key was given out. */
	readonly streamKeyHash?: string;
	/** The invite by which the place is held. */
	readonly inviteId?: string;
	/** Muted by somebody else: they cannot unmute themselves. */
	readonly mutedByOthers?: true;
	/** Since when its holder has the place, where they got it later than the broadcast was made. */
	readonly seatedAtMs?: number;
}

interface NewPeople extends Pick<BroadcastSettings, "hostName" | "guestName" | "maxGuests" | "guestAdmission"> {
	readonly streamKeyHashes: Readonly<Partial<Record<PersonId, string>>>;
}

export function newPeople({ hostName, streamKeyHashes, maxGuests, ...settings }: NewPeople): PersonRecord[] {
	const withKey = (person: PersonRecord): PersonRecord => {
		const streamKeyHash = streamKeyHashes[person.id];
		return streamKeyHash === undefined ? person : { ...person, streamKeyHash };
	};
	const host: PersonRecord = {
		id: "host",
		name: hostName,
		gain: 1,
		muted: false,
		admitted: true,
		credentialsVersion: 1,
	};
	return [host, ...GUEST_IDS.slice(0, maxGuests).map((id) => emptyPlace(id, settings, 1))].map(withKey);
}

/** A guest's place that nobody has a key or a token for: what still comes in its name is not on air. */
export function vacantPlace(
	id: GuestId,
	settings: { readonly guestName: string; readonly guestAdmission: GuestAdmission },
	credentialsVersion: number,
): PersonRecord {
	return { ...emptyPlace(id, settings, credentialsVersion), admitted: false };
}

/** Whether nobody has a key or a token for it. */
export function isVacant({ admitted, streamKeyHash }: PersonRecord): boolean {
	return !admitted && streamKeyHash === undefined;
}

/** A guest's place before anyone has come to it. */
export function emptyPlace(
	id: GuestId,
	{ guestName, guestAdmission }: { readonly guestName: string; readonly guestAdmission: GuestAdmission },
	credentialsVersion: number,
): PersonRecord {
	const number = GUEST_IDS.indexOf(id) + 1;
	return {
		id,
		name: number === 1 ? guestName : `${guestName} ${number}`,
		gain: 1,
		muted: false,
		admitted: guestAdmission === "automatic",
		credentialsVersion,
	};
}
