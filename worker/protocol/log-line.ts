/**
 * How every part writes its log: one JSON object a line, so that what one request led to can be followed through Worker, objects, runner and
 * page by its `requestId`. The one place where secrets are taken out.
 */

export const LOG_LEVELS = ["info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is known beside the message. Errors are written as their message. */
export interface LogFields {
	readonly requestId?: string | undefined;
	readonly broadcastId?: string | undefined;
	readonly error?: unknown;
	readonly [field: string]: unknown;
}

export interface LogEntry {
	readonly level: LogLevel;
	/** Who writes: `api`, `broadcast`, `pool`, `runner`, `page` … */
	readonly part: string;
	readonly message: string;
	readonly fields: LogFields;
}

/** Longer is a dump, not a message; the platform cuts lines at 256 KiB. */
const MAX_TEXT_CHARS = 2_000;
/** Cut before it is searched for secrets, which costs time. Far beyond what is kept, so that no half of a secret is. */
const MAX_SEARCHED_CHARS = 20_000;
const MAX_STACK_LINES = 8;
/** Fields whose value is not to be looked at, let alone written. */
const SECRET_FIELD = /^(authorization|token|secret|password|credential|apiToken|streamKey|key)$/i;

const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
	// Role tokens (JWT, RFC 7519).
	[/eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "<token>"],
	// Stream keys: the broadcast and the person may be told, the rest is the secret.
	[/\b([0-9A-Za-z]{8,64}-(?:host|guest(?:-[2-9])?)-)(?![2-9]\b)[\w-]+/g, "$1<key>"],
	[/\b(Bearer[\s:]+)[^\s"',;]+/gi, "$1<token>"],
	[/\b(bearer\.)[^\s"',;]+/g, "$1<token>"],
	[/([?&#](?:token|key|streamKey|code)=)[^&\s"']+/gi, "$1<secret>"],
	// What follows the application in a destination's address is its key, or holds it (host and application stay).
	[/\b(rtmps?:\/\/[^\s"'<>?]+\?)[^\s"'<>]+/gi, "$1<key>"],
	[/\b(rtmps?:\/\/[^\s/"'<>]+\/[^\s/"'<>]+\/)[^\s"'<>]+/gi, "$1<key>"],
	// Before the host of any address.
	[/\b([a-z][a-z\d+.-]*:\/\/)[^\s/@"']+@/gi, "$1<credentials>@"],
	// The address of a WHIP session lets one end it.
	[/(\/whip\/sessions\/[^\s/"']+\/)[\w-]+/g, "$1<key>"],
	// Of descriptions (RFC 8839 §5.4), as text and as JSON; and of TURN servers.
	[/(\bice-pwd:)[^\s\\"']+/g, "$1<secret>"],
	[/(\bcredential\\?["']?\s*[:=]\s*\\?["']?)[^\s\\"',;}]+/gi, "$1<secret>"],
	// Secrets of webhooks (Standard Webhooks).
	[/\bwhsec_[\w+/=-]+/g, "<secret>"],
];

/** The text without tokens and keys of the forms this project uses. */
export function redactSecrets(text: string): string {
	return SECRETS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}

/** The entry as one line of JSON, without secrets. Never throws: what cannot be written is said to be so. */
export function logLine({ level, part, message, fields }: LogEntry, nowMs: number): string {
	const { requestId, broadcastId, error, ...more } = fields;
	const line = {
		time: new Date(nowMs).toISOString(),
		level,
		part,
		message,
		requestId,
		broadcastId,
		...more,
		...(error === undefined ? {} : errorFields(error, level)),
	};
	return JSON.stringify(clean(line));
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function errorFields(error: unknown, level: LogLevel): Record<string, unknown> {
	const stack = level === "error" && error instanceof Error ? error.stack?.split("\n").slice(0, MAX_STACK_LINES) : [];
	return { error: messageOf(error), ...(stack === undefined || stack.length === 0 ? {} : { stack: stack.join("\n") }) };
}

/** Texts without secrets and not too long, at any depth a log entry may have. */
function clean(value: unknown, depth = 0): unknown {
	if (typeof value === "string") {
		return redactSecrets(value.slice(0, MAX_SEARCHED_CHARS)).slice(0, MAX_TEXT_CHARS);
	}
	if (value === null || typeof value !== "object") {
		return typeof value === "bigint" ? String(value) : value;
	}
	if (value instanceof Error) {
		return clean(messageOf(value));
	}
	if (depth >= 3) {
		return "<too deep>";
	}
	return Array.isArray(value)
		? value.map((each) => clean(each, depth + 1))
		: Object.fromEntries(
				Object.entries(value).map(([key, each]) => [key, SECRET_FIELD.test(key) ? "<secret>" : clean(each, depth + 1)]),
			);
}
