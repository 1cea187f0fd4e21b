import { expect, test } from "vitest";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import { flvHeader } from "../../../media/flv/tag-writer.ts";
import { MAX_MEDIA_MESSAGE_BYTES } from "../../../worker/protocol/media-socket.ts";
import type { StreamChange } from "../../../worker/protocol/object-rpc.ts";
import { MAX_SUBSCRIBERS, MAX_UNACKNOWLEDGING_SUBSCRIBERS } from "../../../worker/router/fanout.ts";
import { COMPOSITE_STALLED_AFTER_MS, LiveStream } from "../../../worker/router/live-stream.ts";
import type { Publisher } from "../../../worker/router/publisher.ts";
import type { StreamTag } from "../../../worker/router/stream-tag.ts";
import { RecordingSink } from "./recording-sink.ts";
import {
	audioConfig,
	hevcKeyFrame,
	interFrame,
	keyFrame,
	message,
	script,
	sound,
	videoConfig,
} from "./wsflv-fixtures.ts";

function stream() {
	const changes: StreamChange[] = [];
	const live = new LiveStream({ stream: "host", onChange: (change) => changes.push(change) });
	return { live, changes };
}

function publish(live: LiveStream, nowMs = 0) {
	const sink = new RecordingSink();
	const publisher = live.publish(sink, nowMs);
	const send = (tags: FlvTag[], atMs = nowMs) => sendTags(live, publisher, tags, atMs);
	return { sink, publisher, send };
}

function sendTags(live: LiveStream, publisher: Publisher, tags: FlvTag[], nowMs: number): void {
	for (const tag of tags) {
		live.publisherMessage(publisher, message(tag), nowMs);
	}
}

function subscribe(live: LiveStream, nowMs = 0, options = {}) {
	const sink = new RecordingSink();
	const subscriber = live.fanout.subscribe(sink, { id: "s", acknowledges: false, withGroup: true, ...options }, nowMs);
	return { sink, subscriber };
}

function composite() {
	const changes: StreamChange[] = [];
	const tags: StreamTag[] = [];
	const live = new LiveStream({
		stream: "composite/main",
		onChange: (change) => changes.push(change),
		onTag: (tag) => tags.push(tag),
	});
	return { live, changes, tags };
}

const CONFIGS = (ms: number) => [videoConfig(ms), audioConfig(ms)];
const summary = (sink: RecordingSink) =>
	sink.tags.map(({ type, timestampMs, body }) => {
		const name = type === TAG_TYPE.audio ? "audio" : body[0] === 0x17 ? "key" : "inter";
		return `${body[1] === 0 ? `${type === TAG_TYPE.audio ? "audio" : "video"}-config` : name}@${timestampMs}`;
	});

test("gives a late joiner the configuration and the group of pictures so far, then every tag", () => {
	const { live } = stream();
	const { send } = publish(live);
	send([...CONFIGS(0), keyFrame(0), interFrame(40), keyFrame(1_000), sound(1_010), interFrame(1_040)]);
	const { sink } = subscribe(live);
	send([interFrame(1_080)]);
	expect(summary(sink)).toEqual([
		"video-config@1000",
		"audio-config@1000",
		"key@1000",
		"audio@1010",
		"inter@1040",
		"inter@1080",
	]);
});

test("starts at the next key frame for one that wants no group", () => {
	const { live } = stream();
	const { send } = publish(live);
	send([...CONFIGS(0), keyFrame(0)]);
	const { sink } = subscribe(live, 0, { withGroup: false });
	send([interFrame(40), keyFrame(80)]);
	expect(summary(sink)).toEqual(["video-config@80", "audio-config@80", "key@80"]);
});

test("hears the header as a message of its own, in front of a tag, again, or never", () => {
	const { live } = stream();
	const { sink } = subscribe(live);
	const { publisher, sink: peer } = publish(live);
	const header = flvHeader();
	const config = new Uint8Array(message(videoConfig(0)));
	const joined = new Uint8Array(header.byteLength + config.byteLength);
	joined.set(header);
	joined.set(config, header.byteLength);
	for (const data of [header.slice().buffer, joined.buffer, message(keyFrame(0)), header.slice().buffer]) {
		live.publisherMessage(publisher, data as ArrayBuffer, 0);
	}
	expect(peer.closed).toBeUndefined();
	expect(summary(sink)).toEqual(["video-config@0", "key@0"]);
});

