import { BROADCAST_STATUSES, type BroadcastStatus, type CommandType } from "../protocol/broadcast-commands.ts";
import { done, type Outcome, type ProblemKind, refused } from "../protocol/problem.ts";

/** What happens to a broadcast: the commands, and its lobby, which opens by the time and closes when the start is put off. */
export type LifecycleStep = CommandType | "open-lobby" | "close-lobby";

type Rule =
	/** Legal, and leads to that status. Where it is the present one, nothing happens: the command is idempotent. */
	| { readonly to: BroadcastStatus }
	/** Legal, and leaves the status as it is. */
	| "keeps"
	/** Refused. */
	| ProblemKind;

type Row = Readonly<Record<BroadcastStatus, Rule>>;

/** What is or will be on air. */
const CHANGE: Row = {
	scheduled: "keeps",
	lobby: "keeps",
	live: "keeps",
	ended: "broadcast-ended",
	cancelled: "broadcast-ended",
};
/** Tidying up, which hurts nobody at any time. */
const ANY: Row = { scheduled: "keeps", lobby: "keeps", live: "keeps", ended: "keeps", cancelled: "keeps" };

/** Which command is legal in which status, and what it leads to: the one place where a broadcast's status changes. */
export const LIFECYCLE: Readonly<Record<LifecycleStep, Row>> = {
	"open-lobby": {
		scheduled: { to: "lobby" },
		lobby: { to: "lobby" },
		live: "already-live",
		ended: "broadcast-ended",
		cancelled: "broadcast-ended",
	},
	"close-lobby": {
		scheduled: { to: "scheduled" },
		lobby: { to: "scheduled" },
		live: "already-live",
		ended: "broadcast-ended",
		cancelled: "broadcast-ended",
	},
	start: {
		scheduled: { to: "live" },
		lobby: { to: "live" },
		live: { to: "live" },
		ended: "broadcast-ended",
		cancelled: "broadcast-ended",
	},
	end: {
		scheduled: { to: "ended" },
		lobby: { to: "ended" },
		live: { to: "ended" },
		ended: { to: "ended" },
		cancelled: "broadcast-ended",
	},
	cancel: {
		scheduled: { to: "cancelled" },
		lobby: { to: "cancelled" },
		live: "already-live",
		ended: "broadcast-ended",
		cancelled: { to: "cancelled" },
	},
	/** Refused while it is live, so that no slip of the hand takes it off air for good. */
	delete: { ...ANY, live: "already-live" },
	update: CHANGE,
	"set-scene": CHANGE,
	"set-person": CHANGE,
	"admit-person": CHANGE,
	"remove-person": CHANGE,
	"renew-credentials": CHANGE,
	"renew-viewers": CHANGE,
	"create-invite": CHANGE,
	"revoke-invite": ANY,
	"redeem-invite": CHANGE,
	"add-destination": CHANGE,
	"update-destination": CHANGE,
	"remove-destination": ANY,
	"add-webhook": ANY,
	"remove-webhook": ANY,
};

/** The status a command leads to, or why it is refused, with the statuses in which it would not be. */
export function statusAfter(status: BroadcastStatus, step: LifecycleStep): Outcome<BroadcastStatus> {
	const rule = LIFECYCLE[step][status];
	if (rule === "keeps") {
		return done(status);
	}
	if (typeof rule === "object") {
		return done(rule.to);
	}
	const expected = legalStatuses(step);
	return refused(
		rule,
		`broadcast: expected one that is ${expected.join(" or ")} to ${step}, got one that is ${status}`,
		{
			expected,
			found: status,
		},
	);
}

export function legalStatuses(step: LifecycleStep): BroadcastStatus[] {
	return BROADCAST_STATUSES.filter(
		(status) => typeof LIFECYCLE[step][status] === "object" || LIFECYCLE[step][status] === "keeps",
	);
}

/** Over, one way or the other: nothing of it goes on air any more. */
export function isOver(status: BroadcastStatus): boolean {
	return status === "ended" || status === "cancelled";
}
