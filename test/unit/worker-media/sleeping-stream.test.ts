import { expect, test } from "vitest";
import type { StreamChange } from "../../../worker/protocol/object-rpc.ts";
import { RESTS_AFTER_MS } from "../../../worker/router/fanout.ts";
import { SILENT_AFTER_MS } from "../../../worker/router/ingest-guard.ts";
import { LiveStream } from "../../../worker/router/live-stream.ts";
import { RecordingSink } from "./recording-sink.ts";
import { audioConfig, interFrame, keyFrame, message, sound, videoConfig } from "./wsflv-fixtures.ts";

const SLEEP = '{"type":"sleep"}';
const WAKE = '{"type":"wake"}';
const ASLEEP = '{"type":"asleep"}';
const HOUR_MS = 3_600_000;

function world(sleeps = true) {
	const changes: StreamChange[] = [];
	const live = new LiveStream({ stream: "host", onChange: (change) => changes.push(change) });
	const sink = new RecordingSink();
	/** Subscribers take all there is. */
	const taken: ((nowMs: number) => void)[] = [];
	const publisher = live.publish(sink, 0, { session: "session", sleeps });
	const send = (tags: Parameters<typeof message>[0][], nowMs: number) => {
		for (const tag of tags) {
			live.publisherMessage(publisher, message(tag), nowMs);
		}
		for (const take of taken) {
			take(nowMs);
		}
	};
	const subscribe = (acknowledges = true, nowMs = 0) => {
		const subscriber = new RecordingSink();
		const subscribed = live.fanout.subscribe(subscriber, { id: "s", acknowledges, withGroup: true }, nowMs);
		taken.push((atMs) => {
			live.fanout.subscriberMessage(subscribed, JSON.stringify({ type: "ack", tags: subscriber.tags.length }), atMs);
		});
		return subscriber;
	};
	const tick = (fromMs: number, untilMs: number, everyMs = 50) => {
		for (let nowMs = fromMs; nowMs <= untilMs; nowMs += everyMs) {
			live.tick(nowMs);
		}
	};
	return { live, changes, sink, publisher, send, subscribe, tick };
}

const START = [videoConfig(0), audioConfig(0), keyFrame(0), sound(5), interFrame(40)];
const timesOf = (sink: RecordingSink) => sink.tags.filter(({ body }) => body[1] !== 0).map((tag) => tag.timestampMs);

test("a publisher that sleeps for an hour is connected and live, and nobody is told otherwise", () => {
	const { live, changes, sink, send, tick } = world();
	send(START, 40);
	expect(live.setAsleep(true, 100)).toBe(true);
	tick(150, HOUR_MS, 5_000);
	expect(sink.texts).toEqual([SLEEP]);
	expect(sink.closed).toBeUndefined();
	expect(live.state).toBe("live");
	expect(live.hasPublisher).toBe(true);
	expect(changes.map(({ state }) => state)).toEqual(["live"]);
});

test("woken, it goes on at its own time: the pause in arrival is a pause in time, and its first key frame is heard", () => {
	const { live, sink, send, subscribe, tick } = world();
	const early = subscribe();
	send(START, 40);
	live.setAsleep(true, 100);
	tick(150, 1_000);
	expect(live.setAsleep(false, HOUR_MS)).toBe(true);
	expect(sink.texts).toEqual([SLEEP, WAKE]);
	tick(HOUR_MS, HOUR_MS + 100);
	expect(sink.closed).toBeUndefined();
	send(
		[sound(HOUR_MS + 60), videoConfig(HOUR_MS + 80), keyFrame(HOUR_MS + 80), interFrame(HOUR_MS + 120)],
		HOUR_MS + 130,
	);
	expect(timesOf(early)).toEqual([0, 5, 40, HOUR_MS + 60, HOUR_MS + 80, HOUR_MS + 120]);
	expect(early.tags.filter(({ body }) => body[1] === 0)).toHaveLength(2);
});

test("one that does not wake is a dead line, as any other", () => {
	const { live, sink, send, tick } = world();
	send(START, 40);
	live.setAsleep(true, 100);
	live.setAsleep(false, HOUR_MS);
	tick(HOUR_MS, HOUR_MS + SILENT_AFTER_MS);
	expect(sink.closed).toBeUndefined();
	live.tick(HOUR_MS + SILENT_AFTER_MS + 1);
	expect(sink.closed).toMatchObject({ kind: "stalled" });
});

test("subscribers hear of it once what was on its way has come, late joiners too, stock players never", () => {
	const { live, send, subscribe, tick } = world();
	const early = subscribe();
	const player = subscribe(false);
	send(START, 40);
	live.setAsleep(true, 100);
	expect(early.texts).toEqual([]);
	// What the publisher sent before it heard: to a subscriber the next tag ends its rest.
	send([interFrame(80)], 120);
	tick(150, 120 + RESTS_AFTER_MS - 1);
	expect(early.texts).toEqual([]);
	tick(120 + RESTS_AFTER_MS, 1_000);
	expect(early.texts).toEqual([ASLEEP]);
	expect(subscribe(true, 2_000).texts).toEqual([ASLEEP]);
	send([interFrame(2_000)], 2_050);
	tick(2_100, 3_000);
	expect(early.texts).toEqual([ASLEEP, ASLEEP]);
	live.setAsleep(false, 4_000);
	expect(subscribe(true, 4_010).texts).toEqual([]);
	send([keyFrame(4_050)], 4_060);
	tick(4_100, 6_000);
	expect(early.texts).toEqual([ASLEEP, ASLEEP]);
	expect(player.texts).toEqual([]);
	expect(subscribe(false, 6_000).texts).toEqual([]);
});

test("a publisher that cannot is not told to sleep, nor one that has shown no picture yet", () => {
	const plain = world(false);
	plain.send(START, 0);
	expect(plain.live.setAsleep(true, 100)).toBe(false);
	expect(plain.sink.texts).toEqual([]);
	const { live, sink, send } = world();
	send([audioConfig(0), sound(0)], 0);
	expect(live.setAsleep(true, 10)).toBe(false);
	send(START, 20);
	expect(live.setAsleep(true, 30)).toBe(true);
	expect(sink.texts).toEqual([SLEEP]);
});

test("one whose line breaks while it sleeps goes on where it was, and is idle when it stays away", () => {
	const { live, changes, send, publisher, subscribe } = world();
	const early = subscribe();
	send(START, 40);
	live.setAsleep(true, 100);
	live.publisherGone(publisher, 60_000);
	const again = live.publish(new RecordingSink(), 60_500, { session: "session", sleeps: true });
	for (const tag of [videoConfig(60_480), keyFrame(60_480)]) {
		live.publisherMessage(again, message(tag), 60_520);
	}
	expect(timesOf(early).at(-1)).toBe(60_480);
	expect(changes).toHaveLength(1);
	live.setAsleep(true, 61_000);
	live.publisherGone(again, 62_000);
	live.tick(65_000);
	expect(live.state).toBe("idle");
	expect(subscribe(true, 66_000).texts).toEqual([]);
});

test("one that is told to sleep is not asked for the picture it has not sent, nor for sound", () => {
	const { live, sink, send, tick } = world();
	send(START, 40);
	live.setAsleep(true, 100);
	tick(150, 20 * HOUR_MS, 60_000);
	live.setAsleep(false, 20 * HOUR_MS);
	send([keyFrame(20 * HOUR_MS + 40)], 20 * HOUR_MS + 50);
	expect(sink.closed).toBeUndefined();
});
