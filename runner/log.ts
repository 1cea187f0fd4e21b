/** Takes one line; lines are redacted before they get out (see {@link createLog}). */
export type Log = (line: string) => void;

const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
	// Role tokens (JWT, RFC 7519).
	[/eyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, "<token>"],
	// Stream keys: the broadcast and the role may be told, the rest is the secret.
	[/\b([0-9A-Za-z]{8,64}-(?:host|guest)-)[\w-]+/g, "$1<key>"],
	[/\b(Bearer[\s:]+)[^\s"',;]+/gi, "$1<token>"],
	[/\b(bearer\.)[^\s"',;]+/g, "$1<token>"],
	[/([?&](?:token|key|streamKey)=)[^&\s"']+/gi, "$1<secret>"],
];

/** The text without tokens and keys of the forms this project uses. */
export function redactSecrets(text: string): string {
	return SECRETS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}

/** The one place of the runner that writes lines out: prefixed, redacted, never more than one line an entry. */
export function createLog(prefix: string, write: (line: string) => void): Log {
	return (line) => write(`${prefix} ${redactSecrets(line).replace(/\s*\n\s*/g, " | ")}`);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
