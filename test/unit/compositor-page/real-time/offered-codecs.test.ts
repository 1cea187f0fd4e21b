import { describe, expect, test } from "vitest";
import { codecsToAnswer, offeredCodecs } from "../../../../compositor-page/real-time/offered-codecs.ts";

const RECEIVABLE = {
	video: ["VP8", "rtx", "VP9", "H264", "H264", "AV1", "H265", "red", "ulpfec"],
	audio: ["opus", "red", "G722", "PCMU"],
};
const receivable = (kind: "audio" | "video") => RECEIVABLE[kind].map((name) => ({ mimeType: `${kind}/${name}` }));
const answer = (kind: "audio" | "video", ...offered: string[]) =>
	codecsToAnswer(
		kind,
		offered.map((name) => `${kind}/${name}`),
		receivable(kind),
	).map(({ mimeType }) => mimeType.slice(6));

describe("what is answered", () => {
	test("keeps the sender's order among pictures, with WebRTC's helpers behind", () => {
		expect(answer("video", "h264", "rtx", "vp8")).toEqual(["H264", "H264", "VP8", "rtx", "red", "ulpfec"]);
		expect(answer("video", "av1", "vp9")).toEqual(["AV1", "VP9", "rtx", "red", "ulpfec"]);
	});

	test("leaves out what the pipeline does not decode, whatever the browser does", () => {
		expect(answer("video", "h265", "vp8")).not.toContain("H265");
	});

	test("has nothing in common with a section that has nothing for us, and so turns it down", () => {
		expect(answer("video", "h265", "rtx")).toEqual(["VP8", "H264", "H264", "VP9", "AV1"]);
	});

	test("takes sound with redundancy before sound without, and no telephone's", () => {
		expect(answer("audio", "pcmu", "opus")).toEqual(["red", "opus"]);
	});
});

describe("what is offered", () => {
	const SDP = [
		"v=0",
		"m=audio 9 UDP/TLS/RTP/SAVPF 63 111 0",
		"a=mid:sound",
		"a=rtpmap:111 opus/48000/2",
		"a=rtpmap:63 red/48000/2",
		"m=video 9 UDP/TLS/RTP/SAVPF 102 96",
		"a=rtpmap:96 VP8/90000",
		"a=rtpmap:102 H264/90000",
		"",
	];

	test.each(["\r\n", "\n"])("is read section by section, in the order of the first line (%j)", (end) => {
		expect([...offeredCodecs(SDP.join(end))]).toEqual([
			["sound", ["audio/red", "audio/opus", "audio/unknown"]],
			["1", ["video/h264", "video/vp8"]],
		]);
	});

	test("is nothing where there are no sections", () => {
		expect(offeredCodecs("v=0\r\n").size).toBe(0);
	});
});
