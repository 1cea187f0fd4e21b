/** What people are told about their stream. The edge's and the encoders' own words stand behind, for whoever looks after them. */

export function brokenWords(): string {
	return "Your connection to the show is broken. It is being mended; nothing is to be done, unless your network is down.";
}

export function loweredWords(): string {
	return "Your upload is too slow for the full picture. The picture is simpler until it recovers; other uploads on your network may be the cause.";
}

export function refusedWords(code: number, reason: string): string {
	return `The show does not take your stream any more: ${reason === "" ? `code ${code}` : reason.replace(/\.$/, "")}.`;
}

/** Why there is no sound for a while. */
export function soundBrokenWords(reason: string): string {
	return `Your sound cannot be encoded at the moment (${reason.replace(/\.$/, "")}). Your picture goes on, and the sound is tried again; closing other programs may help.`;
}

/** Why nothing can be encoded any more. */
export function encodingWords(what: "picture" | "sound" | "stream", reason: string): string {
	return `Your ${what} cannot be encoded (${reason.replace(/\.$/, "")}). Reload the page; if that does not help, use another browser.`;
}
