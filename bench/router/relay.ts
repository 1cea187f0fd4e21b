import type { Usage } from "../../scripts/process-usage.ts";
import type { PublishWay } from "./publisher-thread.ts";
import type { Subscription } from "./subscription.ts";

/** Who is to hear what is published. */
export interface Audience {
	/** Over WebSocket, or whatever way it has to many. */
	readonly listeners: number;
	/** One more that takes nothing. */
	readonly withStuck: boolean;
	/** Where RTMP servers of the listeners' take publishers, without a key. */
	readonly rtmpUrl: string;
}

/** What is between one publisher and many listeners, up and running. */
export interface Relay extends AsyncDisposable {
	readonly publish: PublishWay;
	/** To be opened; those that come over RTMP come by themselves. */
	readonly subscriptions: readonly Subscription[];
	/** All that will hear something, by id. */
	readonly listeners: readonly string[];
	/** Of its processes, without the listeners' and the publisher's. */
	usage(): Usage;
	/** Tags that it kept from the one that takes nothing, where it tells. */
	skippedTags?(): Promise<number>;
}

export type StartRelay = (audience: Audience) => Promise<Relay>;

/** `listener-1` … */
export function listenerIds(count: number): readonly string[] {
	return Array.from({ length: count }, (_, index) => `listener-${index + 1}`);
}
