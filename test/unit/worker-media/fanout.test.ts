import { expect, test } from "vitest";
import { Fanout } from "../../../worker/router/fanout.ts";
import type { StreamTag } from "../../../worker/router/stream-tag.ts";
import { RecordingSink } from "./recording-sink.ts";
import { COMPOSITE, HOST, picture, sound } from "./splicer/tags.ts";

function subscribe(fanout: Fanout, options = {}) {
	const sink = new RecordingSink();
	fanout.subscribe(sink, { id: "s", acknowledges: false, withGroup: true, ...options }, 0);
	return sink;
}

const pushAll = (fanout: Fanout, tags: readonly StreamTag[]) => {
	for (const tag of tags) {
		fanout.push(tag, 0);
	}
};
const summary = (sink: RecordingSink) =>
	sink.tags.map(
		({ type, timestampMs, body }) => `${type === 9 ? "v" : "a"}${body[1] === 0 ? "-config" : ""}@${timestampMs}`,
	);

test("sends a configuration ahead of the first tag that is under other bytes, at its time, and never again", () => {
	const fanout = new Fanout();
	const sink = subscribe(fanout);
	const mixed = { video: HOST.configs.video, audio: COMPOSITE.configs.audio } as StreamTag["configs"];
	pushAll(fanout, [
		picture({ timeMs: 0, keyFrame: true }),
		sound({ timeMs: 10 }),
		{ ...sound({ timeMs: 30 }), configs: mixed },
		picture({ timeMs: 40, keyFrame: true, encoder: COMPOSITE }),
		picture({ timeMs: 80, encoder: COMPOSITE }),
	]);
	expect(summary(sink)).toEqual([
		"v-config@0",
		"a-config@0",
		"v@0",
		"a@10",
		"a-config@30",
		"a@30",
		"v-config@40",
		"v@40",
		"v@80",
	]);
});

test("forgets the group of what was, so that it is not played to those who come later", () => {
	const fanout = new Fanout();
	pushAll(fanout, [picture({ timeMs: 0, keyFrame: true }), picture({ timeMs: 40 })]);
	expect(summary(subscribe(fanout))).toEqual(["v-config@0", "a-config@0", "v@0", "v@40"]);
	fanout.forget();
	expect(summary(subscribe(fanout))).toEqual([]);
});

test("closes all at its end, and takes a sink that is gone out", () => {
	const fanout = new Fanout();
	const gone = subscribe(fanout);
	const well = subscribe(fanout);
	gone.gone = true;
	pushAll(fanout, [picture({ timeMs: 0, keyFrame: true })]);
	expect(fanout.figures(0).subscribers).toHaveLength(1);
	fanout.end("over");
	expect(well.closed).toEqual({ kind: "ended", reason: "over" });
	expect(fanout.hasSubscribers).toBe(false);
	expect(summary(subscribe(fanout))).toEqual([]);
});