test("lets sound flow at once and holds pictures back until a key frame with its configuration", () => {
	const { live, changes } = stream();
	const { sink } = subscribe(live);
	const { send } = publish(live);
	send([sound(0), audioConfig(0), sound(20), interFrame(30), keyFrame(40), videoConfig(60), interFrame(60)]);
	expect(summary(sink)).toEqual(["audio-config@20", "audio@20"]);
	expect(changes).toEqual([]);
	send([keyFrame(80), interFrame(120)]);
	expect(summary(sink).slice(2)).toEqual(["video-config@80", "key@80", "inter@120"]);
	expect(changes).toEqual([{ stream: "host", state: "live", width: 1280, height: 720 }]);
});

test("drops scripts and repeated configurations, and sends on a changed one", () => {
	const { live, changes } = stream();
	const { sink } = subscribe(live);
	const { send } = publish(live);
	send([...CONFIGS(0), keyFrame(0), script(10), ...CONFIGS(20), interFrame(40), videoConfig(50, "360p"), keyFrame(80)]);
	expect(summary(sink)).toEqual(["video-config@0", "audio-config@0", "key@0", "inter@40", "video-config@80", "key@80"]);
	expect(changes.map((change) => change.width)).toEqual([1280, 640]);
});

test("a newer publisher takes over: the older is closed, and time goes on by one frame interval", () => {
	const { live, changes } = stream();
	const { sink } = subscribe(live);
	const older = publish(live);
	older.send([...CONFIGS(5_000), keyFrame(5_000), interFrame(5_040), sound(5_050)]);
	const newer = publish(live, 100);
	expect(older.sink.closed).toMatchObject({ kind: "takenOver" });
	older.send([interFrame(5_080)]);
	newer.send([...CONFIGS(0), sound(0), interFrame(0), keyFrame(20), sound(10), sound(25), interFrame(60)], 100);
	expect(summary(sink).slice(3)).toEqual(["inter@5040", "audio@5050", "key@5090", "audio@5095", "inter@5130"]);
	expect(changes).toHaveLength(1);
});

test("goes on where it was with a publisher of the same session, and hears nothing twice", () => {
	const { live } = stream();
	const { sink } = subscribe(live);
	const first = new RecordingSink();
	const before = live.publish(first, 0, { session: "one" });
	sendTags(live, before, [...CONFIGS(0), keyFrame(0), sound(10), interFrame(40)], 0);
	live.publisherGone(before, 100);
	const after = live.publish(new RecordingSink(), 300, { session: "one" });
	sendTags(live, after, [...CONFIGS(0), keyFrame(0), sound(10), interFrame(40), sound(30), interFrame(280)], 300);
	expect(summary(sink).slice(2)).toEqual(["key@0", "audio@10", "inter@40", "audio@30", "inter@280"]);
	const other = live.publish(new RecordingSink(), 400, { session: "two" });
	sendTags(live, other, [...CONFIGS(0), keyFrame(0)], 400);
	expect(summary(sink).at(-1)).toBe("key@320");
});

test("tells a publisher that asks how many of its messages it has taken, where there is news, and nobody else", () => {
	const { live } = stream();
	const sink = new RecordingSink();
	const publisher = live.publish(sink, 0, { acknowledged: true });
	live.tick(50);
	expect(sink.texts).toEqual([]);
	sendTags(live, publisher, [...CONFIGS(0), keyFrame(0)], 60);
	live.publisherMessage(publisher, '{"type":"clock","tagMs":0,"captureMs":5}', 70);
	live.tick(100);
	live.tick(150);
	sendTags(live, publisher, [interFrame(40)], 160);
	live.tick(200);
	expect(sink.texts.map((text) => JSON.parse(text))).toEqual([
		{ type: "ack", messages: 4 },
		{ type: "ack", messages: 5 },
	]);
	const other = publish(live, 300);
	other.send([...CONFIGS(0), keyFrame(0)], 310);
	live.tick(350);
	expect(other.sink.texts).toEqual([]);
});

test("splices a publisher that comes back at once without anyone being told", () => {
	const { live, changes } = stream();
	const first = publish(live);
	first.send([...CONFIGS(0), keyFrame(0)]);
	live.publisherGone(first.publisher, 1_000);
	live.tick(2_900);
	publish(live, 2_900).send([...CONFIGS(0), keyFrame(0)], 2_950);
	live.tick(5_000);
	expect(changes.map((change) => change.state)).toEqual(["live"]);
});

