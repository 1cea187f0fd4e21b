import type { BroadcastCommand } from "../protocol/broadcast-commands.ts";
import { type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId, Role } from "../protocol/roles.ts";

/** Who gives a command, as far as permission goes. */
export interface CommandGiver {
	readonly role: Role;
	/** Of host and guests. */
	readonly person?: PersonId;
}

/** What guests may change, of themselves only. */
const OWN_CHANGES: readonly string[] = ["type", "personId", "name", "muted"];

/** Why somebody may not give a command; `undefined` when they may. The host and the admin may give any of the live ones, a guest those about themselves. */
export function commandRefusal({ role, person }: CommandGiver, command: BroadcastCommand): Outcome<never> | undefined {
	if (role === "admin" || role === "host") {
		return undefined;
	}
	if (role !== "guest" || command.type !== "set-person") {
		return refused("forbidden", `auth: expected host or admin to ${command.type}, got ${role}`);
	}
	const others = Object.keys(command).filter((key) => !OWN_CHANGES.includes(key));
	if (command.personId !== person || others.length > 0) {
		const what = command.personId === person ? `their ${others.join(", ")}` : command.personId;
		return refused("forbidden", `auth: expected a guest to change their own name or mute themselves, got ${what}`);
	}
	return undefined;
}
