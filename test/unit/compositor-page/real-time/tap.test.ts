import { beforeEach, describe, expect, test } from "vitest";
import { STAND_INS, StandInFrames } from "../../../../compositor-page/real-time/stand-in-frames.ts";
import { Tap } from "../../../../compositor-page/real-time/tap.ts";
import { parseAvcConfig } from "../../../../media/avc/avc-config.ts";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { hex } from "../../media/hex.ts";
import { FakeTransformer, type MadeFrame } from "./fake-transformer.ts";

let nowUs: number;
let frames: { frame: EncodedFrame; arrivalUs: number; clock: string }[];
let problems: string[];
let tap: Tap;
let video: FakeTransformer;
let audio: FakeTransformer;

beforeEach(() => {
	nowUs = 5e6;
	frames = [];
	problems = [];
	tap = new Tap({
		standIns: new StandInFrames(),
		onFrame: (frame, arrivalUs, clock) => frames.push({ frame, arrivalUs, clock }),
		onProblem: (reason) => problems.push(reason),
		nowUs: () => nowUs,
	});
	video = new FakeTransformer();
	audio = new FakeTransformer();
	tap.attach("video", video);
	tap.attach("audio", audio);
});

function picture(index: number, more: Partial<MadeFrame> & { readonly ids?: boolean } = {}): MadeFrame {
	const type = more.type ?? (index === 0 ? "key" : "delta");
	const ids = more.ids === false ? {} : { frameId: index, dependencies: type === "key" ? [] : [index - 1] };
	return {
		...{ kind: "video", type, mimeType: "video/VP8", data: Uint8Array.of(index) },
		metadata: { synchronizationSource: 1, rtpTimestamp: index * 3_000, captureTime: 900 + index * (100 / 3), ...ids },
		...more,
	};
}

function sound(index: number, data: Uint8Array, mimeType = "audio/opus"): MadeFrame {
	const metadata = {
		synchronizationSource: 2,
		rtpTimestamp: index * 960,
		sequenceNumber: index,
		captureTime: 900 + index * 20,
	};
	return { kind: "audio", mimeType, data, metadata };
}

const timesMs = () => frames.map(({ frame }) => Math.round(frame.ptsUs / 1_000));