test("goes idle when its publisher stays away, and plays nothing stale to a late joiner", () => {
	const { live, changes } = stream();
	const { publisher, send } = publish(live);
	send([...CONFIGS(0), keyFrame(0), interFrame(40)]);
	live.publisherGone(publisher, 1_000);
	live.tick(3_000);
	expect(changes.map((change) => change.state)).toEqual(["live"]);
	live.tick(3_001);
	expect(changes.map((change) => change.state)).toEqual(["live", "idle"]);
	const { sink } = subscribe(live, 3_001);
	const next = publish(live, 4_000);
	next.send([...CONFIGS(0), sound(0), keyFrame(20)]);
	expect(summary(sink)).toEqual(["video-config@80", "audio-config@80", "audio@80", "key@100"]);
	expect(changes.map((change) => change.state)).toEqual(["live", "idle", "live"]);
});

test("a slow subscriber is skipped while another gets every tag", () => {
	const { live } = stream();
	const { send } = publish(live);
	const slow = subscribe(live, 0, { acknowledges: true });
	const fast = subscribe(live, 0, { acknowledges: true });
	const sent: FlvTag[] = [...CONFIGS(0)];
	send(sent);
	for (let ms = 0; ms < 6_000; ms += 40) {
		const tag = ms % 1_000 === 0 ? keyFrame(ms) : interFrame(ms);
		sent.push(tag);
		send([tag], ms);
		live.fanout.subscriberMessage(fast.subscriber, JSON.stringify({ type: "ack", tags: sent.length }), ms);
	}
	expect(fast.sink.tags).toHaveLength(sent.length);
	expect(slow.sink.tags.at(-1)?.timestampMs).toBe(2_000);
	expect(live.stats(6_000).subscribers.map(({ skippedTags }) => skippedTags)).toEqual([99, 0]);
});

test("a subscriber whose socket is gone does not disturb the others", () => {
	const { live } = stream();
	const { send } = publish(live);
	const dead = subscribe(live);
	const well = subscribe(live);
	send([...CONFIGS(0), keyFrame(0)]);
	dead.sink.gone = true;
	send([interFrame(40), interFrame(80)]);
	expect(summary(well.sink).slice(3)).toEqual(["inter@40", "inter@80"]);
	expect(live.stats(0).subscribers).toHaveLength(1);
});

test("closes a subscriber that sends nonsense, and only that one", () => {
	const { live } = stream();
	const { send, sink: peer } = publish(live);
	const bad = subscribe(live, 0, { acknowledges: true });
	const well = subscribe(live);
	live.fanout.subscriberMessage(bad.subscriber, "nonsense", 0);
	expect(bad.sink.closed).toMatchObject({ kind: "badMedia" });
	send([...CONFIGS(0), keyFrame(0)]);
	expect(summary(well.sink)).toHaveLength(3);
	expect(peer.closed).toBeUndefined();
});

test.each([
	["text", "hello", "badMedia", "publisher: expected JSON, got other text"],
	["garbage", new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).buffer, "badMedia", "expected tag type"],
	["nothing", new ArrayBuffer(0), "badMedia", "expected"],
	["HEVC", message(hevcKeyFrame(0)), "badMedia", "HEVC"],
	["too much", new ArrayBuffer(MAX_MEDIA_MESSAGE_BYTES + 1), "tooLarge", "expected at most"],
] as const)("closes a publisher that sends %s", (_name, data, kind, reason) => {
	const { live } = stream();
	const { publisher, sink } = publish(live);
	live.publisherMessage(publisher, data, 0);
	expect(sink.closed).toMatchObject({ kind, reason: expect.stringContaining(reason) });
	expect(live.stats(0).publisherConnected).toBe(false);
});

test("closes a publisher whose configuration cannot be decoded with", () => {
	const { live } = stream();
	const { send, sink } = publish(live);
	const config = videoConfig(0);
	send([{ ...config, body: config.body.subarray(0, 12) }]);
	expect(sink.closed).toMatchObject({ kind: "badMedia", reason: expect.stringContaining("expected") });
});

test("closes a person's publisher that brings no picture, at its next tag or without one", () => {
	for (const provoke of ["tag", "tick"]) {
		const { live } = stream();
		const { send, sink } = publish(live, 1_000);
		send([audioConfig(0), sound(0)], 1_000);
		live.tick(11_000);
		expect(sink.closed).toBeUndefined();
		provoke === "tag" ? send([sound(20)], 11_001) : live.tick(11_001);
		expect(sink.closed).toEqual({ kind: "noMedia", reason: "expected a video track within 10 s, got audio only" });
	}
});

