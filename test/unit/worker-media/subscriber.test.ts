import { expect, test } from "vitest";
import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { flvTagBytes } from "../../../media/flv/tag-writer.ts";
import type { ConfigTag, StreamConfigs, StreamTag } from "../../../worker/router/stream-tag.ts";
import {
	MAX_UNACKNOWLEDGED_BYTES,
	MAX_UNACKNOWLEDGED_MS,
	nextDeliveryState,
	STALLED_AFTER_MS,
	Subscriber,
} from "../../../worker/router/subscriber.ts";
import { RecordingSink } from "./recording-sink.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "./wsflv-fixtures.ts";

const OWN = { compositionMs: 0, epoch: 1 };

function config(tag: ReturnType<typeof videoConfig>): ConfigTag {
	return { message: flvTagBytes(tag), body: tag.body };
}

const CONFIGS: StreamConfigs = { video: config(videoConfig(0)), audio: config(audioConfig(0)) };

function key(timeMs: number, configs = CONFIGS, padding = 0): StreamTag {
	return {
		track: "video",
		keyFrame: true,
		timeMs,
		message: flvTagBytes(keyFrame(timeMs, 0, padding)),
		configs,
		...OWN,
	};
}

function inter(timeMs: number, configs = CONFIGS): StreamTag {
	return { track: "video", keyFrame: false, timeMs, message: flvTagBytes(interFrame(timeMs)), configs, ...OWN };
}

function audio(timeMs: number, configs = CONFIGS): StreamTag {
	return { track: "audio", keyFrame: false, timeMs, message: flvTagBytes(sound(timeMs)), configs, ...OWN };
}

function ack(tags: number): string {
	return JSON.stringify({ type: "ack", tags });
}

function joined(acknowledges = true) {
	const sink = new RecordingSink();
	return { sink, subscriber: new Subscriber("s", sink, { acknowledges }) };
}

const times = (sink: RecordingSink) => sink.tags.map((tag) => tag.timestampMs);

test("gets header, configurations at the group's time, then the group", () => {
	const { sink, subscriber } = joined();
	expect(subscriber.start([key(7_000), audio(7_010), inter(7_040)], 0)).toBe(true);
	expect(sink.messages[0]?.byteLength).toBe(13);
	expect(sink.tags.map((tag) => [tag.type, tag.timestampMs, tag.body.at(1)])).toEqual([
		[TAG_TYPE.video, 7_000, 0],
		[TAG_TYPE.audio, 7_000, 0],
		[TAG_TYPE.video, 7_000, 1],
		[TAG_TYPE.audio, 7_010, 1],
		[TAG_TYPE.video, 7_040, 1],
	]);
});

test("sends the very bytes it was given, not a copy", () => {
	const { sink, subscriber } = joined();
	const tag = key(0);
	subscriber.start([tag], 0);
	expect(sink.messages.at(-1)).toBe(tag.message);
});

test("without a group, lets sound through and holds pictures until a key frame", () => {
	const { sink, subscriber } = joined();
	subscriber.start([], 0);
	for (const tag of [audio(0), inter(40), key(80), inter(120)]) {
		subscriber.push(tag, 0);
	}
	expect(times(sink)).toEqual([0, 0, 0, 80, 120]);
});

test("skips sound and picture once too late, until a key frame at which it has caught up", () => {
	const { sink, subscriber } = joined();
	subscriber.start([key(0)], 0); // 3 tags with the configurations
	subscriber.push(inter(40), MAX_UNACKNOWLEDGED_MS);
	const lateMs = MAX_UNACKNOWLEDGED_MS + 1;
	for (const tag of [inter(80), audio(80), key(120), audio(140)]) {
		subscriber.push(tag, lateMs);
	}
	expect(times(sink)).toEqual([0, 0, 0, 40]);
	subscriber.takeMessage(ack(4), lateMs + 10);
	for (const tag of [inter(160), audio(160), key(200), audio(210)]) {
		subscriber.push(tag, lateMs + 10);
	}
	expect(times(sink)).toEqual([0, 0, 0, 40, 200, 210]);
	expect(subscriber.figures(lateMs + 20)).toEqual({ id: "s", ackLagMs: 10, skippedTags: 6 });
});

test("skips one that has too many bytes on the way, however young", () => {
	const { sink, subscriber } = joined();
	subscriber.start([], 0);
	subscriber.push(key(0, CONFIGS, MAX_UNACKNOWLEDGED_BYTES), 0);
	subscriber.push(inter(40), 1);
	expect(times(sink)).toEqual([0, 0, 0]);
	subscriber.takeMessage(ack(3), 2);
	subscriber.push(key(80), 2);
	expect(times(sink)).toEqual([0, 0, 0, 80]);
});

test("after skipping, sends a configuration again only when it has changed meanwhile", () => {
	const changed: StreamConfigs = { ...CONFIGS, video: config(videoConfig(0, "360p")) };
	const { sink, subscriber } = joined();
	subscriber.start([key(0)], 0);
	subscriber.push(inter(40, changed), 3_000);
	subscriber.takeMessage(ack(3), 3_000);
	subscriber.push(key(80, changed), 3_000);
	expect(sink.tags.slice(3).map((tag) => [tag.type, tag.timestampMs, tag.body.at(1)])).toEqual([
		[TAG_TYPE.video, 80, 0],
		[TAG_TYPE.video, 80, 1],
	]);
});

test("never skips one that does not acknowledge", () => {
	const { sink, subscriber } = joined(false);
	subscriber.start([key(0)], 0);
	subscriber.push(inter(40), 60_000);
	subscriber.checkProgress(120_000);
	expect(times(sink)).toEqual([0, 0, 0, 40]);
});

test("is closed as stalled when it acknowledges nothing of what it was sent", () => {
	const { subscriber } = joined();
	subscriber.start([key(0)], 1_000);
	subscriber.checkProgress(1_000 + STALLED_AFTER_MS);
	expect(() => subscriber.checkProgress(1_001 + STALLED_AFTER_MS)).toThrow(
		expect.objectContaining({
			kind: "stalled",
			message: expect.stringContaining("expected an acknowledgement within 30 s"),
		}),
	);
	subscriber.takeMessage(ack(3), 50_000);
	subscriber.checkProgress(500_000);
});

test.each([
	["text that is not JSON", "hello"],
	["another message", '{"type":"hello"}'],
	["a negative count", '{"type":"ack","tags":-1}'],
	["more than was sent", ack(4)],
	["a binary message", new ArrayBuffer(4)],
])("refuses %s as an acknowledgement", (_name, data) => {
	const { subscriber } = joined();
	subscriber.start([key(0)], 0);
	expect(() => subscriber.takeMessage(data, 1)).toThrow(expect.objectContaining({ kind: "badMedia" }));
});

test("says when its socket is gone", () => {
	const { sink, subscriber } = joined();
	sink.gone = true;
	expect(subscriber.start([key(0)], 0)).toBe(false);
	expect(subscriber.push(key(40), 0)).toBe(false);
});

test.each([
	["joining", false, false, "joining"],
	["joining", true, false, "live"],
	["live", false, false, "live"],
	["live", true, true, "skipping"],
	["live", false, true, "skipping"],
	["skipping", false, false, "skipping"],
	["skipping", true, true, "skipping"],
	["skipping", true, false, "live"],
] as const)("delivery %s, key frame %s, behind %s → %s", (state, isKey, behind, next) => {
	expect(nextDeliveryState(state, isKey, behind)).toBe(next);
});
