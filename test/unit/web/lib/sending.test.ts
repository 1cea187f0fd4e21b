import { describe, expect, test } from "vitest";
import { inOrder, preferredVideoCodec } from "../../../../web/lib/peers/codec-order.ts";
import {
	ABS_CAPTURE_TIME_URI,
	DEPENDENCY_DESCRIPTOR_URI,
	offerHeaderExtensions,
	withCaptureTime,
} from "../../../../web/lib/peers/header-extensions.ts";
import { isRelayed } from "../../../../web/lib/peers/peer-line.ts";
import { applyVideoLimits, MAX_VIDEO_BITRATE_BPS, videoLimits } from "../../../../web/lib/peers/sender-limits.ts";

describe("limits of a sent picture", () => {
	const camera = { height: 720, screen: false };
	test("are our own, and what is asked for where that is less", () => {
		expect(videoLimits(camera)).toEqual({
			maxBitrate: MAX_VIDEO_BITRATE_BPS,
			maxFramerate: 30,
			scaleResolutionDownBy: 1,
			degradationPreference: "maintain-framerate",
		});
		const advice = { maxHeight: 360, maxFrameRate: 15, maxBitrateBps: 600_000 };
		expect(videoLimits(camera, advice)).toMatchObject({
			maxBitrate: 600_000,
			maxFramerate: 15,
			scaleResolutionDownBy: 2,
		});
		expect(videoLimits(camera, { maxBitrateBps: 9_000_000, maxFrameRate: 60, maxHeight: 2_160 })).toEqual(
			videoLimits(camera),
		);
	});

	test("never make a picture larger, and bring a large screen down", () => {
		expect(videoLimits({ height: 480, screen: false }, { maxHeight: 720 }).scaleResolutionDownBy).toBe(1);
		expect(videoLimits({ height: 1_440, screen: true })).toMatchObject({
			scaleResolutionDownBy: 2,
			degradationPreference: "maintain-resolution",
		});
		expect(videoLimits({ height: undefined, screen: false }).scaleResolutionDownBy).toBe(1);
	});

	test("are left alone before a sender has encodings", async () => {
		const set: unknown[] = [];
		const sender = (encodings: object[]) => ({
			getParameters: () => ({ encodings, transactionId: "1" }) as unknown as RTCRtpSendParameters,
			setParameters: async (parameters: RTCRtpSendParameters) => void set.push(parameters),
		});
		await applyVideoLimits(sender([]), videoLimits(camera));
		expect(set).toEqual([]);
		await applyVideoLimits(sender([{ active: true }]), videoLimits(camera));
		expect(set).toEqual([
			{
				transactionId: "1",
				degradationPreference: "maintain-framerate",
				encodings: [{ active: true, maxBitrate: MAX_VIDEO_BITRATE_BPS, maxFramerate: 30, scaleResolutionDownBy: 1 }],
			},
		]);
	});
});

describe("codecs", () => {
	const available = ["audio/opus", "audio/red", "audio/PCMU"].map((mimeType) => ({ mimeType }));
	const mimeTypes = (codecs: readonly { mimeType: string }[]) => codecs.map(({ mimeType }) => mimeType);

	test("come in the order that is wanted, with nothing left out", () => {
		expect(mimeTypes(inOrder(available, "audio", "video/VP8"))).toEqual(["audio/red", "audio/opus", "audio/PCMU"]);
		const video = ["video/VP8", "video/rtx", "video/H264", "video/H264"].map((mimeType) => ({ mimeType }));
		expect(mimeTypes(inOrder(video, "video", "video/H264"))).toEqual([
			"video/H264",
			"video/H264",
			"video/VP8",
			"video/rtx",
		]);
	});

	test.each([
		["neither", [], "video/VP8"],
		["both", ["H264", "VP8"], "video/VP8"],
		["H.264 alone", ["H264"], "video/H264"],
	])("with a chip for %s", async (_, inHardware, codec) => {
		const encodingInfo = async ({ video }: MediaEncodingConfiguration) => ({
			supported: true,
			smooth: true,
			powerEfficient: inHardware.some((name) => video?.contentType.includes(name)),
		});
		expect(await preferredVideoCodec({ encodingInfo } as unknown as MediaCapabilities)).toBe(codec);
	});

	test("are the plain one where the browser does not know how to tell", async () => {
		const encodingInfo = () => Promise.reject(new TypeError("no such type"));
		expect(await preferredVideoCodec({ encodingInfo })).toBe("video/VP8");
		expect(await preferredVideoCodec(undefined)).toBe("video/VP8");
	});
});

describe("capture time", () => {
	const section = (kind: string, ids: readonly number[]) =>
		[`m=${kind} 9 UDP/TLS/RTP/SAVPF 96`, "c=IN IP4 0.0.0.0", ...ids.map((id) => `a=extmap:${id} urn:x:${id}`), ""].join(
			"\r\n",
		);
	const sdp = `v=0\r\n${section("audio", [1, 2])}${section("video", [1, 4])}${section("application", [])}`;

	test("is put into each section of media under one id that is free in all", () => {
		const munged = withCaptureTime(sdp);
		expect(munged.match(new RegExp(`^a=extmap:3 ${ABS_CAPTURE_TIME_URI}\r$`, "gm"))).toHaveLength(2);
		expect(munged.replaceAll(`a=extmap:3 ${ABS_CAPTURE_TIME_URI}\r\n`, "")).toBe(sdp);
		expect(withCaptureTime(munged)).toBe(munged);
	});

	test("is left out where every id is taken", () => {
		const full = section(
			"audio",
			Array.from({ length: 14 }, (_, index) => index + 1),
		);
		expect(withCaptureTime(full)).toBe(full);
	});

	test("is asked for where the platform has a way to", () => {
		let set: unknown;
		const transceiver = {
			getHeaderExtensionsToNegotiate: () => [
				{ uri: "urn:x", direction: "sendrecv" },
				{ uri: ABS_CAPTURE_TIME_URI, direction: "stopped" },
				{ uri: DEPENDENCY_DESCRIPTOR_URI, direction: "stopped" },
			],
			setHeaderExtensionsToNegotiate: (extensions: unknown) => {
				set = extensions;
			},
		} as unknown as RTCRtpTransceiver;
		expect(offerHeaderExtensions(transceiver)).toBe(true);
		expect(set).toEqual([
			{ uri: "urn:x", direction: "sendrecv" },
			{ uri: ABS_CAPTURE_TIME_URI, direction: "sendrecv" },
			{ uri: DEPENDENCY_DESCRIPTOR_URI, direction: "sendrecv" },
		]);
		expect(offerHeaderExtensions({} as RTCRtpTransceiver)).toBe(false);
	});
});

test.each([
	["relay", true],
	["srflx", false],
])("a pair whose own end is %s is relayed: %s", async (candidateType, relayed) => {
	const stats = new Map(
		[
			{ id: "t", type: "transport", selectedCandidatePairId: "p" },
			{ id: "p", type: "candidate-pair", localCandidateId: "l" },
			{ id: "l", type: "local-candidate", candidateType },
			{ id: "o", type: "local-candidate", candidateType: "relay" },
		].map((each) => [each.id, each]),
	);
	expect(await isRelayed({ getStats: async () => stats as unknown as RTCStatsReport })).toBe(relayed);
});
