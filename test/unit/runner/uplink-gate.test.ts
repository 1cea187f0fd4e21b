import { describe, expect, it } from "vitest";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import {
	HOLD_ABOVE_BYTES,
	LATE_ABOVE_BYTES,
	LATE_ABOVE_MS,
	UplinkBacklog,
} from "../../../runner/rtmp-ingest/uplink-backlog.ts";
import { STALE_AFTER_MS, UplinkGate } from "../../../runner/rtmp-ingest/uplink-gate.ts";
import { MAX_GROUP_BYTES, MAX_GROUP_TAGS, UplinkGroup } from "../../../runner/rtmp-ingest/uplink-group.ts";

function video(timestampMs: number, ...head: number[]): FlvTag {
	return { type: TAG_TYPE.video, timestampMs, body: Uint8Array.from([...head, 0, 0, 0, 9, 9]) };
}
const videoConfig = (atMs: number) => video(atMs, 0x17, 0);
const key = (atMs: number) => video(atMs, 0x17, 1);
const inter = (atMs: number) => video(atMs, 0x27, 1);
const audioConfig = (atMs: number): FlvTag => ({
	type: TAG_TYPE.audio,
	timestampMs: atMs,
	body: Uint8Array.of(0xaf, 0, 0x11, 0x90),
});
const audio = (atMs: number): FlvTag => ({
	type: TAG_TYPE.audio,
	timestampMs: atMs,
	body: Uint8Array.of(0xaf, 1, 1, 2),
});
const hevc = (atMs: number) => video(atMs, 0x1c, 1);

function shown(tags: FlvTag[]): string[] {
	return tags.map((tag) => `${tagKind(tag)} ${tag.timestampMs}`);
}

function gateOnAir(): UplinkGate {
	const gate = new UplinkGate();
	gate.lineChanged(0);
	for (const tag of [videoConfig(0), audioConfig(0), key(0), audio(10), inter(33)]) {
		gate.push(tag, false);
	}
	return gate;
}

