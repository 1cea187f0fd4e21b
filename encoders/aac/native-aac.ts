import { samplesToUs } from "../../media/units.ts";
import { bytesOf } from "../bytes-of.ts";
import { AAC_CODEC, type AacBackend, type AacSink, PROGRAM_CHANNELS, PROGRAM_RATE } from "./aac-backend.ts";

/** The browser's own AAC encoder: there is one in Chrome on macOS, Windows and Android, none on Linux. */
export async function openNativeAac(bitrateBps: number, sink: AacSink): Promise<AacBackend> {
	const config: AudioEncoderConfig = {
		codec: AAC_CODEC,
		sampleRate: PROGRAM_RATE,
		numberOfChannels: PROGRAM_CHANNELS,
		bitrate: bitrateBps,
	};
	const { supported } = await AudioEncoder.isConfigSupported(config);
	if (supported !== true) {
		throw new Error(`native AAC: expected ${AAC_CODEC} to be supported, got no`);
	}
	let description: Uint8Array | undefined;
	const encoder = new AudioEncoder({
		output: (chunk, metadata) => {
			const bytes = metadata?.decoderConfig?.description;
			const changed = bytes === undefined || description !== undefined ? undefined : bytesOf(bytes).slice();
			description ??= changed;
			const data = new Uint8Array(chunk.byteLength);
			chunk.copyTo(data);
			sink.onPacket(data, changed);
		},
		error: (error) => sink.onError(error),
	});
	encoder.configure(config);
	return {
		push: (samples, firstSample) => {
			const data = new AudioData({
				format: "f32",
				sampleRate: PROGRAM_RATE,
				numberOfChannels: PROGRAM_CHANNELS,
				numberOfFrames: samples.length / PROGRAM_CHANNELS,
				timestamp: Math.round(samplesToUs(firstSample, PROGRAM_RATE)),
				data: samples.slice(),
			});
			try {
				encoder.encode(data);
			} finally {
				data.close();
			}
		},
		finish: () => encoder.flush(),
		close: () => {
			if (encoder.state !== "closed") {
				encoder.close();
			}
		},
	};
}
