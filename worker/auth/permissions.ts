import type { Actor } from "../protocol/broadcast-commands.ts";
import type { Direction } from "../protocol/media-socket.ts";
import {
	BROADCAST_ROLES,
	type BroadcastRole,
	MAIN_COMPOSITE_STREAM,
	MAIN_PROGRAM_STREAM,
	type PersonId,
	roleOf,
	type StreamName,
} from "../protocol/roles.ts";

/** Who asks: the deployment's admin, or someone with a role in one broadcast. */
export type Principal =
	| { readonly role: "admin" }
	| {
			readonly role: BroadcastRole;
			readonly broadcastId: string;
			/** Of host and guests. */
			readonly person?: PersonId;
			/** Of people and viewers: by what they came in, since newer ones make it worthless. */
			readonly credentialsVersion?: number;
			readonly fence?: number;
	  };

export type ApiRole = Principal["role"];
export const API_ROLES: readonly ApiRole[] = ["admin", ...BROADCAST_ROLES];

/** What the API's routes do, as far as permission goes. */
export type Action = "manage" | "view" | "people" | "operate" | "stats" | "control";

const ALLOWED: Readonly<Record<Action, readonly ApiRole[]>> = {
	/** Create, list and delete broadcasts. */
	manage: ["admin"],
	view: ["admin", "host", "guest"],
	/** Name, gain and mute of people; which of it a guest may is for `command-permission.ts` to say. */
	people: ["admin", "host", "guest"],
	/** Start, end, layout, destinations. */
	operate: ["admin", "host"],
	stats: ["admin", "host", "guest"],
	control: ["admin", "host", "guest", "compositor"],
};

export function rolesAllowedTo(action: Action): readonly ApiRole[] {
	return ALLOWED[action];
}

/**
 * Who may use a stream. People publish only as themselves, a compositor with a lease only the composite, and nobody the program, which the
 * Router makes of them; viewers see the program and nothing else.
 */
export function rolesAllowedOnStream(stream: StreamName, direction: Direction): readonly ApiRole[] {
	if (direction === "subscribe") {
		return stream === MAIN_PROGRAM_STREAM
			? ["admin", "host", "guest", "compositor", "viewer"]
			: ["admin", "host", "guest", "compositor"];
	}
	switch (stream) {
		case MAIN_PROGRAM_STREAM:
			return [];
		case MAIN_COMPOSITE_STREAM:
			return ["compositor"];
		default:
			return ["admin", roleOf(stream)];
	}
}

/** Whether the role's holder is the person whose stream it is, where they publish. */
export function publishesAs(principal: Principal, stream: StreamName): boolean {
	return principal.role === "admin" || principal.role === "compositor" || principal.person === stream;
}

/** Who that is, as events and the log show it. */
export function actorOf(principal: Principal): Actor {
	if (principal.role === "admin") {
		return "admin";
	}
	return principal.person ?? "system";
}
