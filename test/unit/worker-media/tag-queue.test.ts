import { expect, test } from "vitest";
import { MAX_GROUP_MS, MAX_QUEUE_BYTES, MAX_QUEUE_MS, type ProgramTag, TagQueue } from "../../../egress/tag-queue.ts";

const NEVER = new AbortController().signal;

function tag(name: "key" | "inter" | "audio", timeMs: number, bytes = 1): ProgramTag {
	const track = name === "audio" ? "audio" : "video";
	return { track, keyFrame: name === "key", timeMs, body: new Uint8Array(bytes), configs: {} };
}

/** A queue that a connection takes from. */
function openQueue(): TagQueue {
	const queue = new TagQueue();
	queue.open();
	return queue;
}

function drain(queue: TagQueue): number[] {
	const times: number[] = [];
	for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
		times.push(next.timeMs);
	}
	return times;
}

test("begins at a key frame, and does not count what came before it as dropped", () => {
	const queue = openQueue();
	for (const each of [tag("audio", 0), tag("inter", 0), tag("key", 40), tag("audio", 45)]) {
		queue.push(each);
	}
	expect(queue.spanMs).toBe(5);
	expect(drain(queue)).toEqual([40, 45]);
	expect(queue.droppedTags).toBe(0);
});

test("past its length in time, skips sound and picture to the next key frame", () => {
	const queue = openQueue();
	queue.push(tag("key", 0));
	queue.push(tag("audio", MAX_QUEUE_MS));
	expect(queue.spanMs).toBe(MAX_QUEUE_MS);
	queue.push(tag("inter", MAX_QUEUE_MS + 1));
	queue.push(tag("audio", MAX_QUEUE_MS + 2));
	expect(queue.spanMs).toBe(0);
	queue.push(tag("key", MAX_QUEUE_MS + 40));
	queue.push(tag("audio", MAX_QUEUE_MS + 41));
	expect(drain(queue)).toEqual([MAX_QUEUE_MS + 40, MAX_QUEUE_MS + 41]);
	expect(queue.droppedTags).toBe(3);
});

test("keeps the group of pictures that has just begun when that alone makes room", () => {
	const queue = openQueue();
	queue.push(tag("key", 0));
	queue.push(tag("key", 1_500));
	queue.push(tag("audio", 1_510));
	queue.push(tag("inter", 2_001));
	expect(queue.droppedTags).toBe(1);
	expect(drain(queue)).toEqual([1_500, 1_510, 2_001]);
});

test("is bounded in bytes", () => {
	const queue = openQueue();
	queue.push(tag("key", 0, MAX_QUEUE_BYTES));
	queue.push(tag("inter", 40));
	expect(drain(queue)).toEqual([]);
	queue.push(tag("key", 80, MAX_QUEUE_BYTES));
	expect(drain(queue)).toEqual([80]);
	queue.push(tag("key", 120, MAX_QUEUE_BYTES));
	expect(drain(queue)).toEqual([120]);
});

test("for a new connection, gives up what comes before the last key frame that is still there", () => {
	const queue = openQueue();
	for (const each of [tag("key", 0), tag("inter", 40), tag("key", 80), tag("inter", 120)]) {
		queue.push(each);
	}
	queue.shift();
	queue.park();
	queue.open();
	expect(drain(queue)).toEqual([80, 120]);
	queue.push(tag("inter", 160));
	queue.park();
	queue.push(tag("inter", 200));
	queue.push(tag("key", 240));
	expect(drain(queue)).toEqual([240]);
	expect(queue.droppedTags).toBe(2);
});

test("while nobody takes from it, keeps the group of pictures so far however long it is, and no more than a limit", () => {
	const queue = new TagQueue();
	queue.push(tag("key", 0));
	queue.push(tag("inter", MAX_GROUP_MS));
	expect(queue.spanMs).toBe(0);
	queue.push(tag("key", MAX_GROUP_MS + 40));
	queue.push(tag("audio", MAX_GROUP_MS + 45));
	queue.push(tag("inter", 2 * MAX_GROUP_MS));
	expect(queue.droppedTags).toBe(2);
	queue.open();
	expect(queue.spanMs).toBe(0);
	expect(drain(queue)).toEqual([MAX_GROUP_MS + 40, MAX_GROUP_MS + 45, 2 * MAX_GROUP_MS]);

	const groups = new TagQueue();
	for (const each of [tag("key", 0), tag("inter", 40), tag("key", 80), tag("inter", 120)]) {
		groups.push(each);
	}
	expect(drain(groups)).toEqual([80, 120]);

	const endless = new TagQueue();
	endless.push(tag("key", 0));
	endless.push(tag("inter", MAX_GROUP_MS + 1));
	endless.push(tag("inter", MAX_GROUP_MS + 41));
	expect(drain(endless)).toEqual([]);
});

test("what a connection begins with is not late, what comes after it is", () => {
	const queue = new TagQueue();
	queue.push(tag("key", 0));
	queue.push(tag("inter", 8_000));
	queue.open();
	queue.push(tag("inter", 8_000 + MAX_QUEUE_MS));
	expect(queue.spanMs).toBe(MAX_QUEUE_MS);
	expect(queue.droppedTags).toBe(0);
	queue.push(tag("inter", 8_001 + MAX_QUEUE_MS));
	expect(queue.droppedTags).toBe(4);
});

test("lets one wait for a tag, and lets go of it when it is aborted", async () => {
	const queue = new TagQueue();
	const order: string[] = [];
	const waiting = queue.waitForTag(NEVER).then(() => order.push("woken"));
	queue.push(tag("inter", 0));
	await Promise.resolve();
	order.push("pushed a tag that is not kept");
	queue.push(tag("key", 40));
	await waiting;
	expect(order).toEqual(["pushed a tag that is not kept", "woken"]);

	const abort = new AbortController();
	const aborted = new TagQueue().waitForTag(abort.signal);
	abort.abort(new Error("stop"));
	await expect(aborted).rejects.toThrow("stop");
	await expect(new TagQueue().waitForTag(abort.signal)).rejects.toThrow("stop");
});
