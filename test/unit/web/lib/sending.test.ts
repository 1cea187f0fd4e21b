import { describe, expect, test } from "vitest";
import { inOrder, preferredVideoCodec } from "../../../../web/lib/peers/codec-order.ts";
import {
	ABS_CAPTURE_TIME_URI,
	DEPENDENCY_DESCRIPTOR_URI,
	offerHeaderExtensions,
	withCaptureTime,
} from "../../../../web/lib/peers/header-extensions.ts";
import { readLineFigures } from "../../../../web/lib/peers/line-figures.ts";
import { TALK_RATES, UPLINK_RATES, withRateBounds } from "../../../../web/lib/peers/rate-bounds.ts";
import {
	RELIEF_STEPS,
	SendRelief,
	STEP_BACK_AFTER_MS,
	STEP_SPACING_MS,
} from "../../../../web/lib/peers/send-relief.ts";
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

test("limits that were read before a negotiation are read once more; what is wrong is an error", async () => {
	const failing = (...errors: Error[]) => {
		const set: unknown[] = [];
		return {
			set,
			getParameters: () => ({ encodings: [{}] }) as unknown as RTCRtpSendParameters,
			setParameters: async (parameters: unknown) => {
				const error = errors.shift();
				if (error !== undefined) {
					throw error;
				}
				set.push(parameters);
			},
		};
	};
	const limits = videoLimits({ height: 720, screen: false });
	const outdated = new DOMException("outdated", "InvalidModificationError");
	const once = failing(outdated);
	await applyVideoLimits(once, limits);
	expect(once.set).toHaveLength(1);
	await expect(applyVideoLimits(failing(outdated, outdated), limits)).rejects.toThrow("outdated");
	await expect(applyVideoLimits(failing(new RangeError("no such rate")), limits)).rejects.toThrow("no such rate");
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

function statsOf(...stats: readonly ({ readonly id: string } & Record<string, unknown>)[]) {
	const byId = new Map(stats.map((each) => [each.id, each]));
	return { getStats: async () => byId as unknown as RTCStatsReport };
}

describe("figures of a line", () => {
	test.each([
		["relay", true],
		["srflx", false],
	])("a pair whose own end is %s is relayed: %s", async (candidateType, isRelayed) => {
		const connection = statsOf(
			{ id: "t", type: "transport", selectedCandidatePairId: "p", bytesReceived: 700 },
			{ id: "p", type: "candidate-pair", localCandidateId: "l", bytesReceived: 650 },
			{ id: "l", type: "local-candidate", candidateType },
			{ id: "o", type: "local-candidate", candidateType: "relay" },
		);
		expect(await readLineFigures(connection)).toEqual({ bytesReceived: 700, isRelayed });
	});

	test("tell how long the picture's packets waited, and nothing of a platform that does not", async () => {
		const connection = statsOf(
			{ id: "a", type: "outbound-rtp", kind: "audio", packetsSent: 9, totalPacketSendDelay: 9 },
			{ id: "v", type: "outbound-rtp", kind: "video", packetsSent: 50, totalPacketSendDelay: 0.25 },
		);
		expect(await readLineFigures(connection)).toEqual({ packetsSent: 50, waitedMs: 250, isRelayed: false });
		const silent = statsOf({ id: "v", type: "outbound-rtp", kind: "video", packetsSent: 50 });
		expect(await readLineFigures(silent)).toEqual({ isRelayed: false });
	});
});

describe("relief of a sender", () => {
	const LOOK_MS = 400;
	const PACKETS = 20;

	/** A sender whose packets wait so long each. */
	function sender() {
		const relief = new SendRelief();
		let nowMs = 1_000;
		let packets = 0;
		let waitedMs = 0;
		return {
			relief,
			/** @returns the divisor at the end, and how often it changed */
			waits(eachMs: number, forMs: number) {
				let changes = 0;
				for (const untilMs = nowMs + forMs; nowMs < untilMs; nowMs += LOOK_MS) {
					packets += PACKETS;
					waitedMs += PACKETS * eachMs;
					changes += relief.note(packets, waitedMs, nowMs) ? 1 : 0;
				}
				return { divisor: relief.divisor, changes };
			},
		};
	}

	test("is none where packets leave as they are made", () => {
		expect(sender().waits(5, 60_000)).toEqual({ divisor: 1, changes: 0 });
	});

	test("comes by one step a time while they wait, to the last, and goes by one step a time", () => {
		const { waits } = sender();
		expect(waits(100, LOOK_MS)).toEqual({ divisor: RELIEF_STEPS[1], changes: 1 });
		expect(waits(100, STEP_SPACING_MS - LOOK_MS).changes).toBe(0);
		expect(waits(100, LOOK_MS)).toEqual({ divisor: RELIEF_STEPS[2], changes: 1 });
		expect(waits(100, 60_000)).toEqual({ divisor: RELIEF_STEPS.at(-1), changes: RELIEF_STEPS.length - 3 });
		expect(waits(30, 60_000).changes).toBe(0);
		expect(waits(0, STEP_BACK_AFTER_MS).changes).toBe(0);
		expect(waits(0, 2 * LOOK_MS)).toEqual({ divisor: RELIEF_STEPS.at(-2), changes: 1 });
		expect(waits(0, 60_000).divisor).toBe(1);
	});

	test("what was taken back too early is taken back later the next time", () => {
		const { waits } = sender();
		waits(100, LOOK_MS);
		expect(waits(0, STEP_BACK_AFTER_MS + 2 * LOOK_MS)).toEqual({ divisor: 1, changes: 1 });
		expect(waits(100, STEP_SPACING_MS).divisor).toBe(RELIEF_STEPS[1]);
		expect(waits(0, 2 * STEP_BACK_AFTER_MS).changes).toBe(0);
		expect(waits(0, 2 * LOOK_MS)).toEqual({ divisor: 1, changes: 1 });
	});

	test("a few packets tell nothing, and another sender begins anew", () => {
		const relief = new SendRelief();
		expect(relief.note(2, 2_000, 1_000)).toBe(false);
		expect(relief.note(100, 100, 1_400)).toBe(false);
		expect(relief.note(50, 40, 1_800)).toBe(false);
		expect(relief.note(100, 40 + 50 * 200, 2_200)).toBe(true);
	});

	test("divides the lines that are sent, on top of all other limits", () => {
		const camera = { height: 720, screen: false };
		expect(videoLimits(camera, {}, 1.5).scaleResolutionDownBy).toBe(1.5);
		expect(videoLimits(camera, { maxHeight: 360 }, 1.5).scaleResolutionDownBy).toBe(3);
	});
});

describe("bounds of the rate", () => {
	const sdp = [
		"m=video 9 UDP/TLS/RTP/SAVPF 96 97 102",
		"a=rtpmap:96 VP8/90000",
		"a=rtpmap:97 rtx/90000",
		"a=fmtp:97 apt=96",
		"a=rtpmap:102 H264/90000",
		"a=fmtp:102 packetization-mode=1;profile-level-id=42e01f",
		"",
	];

	test("are put to every codec of pictures, and to nothing else", () => {
		expect(withRateBounds(sdp.join("\r\n"), TALK_RATES).split("\r\n")).toEqual([
			...sdp.slice(0, 2),
			"a=fmtp:96 x-google-min-bitrate=200;x-google-start-bitrate=1000",
			...sdp.slice(2, 5),
			"a=fmtp:102 packetization-mode=1;profile-level-id=42e01f;x-google-min-bitrate=200;x-google-start-bitrate=1000",
			"",
		]);
		expect(withRateBounds(sdp.join("\r\n"), UPLINK_RATES)).toContain("a=fmtp:96 x-google-start-bitrate=1000\r\n");
	});

	test("are not put twice, and not where there is no picture", () => {
		const bounded = withRateBounds(sdp.join("\r\n"), TALK_RATES);
		expect(withRateBounds(bounded, TALK_RATES)).toBe(bounded);
		const sound = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";
		expect(withRateBounds(sound, TALK_RATES)).toBe(sound);
	});
});
