import type { Delivery } from "./delivery.ts";

/** What one run of one contender showed. */
export interface RouterRun {
	/** Of its listeners over WebSocket, or over RTMP where it has only that. */
	readonly delivery: Delivery;
	/** Of the one over TCP behind the Egress, where there is one beside them. */
	readonly destination?: Delivery;
	readonly cores: number;
	readonly memoryBytes: number;
	/** Messages a second, where it was looked for. */
	readonly highestRate?: number;
	/** Tags that were kept from the one that takes nothing, where the relay tells. */
	readonly skippedTags?: number;
}

/** The contenders, as tables name them. */
export const RELAYS = {
	tandem: "Tandem's Router",
	node: "Node `ws`, fan-out only",
	nginx: "nginx-rtmp, push over RTMP",
} as const;
export type RelayName = (typeof RELAYS)[keyof typeof RELAYS];

/** A table's worth of runs, by contender. */
export type RouterRuns = ReadonlyMap<string, readonly RouterRun[]>;

export interface RouterMeasurement {
	readonly fanOut: readonly { readonly listeners: number; readonly runs: RouterRuns }[];
	/** The program, to some over WebSocket and to one over TCP. */
	readonly throughProgram: RouterRuns;
	/** One more that takes nothing. */
	readonly withStuck: RouterRuns;
}
