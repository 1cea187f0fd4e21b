import { describe, expect, it } from "vitest";
import { type FlvTag, TAG_TYPE } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import {
	HOLD_ABOVE_BYTES,
	LATE_ABOVE_BYTES,
	LATE_ABOVE_MS,
	UplinkBacklog,
} from "../../../runner/rtmp-ingest/uplink-backlog.ts";
import { UplinkGate } from "../../../runner/rtmp-ingest/uplink-gate.ts";

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
	gate.lineChanged();
	for (const tag of [videoConfig(0), audioConfig(0), key(0), audio(10), inter(33)]) {
		gate.push(tag, false);
	}
	return gate;
}

describe("the uplink's gate", () => {
	it("begins with the configurations and the first key frame, whatever comes before", () => {
		const gate = new UplinkGate();
		gate.lineChanged();
		const sent = [videoConfig(0), audioConfig(0), inter(0), audio(5), key(33), audio(40), inter(66)].flatMap((tag) =>
			gate.push(tag, false),
		);
		expect(gate.takeSkipped()).toBe(0);
		expect(shown(sent)).toEqual(["video-config 33", "audio-config 33", "video-key 33", "audio 40", "video-inter 66"]);
	});

	it("sends sound at once while there has been no picture", () => {
		const gate = new UplinkGate();
		gate.lineChanged();
		const sent = [audioConfig(0), audio(0), audio(23)].flatMap((tag) => gate.push(tag, false));
		expect(shown(sent).slice(-2)).toEqual(["audio 0", "audio 23"]);
		expect(shown(sent)).toContain("audio-config 0");
	});

	it("goes on over a mended line at a key frame, with configurations of its time", () => {
		const gate = gateOnAir();
		gate.lineChanged();
		expect(gate.push(inter(66), false)).toEqual([]);
		expect(gate.push(audio(70), false)).toEqual([]);
		expect(shown(gate.push(key(2_000), false))).toEqual(["video-config 2000", "audio-config 2000", "video-key 2000"]);
		expect(shown(gate.push(inter(2_033), false))).toEqual(["video-inter 2033"]);
		expect(gate.takeSkipped()).toBe(2);
		expect(gate.takeSkipped()).toBe(0);
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
		gate.lineChanged();
		const tag = hevc(0);
		expect(gate.push(tag, false)).toEqual([tag]);
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
