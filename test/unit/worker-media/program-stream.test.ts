import { expect, test } from "vitest";
import type { KeyFrameRequest } from "../../../worker/protocol/media-socket.ts";
import type { ProgramPlan, ProgramSource } from "../../../worker/protocol/object-rpc.ts";
import { ProgramStream } from "../../../worker/router/program-stream.ts";
import type { StreamTag } from "../../../worker/router/stream-tag.ts";
import { RecordingSink } from "./recording-sink.ts";
import { COMPOSITE, markOf, picture, sound } from "./splicer/tags.ts";

const PLAN: ProgramPlan = {
	onAir: true,
	prefers: "host",
	width: 96,
	height: 80,
	allowsBFrames: true,
	minFence: 0,
	holdSeconds: 120,
};

function programStream() {
	const sources: ProgramSource[] = [];
	const held: StreamTag[] = [];
	const requests: KeyFrameRequest[] = [];
	const stream = new ProgramStream({
		onSource: (source) => sources.push(source),
		onHold: (keyFrame) => held.push(keyFrame),
		onKeyFrameRequest: (request) => requests.push(request),
	});
	const sink = new RecordingSink();
	stream.fanout.subscribe(sink, { id: "s", acknowledges: false, withGroup: true }, 0);
	const marks = () =>
		sink.messages
			.slice(1)
			.map(markOf)
			.filter((mark) => mark > 0);
	return { stream, sources, held, requests, sink, marks };
}

/** The host from a time to another, marked with its times, ticks included. */
function hostRuns(stream: ProgramStream, fromMs: number, toMs: number, groupMs = 1_000): void {
	for (let ms = fromMs; ms < toMs; ms += 20) {
		if (ms % 40 === 0) {
			stream.push("host", picture({ timeMs: ms, keyFrame: ms % groupMs === 0, mark: ms }), ms);
		}
		stream.push("host", sound({ timeMs: ms }), ms);
		stream.tick(ms);
	}
}

test("nothing is sent before the broadcast is on air, and nothing of before once it is", () => {
	const { stream, sources, marks, sink } = programStream();
	hostRuns(stream, 0, 1_500);
	stream.plan({ ...PLAN, onAir: false }, 1_500);
	hostRuns(stream, 1_500, 1_700);
	expect(sink.tags).toEqual([]);
	expect(stream.source).toBe("none");
	stream.plan(PLAN, 1_700);
	hostRuns(stream, 1_700, 2_100);
	expect(sources).toEqual(["host"]);
	expect(Math.min(...marks())).toBe(2_000);
	expect(sink.tags[0]?.timestampMs).toBe(0);
});

test("is silent again once it is off air, or ended", () => {
	const { stream, sink } = programStream();
	stream.plan(PLAN, 0);
	hostRuns(stream, 0, 200);
	stream.plan({ ...PLAN, onAir: false }, 200);
	const sent = sink.tags.length;
	hostRuns(stream, 200, 1_200);
	expect(sink.tags).toHaveLength(sent);
	expect(stream.programStats(1_200).source).toBe("none");
	expect(stream.withoutSourceMs(1_200)).toBe(0);
	stream.end("over");
	expect(sink.closed).toEqual({ kind: "ended", reason: "over" });
	expect(stream.needsTicks).toBe(false);
});

test("the same plan again changes nothing, another preference does", () => {
	const { stream, requests } = programStream();
	stream.plan(PLAN, 0);
	hostRuns(stream, 0, 400);
	stream.plan(PLAN, 400);
	stream.push("composite", picture({ timeMs: 0, keyFrame: true, encoder: COMPOSITE }), 400);
	hostRuns(stream, 400, 500);
	expect(requests).toEqual([]);
	stream.plan({ ...PLAN, prefers: "composite" }, 500);
	hostRuns(stream, 500, 600);
	expect(requests).toEqual([{ type: "key-frame", afterHostMs: 480 }]);
	stream.push("composite", picture({ timeMs: 200, keyFrame: true, encoder: COMPOSITE, showsHostMs: 480 }), 600);
	expect(stream.source).toBe("host");
	stream.push("composite", picture({ timeMs: 240, keyFrame: true, encoder: COMPOSITE, showsHostMs: 520 }), 610);
	expect(stream.source).toBe("composite");
});

test("tells of a hold with its key frame, and holds on with it in another life", () => {
	const { stream, sources, held } = programStream();
	stream.plan(PLAN, 0);
	hostRuns(stream, 0, 1_200);
	stream.gone("host", 1_200);
	for (let ms = 1_200; ms < 3_200; ms += 50) {
		stream.tick(ms);
	}
	expect(sources).toEqual(["host", "hold"]);
	expect(held.map(({ message }) => markOf(message))).toEqual([1_000]);
	expect(stream.withoutSourceMs(3_000)).toBeGreaterThan(1_000);
	const [keyFrame] = held;
	const after = programStream();
	after.stream.plan(PLAN, 50_000, true);
	after.stream.restore(structuredClone(keyFrame) as StreamTag, 50_000);
	for (let ms = 50_000; ms < 52_000; ms += 50) {
		after.stream.tick(ms);
	}
	expect(after.sources).toEqual(["hold"]);
	expect(after.sink.tags.filter(({ type, body }) => type === 9 && body[1] === 1)).toHaveLength(4);
	expect(after.stream.withoutSourceMs(52_000)).toBe(2_000);
});

test.each([
	["that begins composed waits twenty seconds for its compositor", { beginsComposed: true }, false, 20_000],
	["that does not begins at once", {}, false, 0],
	["that was on air waits a moment for its compositor to come back", {}, true, 1_500],
])("a program %s", (_name, more, resumes, waitsMs) => {
	const { stream, marks } = programStream();
	stream.plan({ ...PLAN, prefers: "composite", ...more }, 0, resumes);
	hostRuns(stream, 0, waitsMs + 1_000, 400);
	expect(stream.source).toBe("host");
	expect(stream.programStats(waitsMs + 1_000).sinceMs).toBeGreaterThan(500);
	expect(Math.min(...marks())).toBeGreaterThanOrEqual(waitsMs - 400);
});

test("a program that goes on with the host is not kept waiting for it", () => {
	const { stream, marks } = programStream();
	stream.plan(PLAN, 0, true);
	hostRuns(stream, 0, 100);
	expect(marks()[0]).toBe(40);
});

test("an unfit host is not shown, whether it was on air or not", () => {
	const { stream, sources } = programStream();
	stream.plan(PLAN, 0);
	stream.setHostFit(false);
	hostRuns(stream, 0, 1_100);
	expect(sources).toEqual([]);
	stream.setHostFit(true);
	hostRuns(stream, 1_100, 1_300);
	expect(sources).toEqual(["host"]);
	stream.setHostFit(false);
	hostRuns(stream, 1_300, 2_000);
	expect(sources).toEqual(["host", "hold"]);
});

test("figures say what is on, since when, and how long it was held", () => {
	const { stream } = programStream();
	stream.plan(PLAN, 0);
	hostRuns(stream, 0, 1_000);
	expect(stream.stats(1_000)).toMatchObject({
		stream: "program/main",
		publisherConnected: true,
		width: 96,
		height: 80,
	});
	expect(stream.stats(1_000).frameRate).toBe(25);
	stream.gone("host", 1_000);
	for (let ms = 1_000; ms < 3_000; ms += 50) {
		stream.tick(ms);
	}
	const { source, heldMs, switches } = stream.programStats(3_000);
	expect([source, switches]).toEqual(["hold", 1]);
	expect(heldMs).toBeGreaterThan(1_400);
	expect(heldMs).toBeLessThan(1_600);
});
