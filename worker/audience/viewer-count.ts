import type { ShardCount } from "../protocol/audience.ts";

/** A shard with people in it counts every 30 s: one that has missed three counts is gone, and its people with it. */
export const SHARD_STALE_AFTER_MS = 90_000;

export interface CountedShard extends ShardCount {
	readonly countedAtMs: number;
}

/** How many watch, by what the shards counted last. */
export class ViewerCount {
	readonly #shards = new Map<number, CountedShard>();

	constructor(counted: Iterable<CountedShard> = []) {
		for (const shard of counted) {
			this.#shards.set(shard.shard, shard);
		}
	}

	counted(counted: ShardCount, nowMs: number): CountedShard {
		const shard = { ...counted, countedAtMs: nowMs };
		this.#shards.set(counted.shard, shard);
		return shard;
	}

	/** Shards that counted lately, also those where nobody was left: someone may just have come. */
	recentShards(nowMs: number): number[] {
		return this.#recent(nowMs).map(({ shard }) => shard);
	}

	total(nowMs: number): number {
		return this.#recent(nowMs).reduce((sum, { count }) => sum + count, 0);
	}

	#recent(nowMs: number): CountedShard[] {
		return [...this.#shards.values()].filter(({ countedAtMs }) => nowMs - countedAtMs < SHARD_STALE_AFTER_MS);
	}
}
