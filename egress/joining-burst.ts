import { LiveEdge } from "./live-edge.ts";
import type { ProgramConfigs } from "./tag-queue.ts";

/** One media tag (never a configuration) as the Router sent it. */
export interface RouterTag {
	readonly track: "audio" | "video";
	readonly keyFrame: boolean;
	/** Unwrapped. */
	readonly routerMs: number;
	readonly body: Uint8Array;
	readonly configs: ProgramConfigs;
	readonly arrivedMs: number;
}

/** How often to look whether the burst is over; from object to object it takes a few milliseconds. */
export const SETTLE_EVERY_MS = 100;
/** Media that comes faster than this much of real time is a past that is being caught up with. */
const BURST_SPEED = 2;
/** Longest wait for the end of it. */
export const SETTLE_WITHIN_MS = 1_000;

/** What a new subscription begins with: the group of pictures so far, as fast as it can be sent, and then what is made now. */
export class JoiningBurst {
	readonly tags: RouterTag[] = [];
	/** How far the Router's time is ahead of the wall clock. */
	readonly edge = new LiveEdge();
	#newestMs = Number.NEGATIVE_INFINITY;
	#beganMs = 0;
	#checked = { newestMs: 0, atMs: 0 };

	get hasBegun(): boolean {
		return this.tags.length > 0;
	}

	push(tag: RouterTag): void {
		if (!this.hasBegun) {
			this.#beganMs = tag.arrivedMs;
			this.#checked = { newestMs: tag.routerMs, atMs: tag.arrivedMs };
		}
		this.tags.push(tag);
		this.edge.observe(tag.routerMs, tag.arrivedMs);
		this.#newestMs = Math.max(this.#newestMs, tag.routerMs);
	}

	/** To be asked every {@link SETTLE_EVERY_MS}: whether media comes at the speed of real time now. */
	isOver(nowMs: number): boolean {
		const before = this.#checked;
		this.#checked = { newestMs: this.#newestMs, atMs: nowMs };
		const isSlow = this.#newestMs - before.newestMs <= BURST_SPEED * (nowMs - before.atMs);
		return this.hasBegun && (isSlow || nowMs - this.#beganMs >= SETTLE_WITHIN_MS);
	}
}