describe("pictures", () => {
	test("come with the sender's time of capture in whole µs, in order, once", async () => {
		await video.bring(picture(0), picture(2), picture(0), picture(1), picture(1));
		expect(timesMs()).toEqual([900, 933, 967]);
		expect(frames.every(({ frame }) => Number.isInteger(frame.ptsUs) && frame.ptsUs === frame.dtsUs)).toBe(true);
		expect(frames.map(({ frame, clock }) => [frame.data[0], clock])).toEqual(
			[0, 1, 2].map((index) => [index, "capture"]),
		);
	});

	test("go on to WebRTC one for one, as the small key frame of their codec, so that its decoder never starves", async () => {
		await video.bring(picture(0), picture(2), picture(0));
		expect(video.written).toEqual(Array.from({ length: 3 }, () => hex(STAND_INS.vp8[0] ?? "")));
		await video.bring(picture(3, { type: "key", mimeType: "video/AV1" }));
		expect(video.written.at(-1)).toEqual(hex(STAND_INS.av1[0] ?? ""));
	});

	test("in H.264 come as AVCC without parameter sets, with a configuration where that is another", async () => {
		const [sps, pps] = ["6742c01eda7b016a020202800001f40000753007840215", "68ce3c80"];
		const key = hex(`00000001${sps} 00000001${pps} 00000001 6588aa`);
		const h264 = (index: number, data: Uint8Array, type: "key" | "delta") =>
			picture(index, { type, data, mimeType: "video/H264" });
		await video.bring(h264(0, key, "key"), h264(1, hex("00000001 09f0 000001 41bbcc"), "delta"), h264(2, key, "key"));
		const [first, second, third] = frames.map(({ frame }) => frame);
		expect(first).toMatchObject({ codec: "avc", keyFrame: true, data: hex("00000003 6588aa") });
		expect(parseAvcConfig(first?.config ?? hex(""))).toMatchObject({ profile: 0x42, sps: [hex(sps)], pps: [hex(pps)] });
		expect(second).toMatchObject({ keyFrame: false, data: hex("00000003 41bbcc") });
		expect([second?.config, third?.config]).toEqual([undefined, undefined]);
		await video.bring(
			h264(3, hex(`00000001 6742c01fda7b016a020202800001f40000753007840215 00000001${pps} 00000001 6588aa`), "key"),
		);
		expect(parseAvcConfig(frames.at(-1)?.frame.config ?? hex(""))).toMatchObject({ level: 0x1f });
	});

	test("that are no H.264 although they say so break nothing, and a key frame is asked for", async () => {
		await video.bring(picture(0, { mimeType: "video/H264", data: hex("ffff") }));
		expect(frames).toEqual([]);
		expect(problems).toEqual([expect.stringContaining("expected a start code")]);
		expect(video.keyFrameRequests).toBe(1);
	});

	test("of an unknown codec are named once and left out", async () => {
		await video.bring(picture(0, { mimeType: "video/H265" }), picture(1, { mimeType: "video/H265" }));
		expect([frames, problems]).toEqual([[], ["tap: expected VP8, VP9, AV1, H.264 or Opus, got video/H265"]]);
	});

	test("that miss what they refer to have a key frame asked for after 200 ms, and then every 300 ms at most", async () => {
		await video.bring(picture(0));
		for (let ms = 0; ms < 1_400; ms += 10) {
			nowUs += 10_000;
			if (ms % 30 === 0) {
				await video.bring(picture(2 + ms / 30));
			}
			tap.tick();
		}
		expect(frames).toHaveLength(1);
		expect(video.keyFrameRequests).toBe(4);
		expect(tap.keyFrameRequests).toBe(4);
	});

	test("of a sender that sends none are not asked for", async () => {
		tap.wantKeyFrame();
		await audio.bring(sound(0, Uint8Array.of(1)));
		tap.wantKeyFrame();
		expect(video.keyFrameRequests).toBe(0);
		await video.bring(picture(0));
		tap.wantKeyFrame();
		nowUs += 1_500_000;
		tap.wantKeyFrame();
		expect(video.keyFrameRequests).toBe(1);
	});

	test("of another ssrc begin anew", async () => {
		await video.bring(picture(0), picture(1));
		const { metadata } = picture(500);
		await video.bring(
			picture(500, { type: "key", metadata: { ...metadata, synchronizationSource: 7, captureTime: 1_000 } }),
		);
		expect(timesMs()).toEqual([900, 933, 1_000]);
	});
});

describe("sound", () => {
	test("comes with the time at which it was captured, which an Opus encoder's look-ahead is before what it says", async () => {
		await audio.bring(sound(0, Uint8Array.of(1)), sound(1, Uint8Array.of(2)));
		expect(frames.map(({ frame }) => frame.ptsUs)).toEqual([893_500, 913_500]);
		expect(audio.written).toEqual([]);
	});

	test("that was lost comes out of the next packet's redundancy", async () => {
		const red = (index: number) =>
			sound(index, hex(`ef 0f0001 6f ${["a0", "a1", "a2"][index - 1]} ${["a0", "a1", "a2"][index]}`), "audio/red");
		await audio.bring(sound(0, hex("6f a0"), "audio/red"), red(2));
		expect(frames.map(({ frame }) => [...frame.data])).toEqual([[0xa0], [0xa1], [0xa2]]);
		expect(timesMs()).toEqual([894, 914, 934]);
	});

	test("that is silent says that the line lives, and that nothing is to be heard", async () => {
		await audio.bring(sound(0, Uint8Array.of(1)), sound(1, new Uint8Array()));
		expect(frames.map(({ frame }) => frame.data.byteLength)).toEqual([1, 0]);
	});

	test("comes after what it waited for in vain, by the tick", async () => {
		await audio.bring(sound(0, Uint8Array.of(1)), sound(3, Uint8Array.of(4)));
		expect(frames).toHaveLength(1);
		nowUs += 70_000;
		tap.tick();
		expect(timesMs()).toEqual([894, 954]);
	});
});

test("hands on nothing once it is closed", async () => {
	tap.close();
	await video.bring(picture(0));
	await audio.bring(sound(0, Uint8Array.of(1)));
	expect([frames, problems]).toEqual([[], []]);
});
