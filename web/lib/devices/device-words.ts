export type DeviceKind = "camera" | "microphone";

/** What the platform says when a person said no, or their system did. */
export function isDenied(error: unknown): boolean {
	return ["NotAllowedError", "SecurityError"].includes(nameOf(error));
}

/** The device is there and somebody else has it. */
export function isBusy(error: unknown): boolean {
	return ["NotReadableError", "AbortError"].includes(nameOf(error));
}

/** The one that was chosen is not there any more; another one may be. */
export function isGone(error: unknown): boolean {
	return ["OverconstrainedError", "NotFoundError"].includes(nameOf(error));
}

/** Why devices did not open, and what to do about it. @param error what `getUserMedia` threw */
export function deviceWords(error: unknown, kinds: readonly DeviceKind[]): string {
	const what = kinds.join(" and ");
	const are = kinds.length > 1 ? "are" : "is";
	if (isDenied(error)) {
		return `Your browser does not let this page use your ${what}. Allow it beside the address, then try again.`;
	}
	if (isBusy(error)) {
		return `Your ${what} ${are} in use by another program or tab. Close that, then try again.`;
	}
	switch (nameOf(error)) {
		case "NotFoundError":
			return `No ${kinds.join(" or ")} was found. Connect one, then try again.`;
		case "OverconstrainedError":
			return `The ${what} you chose ${are} not there any more. Choose another one.`;
		default:
			return `Your ${what} did not start. Try again, or choose another one.`;
	}
}

/** Browsers give devices to secure addresses only. */
export function insecureWords(kinds: readonly DeviceKind[]): string {
	return `This page cannot use your ${kinds.join(" and ")}: browsers allow it on https addresses only. Ask for a link that begins with https://.`;
}

export function screenWords(error: unknown): string {
	return isDenied(error)
		? "Nothing is shared: no screen or window was chosen, or your system does not let the browser share."
		: "Your screen could not be shared. Try again, or choose another window.";
}

/** A device went away while it was in use. @param next what is used now; `undefined` for none */
export function lostWords(kind: DeviceKind, next: string | undefined): string {
	const lost = `Your ${kind} was disconnected`;
	if (next === undefined) {
		return `${lost}: ${kind === "camera" ? "nobody sees you" : "nobody hears you"} until you connect one.`;
	}
	return `${lost}; ${next === "" ? `another ${kind}` : `“${next}”`} is used now.`;
}

function nameOf(error: unknown): string {
	return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}
