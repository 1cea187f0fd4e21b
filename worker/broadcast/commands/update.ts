import { MS_PER_SECOND } from "../../../media/units.ts";
import type { BroadcastSettings, SettingsChanges } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import { GUEST_IDS } from "../../protocol/roles.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import { statusAfter } from "../lifecycle.ts";
import { emptyPlace, type PersonRecord, vacantPlace } from "../person-record.ts";
import { isLive } from "../presence.ts";
import type { Applied } from "./applied.ts";
import { closeLobby, openLobby } from "./lifecycle-commands.ts";

/** Fixed once it is on air: a destination takes no other picture in mid-stream, and what has begun cannot be scheduled. */
const ONLY_BEFORE_LIVE = [
	"width",
	"height",
	"frameRate",
	"videoBitrateBps",
	"startMode",
	"scheduledStartMs",
	"lobbySeconds",
	"noShowSeconds",
	"reminderMinutesBefore",
] as const satisfies readonly (keyof BroadcastSettings)[];
type FixedSetting = (typeof ONLY_BEFORE_LIVE)[number];

/** What the API calls otherwise. */
const API_NAMES: Readonly<Partial<Record<FixedSetting, string>>> = {
	videoBitrateBps: "videoBitrate",
	scheduledStartMs: "scheduledStartTime",
};

/** Settings that the list of broadcasts shows or is searched by. */
const INDEXED: readonly string[] = ["title", "description", "hostName", "layout", "scheduledStartMs"];

/** Changes settings; those that are the same change nothing. */
export function update(record: BroadcastRecord, changes: SettingsChanges, nowMs: number): Outcome<Applied> {
	const wanted = Object.entries(changes).filter(([, value]) => value !== undefined);
	const fixed = record.status === "live" ? ONLY_BEFORE_LIVE.filter((key) => isAnother(record, changes, key)) : [];
	if (fixed.length > 0) {
		const names = fixed.map((key) => API_NAMES[key] ?? key).join(", ");
		return refused("wrong-state", `broadcast: expected ${names} to be set before it is live, got it live`, {
			expected: ["scheduled", "lobby"],
			found: record.status,
		});
	}
	const { hostName, guestName, maxGuests, scheduledStartMs, ...others } = changes;
	const plain = Object.entries(others).filter(([, value]) => value !== undefined && value !== null);
	const gone = Object.entries(others).flatMap(([key, value]) => (value === null ? [key] : []));
	const kept = Object.fromEntries(
		Object.entries(record).filter(([key]) => !gone.includes(key)),
	) as unknown as BroadcastRecord;
	const settled: BroadcastRecord = { ...kept, ...Object.fromEntries(plain) };
	const admitted = withAdmission(settled, record.guestAdmission);
	const seated = withPlaces(withNames(admitted, hostName, guestName), maxGuests ?? settled.maxGuests);
	if (!seated.ok) {
		return seated;
	}
	const timed = withStart(seated.value, scheduledStartMs, nowMs);
	if (!timed.ok) {
		return timed;
	}
	const touchesIndex = wanted.some(([key]) => INDEXED.includes(key));
	return done({ record: touchesIndex ? { ...timed.value, indexed: false } : timed.value });
}

/** Whether a setting is asked for that is not what it is: those that are the same change nothing, in any status. */
function isAnother(record: BroadcastRecord, changes: SettingsChanges, key: FixedSetting): boolean {
	const value = changes[key];
	return value !== undefined && value !== (record[key] ?? null);
}

/**
 * Who is on air, or may come back to it any moment, stays admitted; of the others, those who hold a key or a token wait from now on, or wait no
 * more.
 */
function withAdmission(record: BroadcastRecord, before: BroadcastRecord["guestAdmission"]): BroadcastRecord {
	const { guestAdmission, expected } = record;
	if (guestAdmission === before) {
		return record;
	}
	const judged = (person: PersonRecord): PersonRecord => {
		const isUntouched = person.id === "host" || person.streamKeyHash === undefined || expected.includes(person.id);
		return isUntouched ? person : { ...person, admitted: guestAdmission === "automatic" };
	};
	return { ...record, people: record.people.map(judged) };
}

/** A name that was given to the place itself, and not to whoever holds it, changes with the setting. */
function withNames(
	record: BroadcastRecord,
	hostName: string | undefined,
	guestName: string | undefined,
): BroadcastRecord {
	const before = record.guestName;
	const named = (person: PersonRecord): PersonRecord => {
		if (person.id === "host") {
			return hostName === undefined ? person : { ...person, name: hostName };
		}
		const isUnchanged = guestName === undefined || person.name !== emptyPlace(person.id, record, 1).name;
		return isUnchanged ? person : { ...person, name: person.name.replace(before, () => guestName) };
	};
	return { ...record, people: record.people.map(named), ...(guestName === undefined ? {} : { guestName }) };
}

function withPlaces(record: BroadcastRecord, maxGuests: number): Outcome<BroadcastRecord> {
	const ids = GUEST_IDS.slice(0, maxGuests);
	const tooFew = record.people.find(
		({ id, inviteId }) => id !== "host" && !ids.includes(id) && (inviteId !== undefined || isLive(record, id)),
	);
	if (tooFew !== undefined) {
		return refused(
			"wrong-state",
			`broadcast: expected no one in the places that go, got ${tooFew.id}: remove them first`,
			{ expected: ["free"], found: "taken" },
		);
	}
	const people = [
		...record.people.filter(({ id }) => id === "host"),
		// A version above all that the place may have had before it went: each of them raised the broadcast's as well.
		...ids.map((id) => record.people.find((person) => person.id === id) ?? vacantPlace(id, record, record.version + 1)),
	];
	const gone = record.people.map(({ id }) => id).filter((id) => !people.some((person) => person.id === id));
	const toDisconnect = gone.length === 0 ? record.toDisconnect : [...new Set([...record.toDisconnect, ...gone])];
	const order = record.order.filter((id) => id === "host" || ids.includes(id));
	return done({ ...record, maxGuests, people, order, toDisconnect });
}

/** A broadcast with a start that is ahead waits for its lobby to open again; one without has an open lobby. */
function withStart(
	record: BroadcastRecord,
	startMs: number | null | undefined,
	nowMs: number,
): Outcome<BroadcastRecord> {
	if (startMs === undefined || startMs === (record.scheduledStartMs ?? null)) {
		return done(record);
	}
	const { scheduledStartMs: _, ...rest } = record;
	const timed: BroadcastRecord = {
		...rest,
		...(startMs === null ? {} : { scheduledStartMs: startMs }),
		rescheduled: record.rescheduled + 1,
	};
	const isOpen = startMs === null || nowMs >= startMs - record.lobbySeconds * MS_PER_SECOND;
	const legal = statusAfter(record.status, isOpen ? "open-lobby" : "close-lobby");
	if (!legal.ok) {
		return legal;
	}
	const moved = isOpen ? openLobby(timed) : closeLobby(timed);
	return moved.ok ? done(moved.value.record) : moved;
}
