import type { DestinationService } from "../../worker/protocol/broadcast-commands.ts";
import type { Words } from "../ui/session-words.ts";

export interface ShownDestination {
	readonly id: string;
	readonly name?: string | undefined;
	readonly service: string;
	readonly url: string;
	readonly hasStreamKey: boolean;
	readonly state: "idle" | "connecting" | "live" | "retrying" | "refused" | "stopped";
	readonly lastError?: string | undefined;
	readonly warnings: readonly { readonly code: string; readonly detail: string }[];
	readonly viaReason?: string | undefined;
}

const STATE: Readonly<Record<ShownDestination["state"], Words>> = {
	idle: { text: "Begins when you go live", tone: "quiet" },
	connecting: { text: "Connecting…", tone: "quiet" },
	live: { text: "On air", tone: "good" },
	retrying: { text: "Interrupted, trying again…", tone: "warning" },
	refused: { text: "Refused", tone: "bad" },
	stopped: { text: "Finished", tone: "quiet" },
};

export function destinationWords({ state }: Pick<ShownDestination, "state">): Words {
	return STATE[state];
}

/** What there is to say of what went wrong there; the refused one is not asked again by itself. */
export function destinationTrouble({ state, lastError }: ShownDestination): string | undefined {
	if (state === "refused") {
		return `${lastError ?? "It said no."} Check address and key: remove it and add it again.`;
	}
	return state === "retrying" ? lastError : undefined;
}

/** By its own name, its service's, or its host. */
export function destinationTitle(
	{ name, service, url }: Pick<ShownDestination, "name" | "service" | "url">,
	serviceNames: ReadonlyMap<string, string>,
): string {
	return name ?? (service === "custom" ? hostOf(url) : (serviceNames.get(service) ?? service));
}

/** `rtmp:` is no scheme whose host `URL` reads everywhere. */
function hostOf(url: string): string {
	return /^\w+:\/\/([^/]+)/.exec(url)?.[1] ?? url;
}

/** What the form holds when it is sent; the other fields are empty. */
export interface DestinationForm {
	readonly service: string;
	/** Of the service; its usual one where empty. */
	readonly server: string;
	readonly url: string;
	readonly streamKey: string;
	readonly name: string;
}

/** What is still missing, in words; `undefined` when it can be sent. */
export function formFault({ service, url, streamKey }: DestinationForm): string | undefined {
	if (service !== "custom") {
		return streamKey.trim() === "" ? "Paste the stream key that the service shows you." : undefined;
	}
	return /^rtmps?:\/\/[^/\s]+\/\S+/i.test(url.trim())
		? undefined
		: "The address begins with rtmp:// or rtmps:// and has a path, such as rtmps://live.example.com/app.";
}

/** What is asked of the API. */
export function destinationOf({ service, server, url, streamKey, name }: DestinationForm) {
	const address = (service === "custom" ? url : server).trim();
	return {
		service: service as DestinationService,
		...(address === "" ? {} : { url: address }),
		...(streamKey.trim() === "" ? {} : { streamKey: streamKey.trim() }),
		...(name.trim() === "" ? {} : { name: name.trim() }),
	};
}
