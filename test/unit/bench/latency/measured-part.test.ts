import { describe, expect, it } from "vitest";
import { measuredPart, picturesOf } from "../../../../bench/latency/measured-part.ts";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";

/** First bytes of FLV's AVC bodies: frame type and codec, packet type, composition time (Adobe FLV 10.1 §E.4.3). */
const BODIES = { config: [0x17, 0, 0, 0, 0, 1], key: [0x17, 1, 0, 0, 0, 9], inter: [0x27, 1, 0, 0, 0, 9] } as const;
type Kind = keyof typeof BODIES | "sound";

function session(...tags: readonly (readonly [Kind, arrivedAtMs: number])[]) {
	return {
		startedAtMs: 0,
		endedAtMs: undefined,
		tags: tags.map(([kind, arrivedAtMs]) => ({
			type: kind === "sound" ? TAG_TYPE.audio : TAG_TYPE.video,
			timestampMs: arrivedAtMs,
			arrivedAtMs,
			body: new Uint8Array(kind === "sound" ? [0xaf, 1, 9] : BODIES[kind]),
		})),
	};
}

const SESSION = session(
	["config", 0],
	["key", 1],
	["sound", 2],
	["config", 10],
	["key", 11],
	["inter", 20],
	["key", 30],
	["inter", 40],
);

describe("measuredPart", () => {
	it("begins with the last key frame before, and the configuration that it needs", () => {
		expect(measuredPart(SESSION, 25, 35).tags.map(({ arrivedAtMs }) => arrivedAtMs)).toEqual([10, 11, 20, 30]);
	});

	it("keeps configurations that come later", () => {
		expect(measuredPart(SESSION, 5, 100).tags.map(({ arrivedAtMs }) => arrivedAtMs)).toEqual([
			0, 1, 10, 11, 20, 30, 40,
		]);
	});

	it.each([
		["no key frame before", 0, SESSION],
		["no configuration", 5, session(["key", 1])],
		["nothing", 5, session()],
	])("refuses a session with %s", (_what, fromMs, from) => {
		expect(() => measuredPart(from, fromMs, 100)).toThrow("latency: expected a key frame and its configuration");
	});
});

it("takes for pictures neither sound nor configurations", () => {
	expect(picturesOf(SESSION).map(({ arrivedAtMs }) => arrivedAtMs)).toEqual([1, 11, 20, 30, 40]);
});