test("closes a publisher that has gone silent", () => {
	const { live } = stream();
	const { send, sink } = publish(live);
	send([...CONFIGS(0), keyFrame(0)], 0);
	live.tick(30_000);
	expect(sink.closed).toBeUndefined();
	live.tick(30_001);
	expect(sink.closed).toMatchObject({ kind: "stalled" });
});

test("limits subscribers, and those that do not acknowledge more tightly", () => {
	const { live } = stream();
	for (let count = 0; count < MAX_UNACKNOWLEDGING_SUBSCRIBERS; count++) {
		expect(live.fanout.hasRoomFor({ acknowledges: false })).toBe(true);
		subscribe(live);
	}
	expect(live.fanout.hasRoomFor({ acknowledges: false })).toBe(false);
	for (let count = MAX_UNACKNOWLEDGING_SUBSCRIBERS; count < MAX_SUBSCRIBERS; count++) {
		expect(live.fanout.hasRoomFor({ acknowledges: true })).toBe(true);
		subscribe(live, 0, { acknowledges: true });
	}
	expect(live.fanout.hasRoomFor({ acknowledges: true })).toBe(false);
});

test("ends everyone, and hears nothing more", () => {
	const { live } = stream();
	const { send, sink: peer } = publish(live);
	const { sink } = subscribe(live);
	live.end("the broadcast has ended");
	expect(peer.closed).toEqual({ kind: "ended", reason: "the broadcast has ended" });
	expect(sink.closed).toEqual({ kind: "ended", reason: "the broadcast has ended" });
	send([...CONFIGS(0), keyFrame(0)]);
	expect(sink.tags).toEqual([]);
});

test("figures say codecs, size, rates and who is there", () => {
	const { live } = stream();
	const { send } = publish(live);
	send(CONFIGS(0));
	for (let ms = 0; ms <= 4_000; ms += 40) {
		send([ms % 1_000 === 0 ? keyFrame(ms) : interFrame(ms), sound(ms)], ms);
	}
	expect(live.stats(4_100)).toEqual({
		stream: "host",
		publisherConnected: true,
		videoCodec: "avc",
		audioCodec: "aac",
		width: 1280,
		height: 720,
		frameRate: 25,
		bitrateBps: 25 * 8 * (26 + 18),
		tags: 202,
		lastTagAgeMs: 100,
		subscribers: [],
	});
	expect(live.stats(60_000)).toMatchObject({ frameRate: 0, bitrateBps: 0 });
});

test("a compositor that makes no picture for 1.2 s is let go and idle, though it is connected and sends sound", () => {
	const { live, changes } = composite();
	const { send, sink } = publish(live);
	send([...CONFIGS(0), keyFrame(0), interFrame(40)], 40);
	for (let ms = 60; ms <= 40 + COMPOSITE_STALLED_AFTER_MS; ms += 20) {
		send([sound(ms)], ms);
		live.tick(ms);
	}
	expect(sink.closed).toBeUndefined();
	expect(changes.map(({ state }) => state)).toEqual(["live"]);
	live.tick(41 + COMPOSITE_STALLED_AFTER_MS);
	expect(sink.closed).toMatchObject({ kind: "stalled", reason: expect.stringContaining("expected a frame within") });
	expect(changes.map(({ state }) => state)).toEqual(["live", "idle"]);
	expect(live.hasPublisher).toBe(false);
	live.tick(60_000);
	expect(changes).toHaveLength(2);
});

test("a compositor that was cut off is idle as soon", () => {
	const { live, changes } = composite();
	const { send, publisher } = publish(live);
	send([...CONFIGS(0), keyFrame(0)], 0);
	live.publisherGone(publisher, 10);
	live.tick(COMPOSITE_STALLED_AFTER_MS);
	expect(changes.map(({ state }) => state)).toEqual(["live"]);
	live.tick(COMPOSITE_STALLED_AFTER_MS + 1);
	expect(changes.map(({ state }) => state)).toEqual(["live", "idle"]);
	expect(live.needsTicks).toBe(false);
});

test("a person whose pictures stop for a while is not let go", () => {
	const { live, changes } = stream();
	const { send, sink } = publish(live);
	send([...CONFIGS(0), keyFrame(0)], 0);
	live.tick(10_000);
	expect(sink.closed).toBeUndefined();
	expect(changes.map(({ state }) => state)).toEqual(["live"]);
});

test("a compositor that takes over from a live one is told of, since it is another", () => {
	const { live, changes } = composite();
	publish(live).send([...CONFIGS(0), keyFrame(0)], 0);
	publish(live, 100).send([...CONFIGS(0), keyFrame(0)], 100);
	expect(changes.map(({ state }) => state)).toEqual(["live", "live"]);
});

