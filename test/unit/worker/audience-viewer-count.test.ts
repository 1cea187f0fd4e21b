import { expect, test } from "vitest";
import { audienceShards, DEFAULT_AUDIENCE_SHARDS, shardsToTry } from "../../../worker/audience/choose-shard.ts";
import { SHARD_STALE_AFTER_MS, ViewerCount } from "../../../worker/audience/viewer-count.ts";

test("adds up what the shards counted last", () => {
	const viewers = new ViewerCount();
	viewers.counted({ shard: 0, count: 10 }, 1_000);
	viewers.counted({ shard: 1, count: 5 }, 1_000);
	viewers.counted({ shard: 0, count: 7 }, 2_000);
	expect(viewers.total(2_000)).toBe(12);
});

test("a shard that has not counted for 90 s is gone, with its people, until it counts again", () => {
	const viewers = new ViewerCount([{ shard: 0, count: 10, countedAtMs: 0 }]);
	viewers.counted({ shard: 1, count: 1 }, 60_000);
	expect(viewers.total(SHARD_STALE_AFTER_MS - 1)).toBe(11);
	expect(viewers.total(SHARD_STALE_AFTER_MS)).toBe(1);
	expect(viewers.recentShards(SHARD_STALE_AFTER_MS)).toEqual([1]);
	viewers.counted({ shard: 0, count: 3 }, SHARD_STALE_AFTER_MS);
	expect(viewers.total(SHARD_STALE_AFTER_MS)).toBe(4);
});

test("an empty shard is told of changes for as long: somebody may just have come", () => {
	const viewers = new ViewerCount();
	viewers.counted({ shard: 4, count: 0 }, 0);
	expect(viewers.recentShards(1_000)).toEqual([4]);
});

test("whoever comes is sent to any shard, and to its neighbours when that is full", () => {
	const shards = audienceShards("16");
	const firsts = new Set(Array.from({ length: 64 }, (_, index) => shardsToTry(shards, index / 64)[0]));
	expect(firsts.size).toBe(16);
	expect(shardsToTry(16, 0.999)).toEqual([15, 0, 1]);
	expect(shardsToTry(1, 0.999)).toEqual([0]);
});

test("the number of shards is 16 unless it is set, to something that makes sense", () => {
	expect([audienceShards(undefined), audienceShards(""), audienceShards("3")]).toEqual([
		DEFAULT_AUDIENCE_SHARDS,
		DEFAULT_AUDIENCE_SHARDS,
		3,
	]);
	for (const setting of ["0", "-1", "1.5", "many", "257"]) {
		expect(() => audienceShards(setting), setting).toThrow("AUDIENCE_SHARDS");
	}
});
