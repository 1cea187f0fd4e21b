import { type AacSupport, probeAacEncoder } from "../../../encoders/aac/program-audio-encoder.ts";
import { mainProfileCodec } from "../../../encoders/avc/main-profile-codec.ts";
import { supportsOpus } from "../../../encoders/opus/opus-encoder.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { BroadcastFormat } from "./broadcast-format.ts";

export interface ChosenCodecs {
	/** As `VideoEncoder` is told. */
	readonly video: string;
	readonly audio: { readonly codec: "opus" } | { readonly codec: "aac"; readonly support: AacSupport };
}

/** This browser cannot make a stream that the broadcast can use; the message is for people. */
export class UnsupportedBrowserError extends Error {
	override readonly name = "UnsupportedBrowserError";
}

const ADVICE = "Please use a current version of Chrome, Edge or Safari";

/**
 * The host's stream may leave as the program, and so is H.264 and AAC. A guest's is always composed: Opus, which every browser has and which is faster, and VP8
 * where there is no H.264.
 *
 * @throws {UnsupportedBrowserError} when this browser has none that will do
 */
export async function chooseCodecs(person: PersonId, format: BroadcastFormat): Promise<ChosenCodecs> {
	if (typeof VideoEncoder === "undefined") {
		throw new UnsupportedBrowserError(`This browser cannot encode pictures. ${ADVICE}.`);
	}
	const mayBeAny = person !== "host";
	const [video, audio] = await Promise.all([chooseVideo(mayBeAny, format), chooseAudio(mayBeAny)]);
	return { video, audio };
}

async function chooseVideo(mayBeAny: boolean, format: BroadcastFormat): Promise<string> {
	const { width, height, frameRate, videoBitrateBps } = format;
	const main = mainProfileCodec(width, height, frameRate);
	// Some have H.264 without Main: Constrained Baseline differs in its profile and constraint bytes.
	const codecs = [main, main.replace(/^avc1\.4d00/, "avc1.42e0"), ...(mayBeAny ? ["vp8"] : [])];
	for (const codec of codecs) {
		const config: VideoEncoderConfig = { codec, width, height, framerate: frameRate, bitrate: videoBitrateBps };
		const { supported } = await VideoEncoder.isConfigSupported({ ...config, latencyMode: "realtime" });
		if (supported === true) {
			return codec;
		}
	}
	const needed = mayBeAny ? "H.264 nor VP8" : "H.264, which a host's picture has to be";
	throw new UnsupportedBrowserError(`This browser can encode ${mayBeAny ? "neither " : "no "}${needed}. ${ADVICE}.`);
}

async function chooseAudio(mayBeAny: boolean): Promise<ChosenCodecs["audio"]> {
	if (mayBeAny && (await supportsOpus())) {
		return { codec: "opus" };
	}
	try {
		return { codec: "aac", support: await probeAacEncoder() };
	} catch (cause) {
		const text = `This browser cannot encode sound as AAC, which a broadcast needs. ${ADVICE}.`;
		throw new UnsupportedBrowserError(text, { cause });
	}
}
