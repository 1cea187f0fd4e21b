import { expect, test } from "vitest";
import { GroupCache, MAX_GROUP_BYTES, MAX_GROUP_TAGS, STALE_AFTER_MS } from "../../../worker/router/group-cache.ts";
import type { StreamTag } from "../../../worker/router/stream-tag.ts";

function tag(keyFrame: boolean, bytes = 10): StreamTag {
	return {
		track: "video",
		keyFrame,
		timeMs: 0,
		compositionMs: 0,
		message: new Uint8Array(bytes),
		configs: {},
		epoch: 1,
	};
}

test("holds the group from its key frame on, and nothing before the first key frame", () => {
	const cache = new GroupCache();
	cache.push(tag(false), 0);
	expect(cache.tags(0)).toEqual([]);
	const group = [tag(true), tag(false), tag(false)];
	for (const each of group) {
		cache.push(each, 0);
	}
	expect(cache.tags(0)).toEqual(group);
	const next = tag(true);
	cache.push(next, 0);
	expect(cache.tags(0)).toEqual([next]);
});

test("gives up a group that is too large in bytes until the next key frame", () => {
	const cache = new GroupCache();
	cache.push(tag(true, MAX_GROUP_BYTES - 10), 0);
	cache.push(tag(false), 0);
	expect(cache.tags(0)).toHaveLength(2);
	cache.push(tag(false), 0);
	expect(cache.tags(0)).toEqual([]);
	expect(cache.bytes).toBe(0);
	cache.push(tag(false), 0);
	expect(cache.tags(0)).toEqual([]);
	cache.push(tag(true), 0);
	expect(cache.tags(0)).toHaveLength(1);
});

test("gives up a group of too many tags", () => {
	const cache = new GroupCache();
	cache.push(tag(true), 0);
	for (let count = 1; count < MAX_GROUP_TAGS; count++) {
		cache.push(tag(false), 0);
	}
	expect(cache.tags(0)).toHaveLength(MAX_GROUP_TAGS);
	cache.push(tag(false), 0);
	expect(cache.tags(0)).toEqual([]);
});

test("plays no group to a late joiner once its source has gone quiet, and plays it again when the source goes on", () => {
	const cache = new GroupCache();
	cache.push(tag(true), 1_000);
	expect(cache.tags(1_000 + STALE_AFTER_MS)).toHaveLength(1);
	expect(cache.tags(1_001 + STALE_AFTER_MS)).toEqual([]);
	cache.push(tag(false), 9_000);
	expect(cache.tags(9_000)).toHaveLength(2);
});
