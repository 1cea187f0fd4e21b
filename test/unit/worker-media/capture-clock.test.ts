import fc from "fast-check";
import { expect, test } from "vitest";
import { unwrapNearMs, wrapMs } from "../../../media/timestamp.ts";
import {
	captureClockSchema,
	type SubscriberNote,
	subscriberNoteSchema,
} from "../../../worker/protocol/media-socket.ts";
import { LiveStream } from "../../../worker/router/live-stream.ts";
import { RecordingSink } from "./recording-sink.ts";
import { audioConfig, interFrame, keyFrame, message, sound, videoConfig } from "./wsflv-fixtures.ts";

/** A publisher's clock, in Unix milliseconds with fractions. */
const T0 = 1_790_000_000_000.25;

/** What came of tags and words, in order. */
class OrderedSink extends RecordingSink {
	readonly order: (string | SubscriberNote)[] = [];

	override send(bytes: Uint8Array): boolean {
		const sent = super.send(bytes);
		const tag = this.messages.length > 1 ? this.tags.at(-1) : undefined;
		if (tag !== undefined && tag.body[1] !== 0) {
			this.order.push(`${tag.type === 8 ? "audio" : "video"}@${tag.timestampMs}`);
		}
		return sent;
	}

	override sendText(text: string): boolean {
		this.order.push(subscriberNoteSchema.parse(JSON.parse(text)));
		return super.sendText(text);
	}

	get clocks(): SubscriberNote[] {
		return this.order.filter((each) => typeof each !== "string");
	}
}

function person() {
	const live = new LiveStream({ stream: "guest", onChange: () => {} });
	const publish = (session?: string, nowMs = 0) => {
		const sink = new RecordingSink();
		const publisher = live.publish(sink, nowMs, { session });
		return {
			sink,
			say: (text: string, atMs = nowMs) => live.publisherMessage(publisher, text, atMs),
			clock: (tagMs: number, captureMs: number) =>
				live.publisherMessage(publisher, JSON.stringify({ type: "clock", tagMs, captureMs }), nowMs),
			send: (tags: Parameters<typeof message>[0][], atMs = nowMs) => {
				for (const tag of tags) {
					live.publisherMessage(publisher, message(tag), atMs);
				}
			},
		};
	};
	const subscribe = (acknowledges = true, nowMs = 0) => {
		const sink = new OrderedSink();
		live.fanout.subscribe(sink, { id: "s", acknowledges, withGroup: true }, nowMs);
		return sink;
	};
	return { live, publish, subscribe };
}

const START = (ms: number) => [videoConfig(ms), audioConfig(ms), keyFrame(ms)];

test("is told ahead of the first tag, once, and to a late joiner too", () => {
	const { publish, subscribe } = person();
	const early = subscribe();
	const { clock, send } = publish();
	clock(500, T0);
	send([...START(500), sound(510), interFrame(540)]);
	const told = { type: "clock", tagMs: 500, captureMs: T0 };
	expect(early.order).toEqual([told, "video@500", "audio@510", "video@540"]);
	const late = subscribe();
	send([interFrame(580)]);
	expect(late.order).toEqual([told, "video@500", "audio@510", "video@540", "video@580"]);
});

test("a subscriber that does not acknowledge hears media only", () => {
	const { publish, subscribe } = person();
	const early = subscribe(false);
	const { clock, send } = publish();
	clock(0, T0);
	send(START(0));
	expect(subscribe(false).texts).toEqual([]);
	expect(early.texts).toEqual([]);
	expect(early.order).toEqual(["video@0"]);
});

test("is told again only when it has moved by five milliseconds, and holds from the next tag on", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const { clock, send } = publish();
	clock(0, T0);
	send(START(0));
	clock(40, T0 + 42);
	send([interFrame(40)]);
	clock(80, T0 + 84.9);
	send([interFrame(80)]);
	clock(120, T0 + 125);
	send([sound(120), interFrame(120)]);
	expect(sink.order.slice(3)).toEqual([
		"video@80",
		{ type: "clock", tagMs: 120, captureMs: T0 + 125 },
		"audio@120",
		"video@120",
	]);
});

test("is said in the stream's time after a take-over, and is the new publisher's alone", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const older = publish();
	older.clock(5_000, T0);
	older.send([...START(5_000), interFrame(5_040)]);
	const newer = publish();
	newer.clock(0, T0 + 100_000);
	newer.send([...START(0), interFrame(40)]);
	expect(sink.clocks[1]).toEqual({ type: "clock", tagMs: 5_080, captureMs: T0 + 100_000 });
	const silent = publish();
	silent.send([...START(70_000), interFrame(70_040)]);
	// Said once, ahead of the first tag that it does not hold for.
	expect(sink.clocks.slice(2)).toEqual([{ type: "clock-unknown" }]);
	expect(sink.order.slice(-3)).toEqual([{ type: "clock-unknown" }, expect.any(String), expect.any(String)]);
	// Whoever joins now is not told the clock of somebody who has gone.
	expect(subscribe().clocks).toEqual([]);
});

test("a clock that was said before any media is gone with who said it", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	publish().clock(0, T0);
	publish().send(START(0));
	expect(sink.order).toEqual(["video@0"]);
});

