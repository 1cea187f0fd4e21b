import { expect, test } from "vitest";
import { idrPicIdOf, withIdrPicId } from "../../../../media/avc/idr-pic-id.ts";
import { readSingleTag } from "../../../../media/flv/tag-reader.ts";
import { parseVideoBody, videoFrameBody } from "../../../../media/flv/video-body.ts";
import { chooseSource } from "../../../../worker/router/splicer/choose-source.ts";
import { HoldPicture } from "../../../../worker/router/splicer/hold-picture.ts";
import { ownTag } from "../../../../worker/router/splicer/own-tag.ts";
import { type Encoder, encoder, HOST, markOf, picture } from "./tags.ts";

function idOf(message: Uint8Array, by: Encoder = HOST): number | undefined {
	const body = parseVideoBody(readSingleTag(message).body);
	return body.kind === "video-key" ? idrPicIdOf(body.data, by.picture.config) : undefined;
}

function keyFrameWithId(by: Encoder, id: number) {
	const data = withIdrPicId(by.picture.sample, by.picture.config, id);
	const body = videoFrameBody("avc", true, 40, data);
	const { configs } = by;
	return ownTag({ track: "video", keyFrame: true, timeMs: 9_000, compositionMs: 40, body, configs });
}

test("shows its picture under two other ids in turn, with its composition time and without its SEI", () => {
	const keyFrame = picture({ timeMs: 1_000, keyFrame: true, compositionMs: 80, mark: 5 });
	const held = new HoldPicture(keyFrame);
	const shown = [1, 2, 3, 4].map((at) => held.again(1_000 + at * 500, HOST.configs));
	const ids = shown.map(({ message }) => idOf(message));
	expect(new Set([idOf(keyFrame.message), ids[0], ids[1]]).size).toBe(3);
	expect(ids.slice(2)).toEqual(ids.slice(0, 2));
	expect(shown.every(({ compositionMs, message }) => compositionMs === 80 && markOf(message) === -1)).toBe(true);
	expect(shown.map(({ message }) => readSingleTag(message).timestampMs)).toEqual([1_500, 2_000, 2_500, 3_000]);
});

test.each(["x264-main", "x264-baseline-4-slices", "chromium-baseline"])(
	"tells a key frame of %s apart from the picture it was shown as last, and leaves one alone that is",
	(name) => {
		const by = encoder(name, 48_000);
		const held = new HoldPicture(picture({ timeMs: 0, keyFrame: true }));
		for (let times = 0; times < 3; times++) {
			const shown = idOf(held.again(times * 500, HOST.configs).message) ?? 0;
			const same = keyFrameWithId(by, shown);
			const told = held.toldApart(same);
			expect(idOf(told, by)).not.toBe(shown);
			expect(readSingleTag(told).timestampMs).toBe(9_000);
			expect(parseVideoBody(readSingleTag(told).body)).toMatchObject({ compositionTimeMs: 40 });
			const other = keyFrameWithId(by, shown + 7);
			expect(held.toldApart(other)).toBe(other.message);
		}
	},
);

test("takes the source that is wanted where both can be had, the other where only that can, and none where none", () => {
	const both = () => true;
	expect([chooseSource("host", both), chooseSource("composite", both)]).toEqual(["host", "composite"]);
	expect(chooseSource("host", (id) => id === "composite")).toBe("composite");
	expect(chooseSource("composite", (id) => id === "host")).toBe("host");
	expect(chooseSource("host", () => false)).toBeUndefined();
});
