import type { Limits } from "../../limits.ts";
import type { BroadcastCommand, CommandContext } from "../../protocol/broadcast-commands.ts";
import type { Outcome } from "../../protocol/problem.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import type { Applied } from "./applied.ts";
import { addDestination, removeDestination, updateDestination } from "./destinations.ts";
import { createInvite, redeemInvite, revokeInvite } from "./invites.ts";
import { cancel, end, remove, start } from "./lifecycle-commands.ts";
import { admitPerson, removePerson, renewCredentials, renewViewers, setPerson } from "./people.ts";
import { setScene } from "./scene.ts";
import { update } from "./update.ts";
import { addWebhook, removeWebhook } from "./webhooks.ts";

/** Carries out a command that is legal in the record's status (`lifecycle.ts`). Each area has a file of its own beside this one. */
export function applyCommand(
	record: BroadcastRecord,
	command: BroadcastCommand,
	{ actor }: CommandContext,
	nowMs: number,
	limits: Limits,
): Outcome<Applied> {
	switch (command.type) {
		case "update":
			return update(record, command.changes, nowMs);
		case "start":
			return start(record, nowMs);
		case "end":
			return end(record, command.reason ?? `ended by ${inWords(actor)}`, nowMs);
		case "cancel":
			return cancel(record, command.reason ?? `cancelled by ${inWords(actor)}`, nowMs);
		case "delete":
			return remove(record);
		case "set-scene":
			return setScene(record, command);
		case "set-person":
			return setPerson(record, command, actor);
		case "admit-person":
			return admitPerson(record, command.personId, nowMs);
		case "remove-person":
			return removePerson(record, command.personId, nowMs);
		case "renew-credentials":
			return renewCredentials(record, command, nowMs);
		case "renew-viewers":
			return renewViewers(record);
		case "create-invite":
			return createInvite(record, command, nowMs, limits);
		case "revoke-invite":
			return revokeInvite(record, command.inviteId, nowMs);
		case "redeem-invite":
			return redeemInvite(record, command, nowMs);
		case "add-destination":
			return addDestination(record, command, limits);
		case "update-destination":
			return updateDestination(record, command);
		case "remove-destination":
			return removeDestination(record, command.destinationId);
		case "add-webhook":
			return addWebhook(record, command, nowMs, limits);
		case "remove-webhook":
			return removeWebhook(record, command.webhookId);
	}
}

function inWords(actor: CommandContext["actor"]): string {
	return `the ${actor}`;
}
