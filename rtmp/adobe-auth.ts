import { md5 } from "./md5.ts";

/** What a server with Adobe's authentication says when it turns a `connect` away. */
export type AdobeChallenge =
	/** It wants to know who we are. */
	| { readonly kind: "who" }
	/** It wants proof that we know the password. */
	| { readonly kind: "prove"; readonly salt: string; readonly challenge: string; readonly opaque: string }
	/** The proof was not good enough, or there is no such user. */
	| { readonly kind: "failed"; readonly reason: string };

/**
 * Reads the description of a rejected `connect`: `[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] :`, or
 * `[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=…&salt=…&challenge=…&opaque=…`.
 *
 * Gives `undefined` when it is not about this authentication.
 */
export function readAdobeChallenge(description: string): AdobeChallenge | undefined {
	if (!/authmod=adobe\b/i.test(description)) {
		return undefined;
	}
	const queryAt = description.indexOf("?");
	if (queryAt < 0) {
		return /need auth/i.test(description) ? { kind: "who" } : undefined;
	}
	// Taken apart by hand: a salt in base64 may hold a plus sign, which URLSearchParams would make a space.
	const fields = new Map(
		description
			.slice(queryAt + 1)
			.split("&")
			.map((pair) => [pair.split("=", 1)[0] ?? "", pair.slice(pair.indexOf("=") + 1).trim()] as const),
	);
	const reason = fields.get("reason") ?? "";
	return reason === "needauth"
		? {
				kind: "prove",
				salt: fields.get("salt") ?? "",
				challenge: fields.get("challenge") ?? "",
				opaque: fields.get("opaque") ?? "",
			}
		: { kind: "failed", reason };
}

/** The application's query that tells who we are. */
export function adobeUserQuery(user: string): string {
	return `authmod=adobe&user=${user}`;
}

/**
 * The application's query that proves it: base64(md5(base64(md5(user + salt + password)) + (opaque or challenge) + ours)).
 *
 * @param ours our own challenge, 8 hexadecimal digits, new each time
 */
export function adobeProofQuery(
	credentials: { readonly user: string; readonly password: string },
	asked: Extract<AdobeChallenge, { kind: "prove" }>,
	ours: string,
): string {
	const salted = md5Base64(credentials.user + asked.salt + credentials.password);
	const response = md5Base64(salted + (asked.opaque === "" ? asked.challenge : asked.opaque) + ours);
	const opaque = asked.opaque === "" ? "" : `&opaque=${asked.opaque}`;
	return `${adobeUserQuery(credentials.user)}&challenge=${ours}&response=${response}${opaque}`;
}

function md5Base64(text: string): string {
	return btoa(String.fromCharCode(...md5(new TextEncoder().encode(text))));
}
