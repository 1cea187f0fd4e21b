import { describe, expect, test } from "vitest";
import { burnClock, type ClockedKind, clockedBody, readClock } from "../../../../bench/router/clocked-body.ts";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";
import { tagKind } from "../../../../media/flv/tag-kind.ts";
import { audioConfig, script, sound, videoConfig } from "../../worker-media/wsflv-fixtures.ts";

const CLOCK = { number: 4_000_000_000, sentAtMs: 62_345_678.901 };
const KINDS: readonly (readonly [ClockedKind, 8 | 9, string])[] = [
	["key", TAG_TYPE.video, "video-key"],
	["inter", TAG_TYPE.video, "video-inter"],
	["sound", TAG_TYPE.audio, "audio"],
];

describe("clocked bodies", () => {
	test.each(KINDS)("a %s keeps its clock, its kind and its length", (kind, type, expected) => {
		const tag = { type, timestampMs: 0, body: clockedBody(kind, 500) };
		expect(readClock(tag)).toBeUndefined();
		burnClock(tag, CLOCK);
		expect(readClock(tag)).toEqual(CLOCK);
		expect(tagKind(tag)).toBe(expected);
		expect(tag.body).toHaveLength(500);
	});

	test("what the Router sends of its own has no clock", () => {
		for (const tag of [videoConfig(0), audioConfig(0), sound(0), script(0)]) {
			expect(readClock(tag)).toBeUndefined();
		}
	});
});