test("a publisher of the same session that says again what it said moves no clock", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const first = publish("s");
	first.clock(1_000, T0);
	first.send([...START(1_000), interFrame(1_040), interFrame(1_080)]);
	const again = publish("s", 500);
	again.clock(1_000, T0);
	again.send([...START(1_000), interFrame(1_040), interFrame(1_080), interFrame(1_120)], 500);
	expect(sink.clocks).toEqual([{ type: "clock", tagMs: 1_000, captureMs: T0 }]);
	again.clock(1_160, T0 + 260);
	again.send([keyFrame(1_160)], 700);
	expect(sink.clocks[1]).toEqual({ type: "clock", tagMs: 1_160, captureMs: T0 + 260 });
});

test("what was said of a time that has jumped holds no more, until it is said anew", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const { clock, send } = publish();
	clock(0, T0);
	send(START(0));
	send([keyFrame(3_600_000)], 40);
	expect(sink.clocks.slice(1)).toEqual([{ type: "clock-unknown" }]);
	expect(subscribe(true, 40).clocks).toEqual([]);
	clock(3_600_040, T0 + 80);
	send([interFrame(3_600_040)], 80);
	expect(sink.clocks[2]).toEqual({ type: "clock", tagMs: 73, captureMs: T0 + 80 });
});

test("a jump that it is said ahead of is known at once", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const { clock, send } = publish();
	clock(0, T0);
	send(START(0));
	clock(3_600_000, T0 + 50);
	send([keyFrame(3_600_000)], 40);
	expect(sink.clocks[1]).toEqual({ type: "clock", tagMs: 33, captureMs: T0 + 50 });
});

test("a tag that had to be put right behind the one before moves no clock", () => {
	const { publish, subscribe } = person();
	const sink = subscribe();
	const { clock, send } = publish();
	clock(0, T0);
	send([...START(0), sound(300), sound(20), sound(320)]);
	expect(sink.order).toContain("audio@301");
	expect(sink.clocks).toHaveLength(1);
});

test("finds the moment of any tag's capture, wherever time starts, whoever publishes, across the wrap of 32 bits", () => {
	const publisher = fc.record({
		startMs: fc.oneof(
			fc.integer({ min: 0, max: 2 ** 32 - 1 }),
			fc.constantFrom(2 ** 24, 2 ** 31, 2 ** 32).chain((end) => fc.integer({ min: end - 2_000, max: end - 1 })),
		),
		captureMs: fc.double({ min: 1e12, max: 2e12, noNaN: true }),
		clockAheadMs: fc.integer({ min: -1_000, max: 1_000 }),
		sameSession: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(publisher, { minLength: 1, maxLength: 4 }), (publishers) => {
			const { publish, subscribe } = person();
			const sink = subscribe();
			for (const { startMs, captureMs, clockAheadMs, sameSession } of publishers) {
				const { clock, send } = publish(sameSession ? "s" : undefined);
				clock(wrapMs(startMs + clockAheadMs), captureMs + clockAheadMs);
				for (let atMs = 0; atMs < 3_000; atMs += 100) {
					const before = sink.order.length;
					const isKey = atMs % 1_000 === 0;
					const tagMs = wrapMs(startMs + atMs);
					send(isKey ? START(tagMs) : [interFrame(tagMs)], atMs);
					const got = sink.order.at(-1);
					const { tagMs: saidMs, captureMs: saidCaptureMs } = captureClockSchema.parse(sink.clocks.at(-1));
					if (typeof got === "string" && sink.order.length > before) {
						const streamMs = Number(got.split("@")[1]);
						const foundMs = saidCaptureMs + unwrapNearMs(streamMs, saidMs) - saidMs;
						expect(Math.abs(foundMs - captureMs - atMs)).toBeLessThan(5);
					}
				}
			}
			expect(sink.order.length).toBeGreaterThan(20);
		}),
		{ numRuns: 100 },
	);
});

test.each([
	["no JSON", "clock"],
	["another word", '{"type":"shows","programMs":0,"hostMs":0}'],
	["a compositor's word", '{"type":"legs","realTime":["host"]}'],
	["a time that is no time", '{"type":"clock","tagMs":-1,"captureMs":5}'],
	["a time of more than 32 bits", '{"type":"clock","tagMs":4294967296,"captureMs":5}'],
	["no time of capture", '{"type":"clock","tagMs":0}'],
	["an endless one", '{"type":"clock","tagMs":0,"captureMs":1e999}'],
])("closes a person's publisher that says %s", (_, text) => {
	const { publish } = person();
	const { sink, say } = publish();
	say(text);
	expect(sink.closed).toMatchObject({ kind: "badMedia" });
});

test("a compositor says what it shows and by which legs, and no clock", () => {
	const heard: unknown[] = [];
	const live = new LiveStream({
		stream: "composite/main",
		onChange: () => {},
		onLegs: (legs, nowMs) => heard.push([legs, nowMs]),
	});
	const sink = new RecordingSink();
	const publisher = live.publish(sink, 0);
	live.publisherMessage(publisher, '{"type":"legs","realTime":["host","guest"]}', 5);
	live.publisherMessage(publisher, '{"type":"shows","programMs":0,"hostMs":0}', 6);
	expect(sink.closed).toBeUndefined();
	expect(heard).toEqual([[{ type: "legs", realTime: ["host", "guest"] }, 5]]);
	live.publisherMessage(publisher, '{"type":"legs","realTime":["compositor"]}', 7);
	expect(sink.closed).toMatchObject({ kind: "badMedia" });
	const other = new RecordingSink();
	live.publisherMessage(live.publish(other, 8), '{"type":"clock","tagMs":0,"captureMs":5}', 8);
	expect(other.closed).toMatchObject({ kind: "badMedia" });
});
