import { adobeProofQuery, adobeUserQuery, readAdobeChallenge } from "./adobe-auth.ts";
import { asObject, asString } from "./amf0.ts";
import type { StatusInfo } from "./command.ts";
import { followRedirect, type RtmpUrl, withAppQuery } from "./url.ts";

/** The server said no and will say so again: a wrong key, an application that is not there. */
export class RtmpRefusedError extends Error {
	override readonly name = "RtmpRefusedError";
	/** The server's code, such as "NetStream.Publish.BadName". */
	readonly code: string;
	/** Some servers say the same of a stream that they still hold another session of. */
	readonly mayBeBusy: boolean;

	constructor(code: string, message: string, mayBeBusy = false) {
		super(message);
		this.code = code;
		this.mayBeBusy = mayBeBusy;
	}
}

/** The server closed the connection instead of answering `publish`: a wrong key with some (nginx-rtmp's `on_publish`), or no reason at all. */
export class RtmpCurtError extends Error {
	override readonly name = "RtmpCurtError";
}

/** The server still holds another session of this stream, most often our own broken one: it clears in seconds. */
export class RtmpBusyError extends Error {
	override readonly name = "RtmpBusyError";
	readonly code: string;

	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

/** The server wants a new connection before it says yes: to another place, or to the same with (more of) an authentication. */
export class RtmpRedialError extends Error {
	override readonly name: string = "RtmpRedialError";
	/** Where to connect next, with the key and all. */
	readonly next: RtmpUrl;

	constructor(message: string, next: RtmpUrl) {
		super(message);
		this.next = next;
	}
}

/** The server sends us elsewhere (`ex.redirect`, as SRS does). */
export class RtmpRedirectError extends RtmpRedialError {
	override readonly name = "RtmpRedirectError";
}

/** The server asks for Adobe's authentication; `next` carries the answer. */
export class RtmpAuthRequiredError extends RtmpRedialError {
	override readonly name = "RtmpAuthRequiredError";
}

/** Codes that speak of the moment, not of us: the same attempt may do later. */
const PASSING_CODES: ReadonlySet<string> = new Set([
	"NetConnection.Connect.AppShutdown",
	"NetConnection.Connect.Closed",
	"NetConnection.Connect.Failed",
	"NetConnection.Connect.NetworkChange",
	"NetStream.Connect.Closed",
	"NetStream.Failed",
	"NetStream.Publish.Idle",
]);

/**
 * nginx-rtmp: "Already publishing"; node-media-server: "Stream already publishing"; Wowza: "Stream name is already in use: …"; SRS:
 * "stream … is busy"; others in like words.
 */
const ALREADY_PUBLISHING =
	/\balready (?:publish|exist|connect|live|in use|being|has a)|\bbusy\b|\bin use\b|\bduplicate|\bconflict\b/i;

/**
 * Codes that Adobe's servers, and Red5 and its kin without any description, answer while another session publishes the stream; with others
 * they mean a wrong key.
 */
const AMBIGUOUS_CODES: ReadonlySet<string> = new Set(["NetStream.Publish.BadConnection", "NetStream.Publish.BadName"]);
/** With these words they mean the key. */
const WRONG_KEY =
	/\b(?:invalid|unknown|wrong|incorrect|expired|revoked|unauthori[sz]ed|forbidden|denied|no such)\b|\b(?:not|n't) (?:be )?(?:valid|found|allowed|exist|authori[sz]ed|permitted|recogni[sz]ed)\b|\b(?:authenticat|authori[sz]at|permission)/i;

/**
 * What a server's error status or `_error` means for us: {@link RtmpRedialError}, {@link RtmpBusyError}, {@link RtmpRefusedError}, or
 * a plain `Error` where trying again may do.
 *
 * @param random 8 hexadecimal digits for an authentication, new each time
 */
export function refusalOf(step: string, status: StatusInfo, url: RtmpUrl, random: string): Error {
	const redirect = asString(asObject(status.fields.ex)?.redirect);
	if (redirect !== undefined) {
		return redirectTo(url, redirect);
	}
	const authentication = authenticationFor(status, url, random);
	if (authentication !== undefined) {
		return authentication;
	}
	const message = `rtmp: expected ${step} to succeed, got ${withoutSecrets(`${status.code} ${status.description}`.trim() || "an error without a code", url)}`;
	if (ALREADY_PUBLISHING.test(status.description)) {
		return new RtmpBusyError(status.code, message);
	}
	if (PASSING_CODES.has(status.code)) {
		return new Error(message);
	}
	const mayBeBusy = AMBIGUOUS_CODES.has(status.code) && !WRONG_KEY.test(status.description);
	return new RtmpRefusedError(status.code, message, mayBeBusy);
}

/** A server's words with the secrets of `url` struck out, since many servers quote them. */
export function withoutSecrets(text: string, url: RtmpUrl): string {
	const [keyPath = ""] = url.streamKey.split("?", 1);
	return [url.streamKey, keyPath, url.credentials?.password ?? ""]
		.filter((secret) => secret !== "")
		.reduce((struck, secret) => struck.replaceAll(secret, "***"), text);
}

function redirectTo(url: RtmpUrl, redirect: string): Error {
	try {
		const next = followRedirect(url, redirect);
		return new RtmpRedirectError(
			`rtmp: expected the server to take the stream, got sent on to ${next.host}:${next.port}`,
			next,
		);
	} catch (cause) {
		return new RtmpRefusedError(
			"NetConnection.Connect.Rejected",
			`rtmp: expected an RTMP URL to be sent on to, got none (${cause instanceof Error ? cause.message : "unreadable"})`,
		);
	}
}

function authenticationFor(status: StatusInfo, url: RtmpUrl, random: string): Error | undefined {
	const challenge = readAdobeChallenge(status.description);
	if (challenge === undefined) {
		return undefined;
	}
	const { credentials } = url;
	if (credentials === undefined) {
		return new RtmpRefusedError(
			status.code,
			"rtmp: expected a user and password in the URL, which the server asks for, got none",
		);
	}
	switch (challenge.kind) {
		case "who":
			return new RtmpAuthRequiredError(
				"rtmp: expected the server to take the connection, got asked for a user",
				withAppQuery(url, adobeUserQuery(credentials.user)),
			);
		case "prove":
			return new RtmpAuthRequiredError(
				"rtmp: expected the server to take the connection, got asked for a password",
				withAppQuery(url, adobeProofQuery(credentials, challenge, random)),
			);
		case "failed":
			return new RtmpRefusedError(
				status.code,
				"rtmp: expected the server to accept the user and password, got refused",
			);
	}
}
