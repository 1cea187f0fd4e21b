import { publishedStreamNameSchema } from "../protocol/roles.ts";
import { type BroadcastRecord, NOTHING_HEARD } from "./broadcast-record.ts";
import { newPeople } from "./person-record.ts";

/** How broadcasts were made before they could choose: always composed, by hand, with one guest. */
const CHOICES_BEFORE = {
	alwaysCompose: true,
	holdSeconds: 120,
	guestGraceSeconds: 10,
	maxGuests: 1,
	guestAdmission: "automatic",
	startMode: "manual",
	lobbySeconds: 600,
	noShowSeconds: 3_600,
	reminderMinutesBefore: 15,
} as const;

const DESTINATION_CHOICES_BEFORE = { allowBFrames: true, resume: false, service: "custom", via: "edge" } as const;

/** What a record may have held in an older version of the system. */
interface StoredBefore {
	readonly hostName?: string;
	readonly streamKeyHashes?: Parameters<typeof newPeople>[0]["streamKeyHashes"];
}

/** A record as it is read back: one that an older version of the system stored, before a deploy, gets what it lacks. */
export function restoredRecord(stored: BroadcastRecord & StoredBefore): BroadcastRecord {
	const { hostName = "Host", streamKeyHashes = {}, ...same } = stored;
	const restored = { ...NOTHING_HEARD, ...CHOICES_BEFORE, ...same };
	return {
		...restored,
		people: stored.people ?? newPeople({ ...restored, hostName, streamKeyHashes }),
		liveStreams: stored.liveStreams.filter((stream) => publishedStreamNameSchema.safeParse(stream).success),
		destinations: stored.destinations.map((destination) => ({ ...DESTINATION_CHOICES_BEFORE, ...destination })),
	};
}