test("what a compositor says of a picture goes with that picture alone", () => {
	const { live, tags } = composite();
	const { publisher, send } = publish(live);
	const shows = (programMs: number, hostMs: number) =>
		live.publisherMessage(publisher, JSON.stringify({ type: "shows", programMs, hostMs }), 0);
	send(CONFIGS(0));
	shows(0, 5_000);
	send([sound(0), keyFrame(0), interFrame(40)]);
	// Of a picture that was never sent.
	shows(60, 5_060);
	send([interFrame(80)]);
	shows(2 ** 32 - 1, 7);
	send([interFrame(120)]);
	expect(tags.map(({ track, showsHostMs }) => [track, showsHostMs])).toEqual([
		["audio", undefined],
		["video", 5_000],
		["video", undefined],
		["video", undefined],
		["video", undefined],
	]);
});

test("what it says is matched to the compositor's own time, not to the stream's", () => {
	const { live, tags } = composite();
	publish(live).send([...CONFIGS(9_000), keyFrame(9_000)]);
	const { publisher, send } = publish(live, 100);
	send(CONFIGS(0));
	live.publisherMessage(publisher, JSON.stringify({ type: "shows", programMs: 0, hostMs: 123 }), 100);
	send([keyFrame(0)], 100);
	expect(tags.at(-1)).toMatchObject({ timeMs: 9_033, showsHostMs: 123 });
});

test.each([
	["no JSON", "shows", "expected JSON, got other text"],
	["another message", JSON.stringify({ type: "ack", tags: 1 }), "got other fields"],
	["a time of more than 32 bits", JSON.stringify({ type: "shows", programMs: 2 ** 32, hostMs: 0 }), "got other fields"],
])("closes a compositor that says %s", (_name, text, reason) => {
	const { live } = composite();
	const { publisher, sink } = publish(live);
	live.publisherMessage(publisher, text, 0);
	expect(sink.closed).toEqual({ kind: "badMedia", reason: expect.stringContaining(reason) });
});

test("tells its publisher, and nobody where there is none", () => {
	const { live } = composite();
	live.tellPublisher("nobody");
	const { sink, publisher } = publish(live);
	live.tellPublisher("hello");
	expect(sink.texts).toEqual(["hello"]);
	live.closePublisher("takenOver", "lower fence", 0);
	expect(sink.closed).toEqual({ kind: "takenOver", reason: "lower fence" });
	live.publisherMessage(publisher, message(keyFrame(0)), 0);
	expect(live.state).toBe("idle");
});

/** An inter frame with a composition time, as one that is shown later than it is decoded has it. */
function reordered(ms: number, compositionMs: number): FlvTag {
	const tag = interFrame(ms);
	new DataView(tag.body.buffer).setInt32(1, (0x01 << 24) | (compositionMs & 0xff_ff_ff));
	return tag;
}

test.each([40, -40])("says at once that pictures are out of order, by a composition time of %d ms", (compositionMs) => {
	const { live, changes } = stream();
	const { send } = publish(live);
	send([...CONFIGS(0), keyFrame(0), interFrame(40)]);
	expect(live.facts).toEqual({
		videoCodec: "avc",
		audioCodec: "aac",
		size: { width: 1280, height: 720 },
		reordersPictures: false,
	});
	expect(changes).toHaveLength(1);
	send([reordered(80, compositionMs), reordered(120, compositionMs)]);
	expect(live.facts.reordersPictures).toBe(true);
	expect(changes.map(({ state }) => state)).toEqual(["live", "live"]);
	// The next publisher may be another encoder.
	publish(live, 200).send([...CONFIGS(0), keyFrame(0)], 200);
	expect(live.facts.reordersPictures).toBe(false);
	expect(changes).toHaveLength(3);
});

test("numbers its time's epochs, so that a jump is not taken for a pause", () => {
	const tags: StreamTag[] = [];
	const live = new LiveStream({ stream: "host", onChange: () => {}, onTag: (tag) => tags.push(tag) });
	const { send } = publish(live);
	send([...CONFIGS(0), keyFrame(0), interFrame(40)], 0);
	send([interFrame(9_000)], 80);
	send([interFrame(9_040)], 120);
	expect(tags.map(({ timeMs, epoch }) => [timeMs, epoch])).toEqual([
		[0, 1],
		[40, 1],
		[80, 2],
		[120, 2],
	]);
});