describe("the uplink's gate", () => {
	it("begins with the configurations and the first key frame, whatever comes before", () => {
		const gate = new UplinkGate();
		gate.lineChanged(0);
		const sent = [videoConfig(0), audioConfig(0), inter(0), audio(5), key(33), audio(40), inter(66)].flatMap((tag) =>
			gate.push(tag, false),
		);
		expect(gate.takeSkipped()).toBe(0);
		expect(shown(sent)).toEqual(["video-config 33", "audio-config 33", "video-key 33", "audio 40", "video-inter 66"]);
	});

	it("sends sound at once while there has been no picture", () => {
		const gate = new UplinkGate();
		gate.lineChanged(0);
		const sent = [audioConfig(0), audio(0), audio(23)].flatMap((tag) => gate.push(tag, false));
		expect(shown(sent).slice(-2)).toEqual(["audio 0", "audio 23"]);
		expect(shown(sent)).toContain("audio-config 0");
	});

	it("goes on over a mended line with the group of pictures so far, at its true times, as if nothing had been", () => {
		const gate = gateOnAir();
		expect(gate.push(inter(66), true)).toEqual([]);
		expect(gate.push(audio(70), true)).toEqual([]);
		expect(shown(gate.lineChanged(0))).toEqual([
			...["video-config 0", "audio-config 0", "video-key 0", "audio 10", "video-inter 33"],
			...["video-inter 66", "audio 70"],
		]);
		expect(shown(gate.push(inter(100), false))).toEqual(["video-inter 100"]);
		expect(gate.takeSkipped()).toBe(0);
	});

	it("counts as lost what a new line's group begins after", () => {
		const gate = gateOnAir();
		for (const tag of [inter(66), audio(70), key(2_000), inter(2_033)]) {
			expect(gate.push(tag, true)).toEqual([]);
		}
		expect(shown(gate.lineChanged(0))).toEqual([
			...["video-config 2000", "audio-config 2000", "video-key 2000", "video-inter 2033"],
		]);
		expect(gate.takeSkipped()).toBe(2);
		expect(gate.takeSkipped()).toBe(0);
	});

	it.each([
		["its publisher has been silent for a while", (gate: UplinkGate) => gate.lineChanged(STALE_AFTER_MS + 1)],
		[
			"the decoder configuration has changed since",
			(gate: UplinkGate) => {
				gate.push({ ...videoConfig(50), body: Uint8Array.of(0x17, 0, 1, 2, 3) }, false);
				return gate.lineChanged(0);
			},
		],
	])("waits for a key frame on a mended line when %s", (_, mend) => {
		const gate = gateOnAir();
		expect(mend(gate)).toEqual([]);
		expect(gate.push(inter(66), false)).toEqual([]);
		expect(gate.push(audio(70), false)).toEqual([]);
		expect(shown(gate.push(key(2_000), false))).toEqual(["video-config 2000", "audio-config 2000", "video-key 2000"]);
		expect(gate.takeSkipped()).toBe(2);
	});

	it("keeps the group when the same configuration comes again in its middle", () => {
		const gate = gateOnAir();
		gate.push(videoConfig(50), false);
		expect(shown(gate.lineChanged(0)).slice(0, 3)).toEqual(["video-config 0", "audio-config 0", "video-key 0"]);
	});

	it("leaves frames out while the line is late, and until the key frame after", () => {
		const gate = gateOnAir();
		expect(gate.push(inter(66), true)).toEqual([]);
		expect(gate.push(key(100), true)).toEqual([]);
		expect(gate.push(inter(133), false)).toEqual([]);
		expect(shown(gate.push(key(166), false))).toEqual(["video-key 166"]);
	});

	it("passes a changed configuration on even while late", () => {
		const gate = gateOnAir();
		expect(shown(gate.push(videoConfig(66), true))).toEqual(["video-config 66"]);
	});

	it("passes on what it cannot read, for the Router to judge", () => {
		const gate = new UplinkGate();
		gate.lineChanged(0);
		const tag = hevc(0);
		expect(gate.push(tag, false)).toEqual([tag]);
	});
});

describe("the uplink's group", () => {
	it("is bounded in bytes and in tags, and begins again at the next key frame", () => {
		const group = new UplinkGroup();
		group.push(inter(0));
		expect(group.tags).toEqual([]);
		group.begin({ ...key(0), body: new Uint8Array(MAX_GROUP_BYTES) });
		expect(group.tags).toHaveLength(1);
		group.push(inter(33));
		group.push(inter(66));
		expect(group.tags).toEqual([]);
		group.begin(key(0));
		for (let count = 1; count < MAX_GROUP_TAGS; count++) {
			group.push(audio(count));
		}
		expect(group.tags).toHaveLength(MAX_GROUP_TAGS);
		group.push(audio(MAX_GROUP_TAGS));
		expect(group.tags).toEqual([]);
	});
});

describe("the uplink's backlog", () => {
	it("holds the publisher back above its limit, until bytes are out", () => {
		const backlog = new UplinkBacklog();
		backlog.add(HOLD_ABOVE_BYTES, 0);
		expect(backlog.holds).toBe(false);
		backlog.add(1, 0);
		expect(backlog.holds).toBe(true);
		backlog.shift();
		expect(backlog.holds).toBe(false);
	});

	it("is late once its oldest bytes are, or when there are too many", () => {
		const backlog = new UplinkBacklog();
		expect(backlog.isLate(10_000)).toBe(false);
		backlog.add(100, 0);
		expect(backlog.isLate(LATE_ABOVE_MS)).toBe(false);
		expect(backlog.isLate(LATE_ABOVE_MS + 1)).toBe(true);
		backlog.shift();
		backlog.add(LATE_ABOVE_BYTES + 1, 5_000);
		expect(backlog.isLate(5_000)).toBe(true);
	});
});
