/** Enough for 128,000 people, and for a total that is told within a second (docs/operations.md has the arithmetic). */
export const DEFAULT_AUDIENCE_SHARDS = 16;
/** Each shard that has people in it asks the Broadcast something every 5 s at most: more would keep it busy with nothing else. */
export const MAX_AUDIENCE_SHARDS = 256;
/** Shards that are tried before somebody is turned away. */
export const SHARD_TRIES = 3;

/**
 * How many shards the audience of each broadcast is spread over.
 * @throws for a setting that is not a whole number of shards
 */
export function audienceShards(setting: string | undefined): number {
	const shards = setting === undefined || setting === "" ? DEFAULT_AUDIENCE_SHARDS : Number(setting);
	if (!Number.isInteger(shards) || shards < 1 || shards > MAX_AUDIENCE_SHARDS) {
		throw new Error(`audience: expected AUDIENCE_SHARDS from 1 to ${MAX_AUDIENCE_SHARDS}, got ${setting}`);
	}
	return shards;
}

/** The shards to try for somebody who comes: a random one first, and then its neighbours. @param random in [0, 1) */
export function shardsToTry(shards: number, random: number): number[] {
	const first = Math.floor(random * shards);
	return Array.from({ length: Math.min(shards, SHARD_TRIES) }, (_, index) => (first + index) % shards);
}
