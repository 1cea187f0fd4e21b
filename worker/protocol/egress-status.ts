export type EgressState = "connecting" | "live" | "retrying" | "refused" | "stopped";

export interface EgressStatus {
	readonly state: EgressState;
	readonly bytes: number;
	readonly reconnects: number;
	readonly droppedTags: number;
	/** Never holds a key. */
	readonly lastError?: string;
	readonly queueMs: number;
	readonly attempts: number;
}
