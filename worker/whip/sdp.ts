/** As much of the Session Description Protocol (RFC 8866) as the way between an encoder and a compositor needs: what media means is theirs to say. */

export interface IceCredentials {
	readonly ufrag: string;
	readonly password: string;
}

/** One `m=` line and all up to the next. */
export interface MediaSection {
	readonly kind: string;
	/** 0 of one that was turned down. */
	readonly port: number;
	readonly mid: string | undefined;
	readonly lines: readonly string[];
}

/** Lines without their ends, which may be those of any system. */
export function linesOf(text: string): string[] {
	return text
		.split(/\r\n|\n|\r/)
		.map((line) => line.trimEnd())
		.filter((line) => line !== "");
}

/** The text after `prefix` of the first line that begins with it. */
export function valueAfter(lines: readonly string[], prefix: string): string | undefined {
	return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

export function mediaSections(lines: readonly string[]): MediaSection[] {
	const starts = lines.flatMap((line, index) => (line.startsWith("m=") ? [index] : []));
	return starts.map((start, index) => {
		const section = lines.slice(start, starts[index + 1] ?? lines.length);
		const [kind = "", port = ""] = (section[0] ?? "").slice("m=".length).split(" ");
		return { kind, port: Number.parseInt(port, 10), mid: valueAfter(section, "a=mid:"), lines: section };
	});
}

/** RFC 8839 §5.4. */
const MAX_CREDENTIAL_LENGTH = 256;

/** The first credentials of a description or a fragment: with bundled media there are no others. */
export function iceOf(lines: readonly string[]): IceCredentials | undefined {
	const ufrag = valueAfter(lines, "a=ice-ufrag:");
	const password = valueAfter(lines, "a=ice-pwd:");
	return isCredential(ufrag) && isCredential(password) ? { ufrag, password } : undefined;
}

function isCredential(text: string | undefined): text is string {
	return text !== undefined && text !== "" && text.length <= MAX_CREDENTIAL_LENGTH;
}

export function sdpText(lines: readonly string[]): string {
	return lines.map((line) => `${line}\r\n`).join("");
}
