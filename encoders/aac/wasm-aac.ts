import { registerAacEncoder } from "@mediabunny/aac-encoder";
import { AdtsOutputFormat, AudioSample, AudioSampleSource, NullTarget, Output, Quality } from "mediabunny";
import { bytesOf } from "../bytes-of.ts";
import { type AacBackend, type AacSink, PROGRAM_CHANNELS, PROGRAM_RATE, toError } from "./aac-backend.ts";

/**
 * AAC in WebAssembly, in a worker of its own that the encoder starts. The encoder is only reachable through an output, so
 * there is one whose bytes go nowhere; packets are taken before they reach it, raw.
 */
export async function openWasmAac(bitrateBps: number, sink: AacSink): Promise<AacBackend> {
	registerAacEncoder();
	let described = false;
	const source = new AudioSampleSource({
		codec: "aac",
		quality: new Quality({ bitrate: bitrateBps }),
		onEncodedPacket: (packet, metadata) => {
			const description = metadata?.decoderConfig?.description;
			const config = described || description === undefined ? undefined : bytesOf(description);
			described ||= config !== undefined;
			sink.onPacket(packet.data, config);
		},
	});
	const output = new Output({ format: new AdtsOutputFormat(), target: new NullTarget() });
	output.addAudioTrack(source);
	await output.start();
	let closed = false;
	// One after the other: until its worker runs, the source would take samples and an end in any order.
	let added: Promise<void> = Promise.resolve();
	const add = async (sample: AudioSample) => {
		try {
			if (!closed) {
				await source.add(sample);
			}
		} catch (error) {
			if (!closed) {
				sink.onError(toError(error));
			}
		} finally {
			sample.close();
		}
	};
	return {
		push: (samples, firstSample) => {
			const sample = new AudioSample({
				data: samples.slice(),
				format: "f32",
				sampleRate: PROGRAM_RATE,
				numberOfChannels: PROGRAM_CHANNELS,
				timestamp: firstSample / PROGRAM_RATE,
			});
			added = added.then(() => add(sample));
		},
		finish: () => added.then(() => output.finalize()),
		close: () => {
			if (!closed && output.state === "started") {
				output.cancel().catch(() => undefined); // What it waited for is gone: there is nobody to tell.
			}
			closed = true;
		},
	};
}
