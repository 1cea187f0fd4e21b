import type { DestinationAddress } from "../../egress/destination-policy.ts";
import type { DestinationService } from "../protocol/broadcast-commands.ts";
import type { DestinationRoute } from "../protocol/destination-route.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import { onlyWay, SERVICE_PRESETS, serviceInForce, serviceOfHost } from "./services.ts";

/** What is asked of a destination, as far as its service has a say in it. */
export interface AskedPlacement {
	readonly service: DestinationService;
	/** By default the one way there is to its service, and else the edge. */
	readonly via?: DestinationRoute | undefined;
	/** By default the service's usual server. */
	readonly url?: string | undefined;
	readonly streamKey?: string | undefined;
}

/** Where a destination's program goes, and from where. Refused is only what can never work; addresses are judged by `checkDestination`. */
export function placement(asked: AskedPlacement): Outcome<{ address: DestinationAddress; via: DestinationRoute }> {
	const { service, streamKey } = asked;
	const url = asked.url ?? SERVICE_PRESETS[service].servers[0]?.url;
	if (url === undefined) {
		return refused("invalid-request", "destination: expected a url, or a service that has one of its own, got neither");
	}
	const host = hostOf(url);
	const tlsOnly = [serviceInForce(service, host), serviceOfHost(host)].find(
		(each) => each !== undefined && SERVICE_PRESETS[each].rtmpsOnly,
	);
	if (tlsOnly !== undefined && /^rtmp:/i.test(url)) {
		return refused(
			"destination-refused",
			`destination: expected rtmps://, the only thing ${SERVICE_PRESETS[tlsOnly].name} takes, got rtmp://`,
		);
	}
	const only = onlyWay(service, host);
	if (only !== undefined && asked.via !== undefined && asked.via !== only.via) {
		return refused("destination-refused", `destination: expected via ${only.via}, got ${asked.via}: ${only.reason}`);
	}
	const address = { url, ...(streamKey === undefined ? {} : { streamKey }) };
	return done({ address, via: asked.via ?? only?.via ?? "edge" });
}

/** The host of an address, or of what may be shown of one; empty when it has none. */
export function hostOf(url: string): string {
	return /^[a-z]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^:/]*)/i.exec(url)?.[1] ?? "";
}
