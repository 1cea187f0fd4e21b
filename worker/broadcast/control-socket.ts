import type { IceGrant } from "../ice/ice-desk.ts";
import type { CloseKind } from "../protocol/close-codes.ts";
import type { PersonId, Role } from "../protocol/roles.ts";

/** Whose a control socket is. */
export interface ControlMember {
	readonly role: Role;
	/** Of host and guests. */
	readonly person?: PersonId;
	/** Of their credentials, the version they came with. */
	readonly ver?: number;
	/** Of compositors. */
	readonly fence?: number;
}

/** By what a socket is in the call. */
export interface CallSeat {
	readonly connection: string;
	/** What it has of ICE servers that are its own. */
	readonly ice?: IceGrant;
}

export interface ControlSocket extends ControlMember {
	/** One object for each line, whichever of its wrappings one has. */
	readonly line: object;
	readonly openedAtMs: number;
	/** While it is in the call. Outlives hibernation, as the rest does. */
	readonly seat: CallSeat | undefined;
	sit(seat: CallSeat | undefined): void;
	isOpen(): boolean;
	/** When it last asked whether we are there; `undefined` of one that never did. */
	heardAtMs(): number | undefined;
	send(text: string): void;
	close(kind: CloseKind, reason: string): void;
}
