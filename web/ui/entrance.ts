import { PERSON_IDS, type PersonId } from "../../worker/protocol/roles.ts";

/** Where somebody wants to go, and what they were given to get in. */
export interface Entrance {
	/** Absent where the address names no broadcast. */
	readonly broadcastId?: string;
	readonly credential?: Credential;
}

/** A guest redeems an invite once and has a token from then on. */
export type Credential =
	| { readonly kind: "token"; readonly token: string }
	| { readonly kind: "invite"; readonly code: string };

/** What a page remembers while its tab is open; `sessionStorage` is one. */
export type TabMemory = Pick<Storage, "getItem" | "setItem">;

interface Kept {
	readonly token?: string;
	readonly invite?: string;
}

/**
 * Reads `/{page}/{id}#token=…` or `#invite=…`. What the fragment held is kept for this tab, since it is taken out of the address bar and a reload
 * must not use an invite again: one that was redeemed here before gives the token it was redeemed for.
 */
export function readEntrance(address: Pick<Location, "pathname" | "hash">, memory: TabMemory): Entrance {
	const [, , id = ""] = address.pathname.split("/");
	if (id === "") {
		return {};
	}
	const broadcastId = decodeURIComponent(id);
	const fragment = new URLSearchParams(address.hash.slice(1));
	const token = fragment.get("token") || undefined;
	const invite = fragment.get("invite") || undefined;
	const kept = readKept(broadcastId, memory);
	if (token !== undefined) {
		keep(broadcastId, { token }, memory);
	} else if (invite !== undefined && invite !== kept.invite) {
		keep(broadcastId, { invite }, memory);
	}
	const credential = credentialIn(readKept(broadcastId, memory));
	return { broadcastId, ...(credential === undefined ? {} : { credential }) };
}

/** From now on the invite's token gets them in. */
export function keepRedeemed(broadcastId: string, code: string, token: string, memory: TabMemory): void {
	keep(broadcastId, { invite: code, token }, memory);
}

/** Whether a fragment has something to get in by. */
export function holdsCredential(hash: string): boolean {
	const fragment = new URLSearchParams(hash.slice(1));
	return Boolean(fragment.get("token") || fragment.get("invite"));
}

/** Whom a role token or a stream key says it is for, unverified; `undefined` where it does not say. */
export function personOf(token: string): PersonId | undefined {
	const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token) ?? [];
	const named = payload === undefined ? /^\w+-([a-z]+(?:-\d)?)-\w+$/.exec(token)?.[1] : personInPayload(payload);
	return PERSON_IDS.find((person) => person === named);
}

function personInPayload(payload: string): unknown {
	try {
		const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
		return typeof claims === "object" && claims !== null && "pid" in claims
			? claims.pid
			: (claims as { role?: unknown } | null)?.role;
	} catch {
		// Three words with dots between them, and not a token: the server will say so.
		return undefined;
	}
}

function credentialIn({ token, invite }: Kept): Credential | undefined {
	if (token !== undefined) {
		return { kind: "token", token };
	}
	return invite === undefined ? undefined : { kind: "invite", code: invite };
}

function keyOf(broadcastId: string): string {
	return `tandem.entrance.${broadcastId}`;
}

function readKept(broadcastId: string, memory: TabMemory): Kept {
	const text = memory.getItem(keyOf(broadcastId));
	return text === null ? {} : (JSON.parse(text) as Kept);
}

function keep(broadcastId: string, kept: Kept, memory: TabMemory): void {
	memory.setItem(keyOf(broadcastId), JSON.stringify(kept));
}
