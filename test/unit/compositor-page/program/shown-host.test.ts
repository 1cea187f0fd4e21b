import { describe, expect, test } from "vitest";
import { type Seen, shownHost } from "../../../../compositor-page/program/shown-host.ts";
import { FlvFrameReader } from "../../../../media/flv/frame-reader.ts";
import { FlvFrameWriter } from "../../../../media/flv/frame-writer.ts";
import { wrapMs } from "../../../../media/timestamp.ts";
import type { PictureState } from "../../../../worker/protocol/compositor-stats.ts";

const person = (id: Seen["id"], state: PictureState, ptsUs?: number): Seen => ({
	id,
	picture: ptsUs === undefined ? undefined : {},
	state: () => state,
	shownStreamUs: ptsUs,
});

describe("shownHost", () => {
	test("is the host's picture, wherever the host stands, live or held", () => {
		const people = [person("guest", "live", 7_000), person("host", "live", 5_033_000)];
		expect(shownHost(people, ["new", "repeated"], 0)).toEqual({ hostMs: 5_033, isNew: false });
		expect(shownHost(people, ["none", "new"], 0)).toEqual({ hostMs: 5_033, isNew: true });
		expect(shownHost([person("host", "holding", 9_000)], ["missing"], 0)).toEqual({ hostMs: 9, isNew: false });
	});

	test("is nobody's while the host is not there, not seen yet, or behind a card", () => {
		expect(shownHost([person("guest", "live", 7_000)], ["new"], 0)).toBeUndefined();
		expect(shownHost([person("host", "waiting")], ["none"], 0)).toBeUndefined();
		expect(shownHost([person("host", "card", 5_000)], ["none"], 0)).toBeUndefined();
	});

	/** Two pictures of which the second is seen first, as pictures between two others come. */
	const REORDERED = [
		{ dtsMs: 0, compositionMs: 120 },
		{ dtsMs: 33, compositionMs: 20 },
	];
	test.each([
		{ name: "zero", startMs: 0 },
		{ name: "just under 2^31", startMs: 2 ** 31 - 10 },
		{ name: "just under 2^32", startMs: 2 ** 32 - 50 },
	])(
		"says the stream's own presentation time, reordered, from $name on, on a first connection and on a later one",
		({ startMs }) => {
			const writer = new FlvFrameWriter();
			const timesUs = REORDERED.map(({ dtsMs, compositionMs }) => ({
				dtsUs: (startMs + dtsMs) * 1_000,
				ptsUs: (startMs + dtsMs + compositionMs) * 1_000,
			}));
			const tags = timesUs.flatMap((times) =>
				writer.push({ track: "video", codec: "avc", keyFrame: true, data: new Uint8Array(5), ...times }),
			);
			const expected = REORDERED.map(({ dtsMs, compositionMs }) => wrapMs(startMs + dtsMs + compositionMs));
			// A connection that began long before has counted on past 2^32; one that begins here has not.
			for (const before of [[], [{ ...tags[0], timestampMs: wrapMs(startMs - 1_000) }]]) {
				const reader = new FlvFrameReader();
				const shown = [...before, ...tags]
					.flatMap((tag) => reader.push(tag as (typeof tags)[number]))
					.slice(before.length);
				expect(shown.map(({ ptsUs }) => shownHost([person("host", "live", ptsUs)], ["new"], 0)?.hostMs)).toEqual(
					expected,
				);
			}
		},
	);
});
