/** What the tests of decoded times run in a dedicated worker of a real browser. */

import { ProgramAudioEncoder, probeAacEncoder } from "../../../encoders/aac/program-audio-encoder.ts";
import { DecodedTimes } from "../../../playout/audio/decoded-times.ts";

const FRAMES = 24;

export interface DecodedRun {
	/** Times of the chunks that went in, with a gap and a step back. */
	readonly sentUs: readonly number[];
	/** Times of the outputs, as kept meanwhile. */
	readonly keptUs: readonly number[];
	/** Times of the outputs, as the decoder stamped them. */
	readonly stampedUs: readonly number[];
}

export async function decodeAacWithJumps(): Promise<DecodedRun> {
	const chunks: Uint8Array[] = [];
	let description: Uint8Array | undefined;
	const encoder = await ProgramAudioEncoder.create(
		{
			onFrame: ({ data, config }) => {
				chunks.push(data);
				description ??= config;
			},
			onError: (error) => {
				throw error;
			},
		},
		await probeAacEncoder(),
	);
	encoder.push(new Float32Array(2 * 48_000), 48_000);
	await encoder.finish();
	const config = { codec: "mp4a.40.2", description: description as Uint8Array<ArrayBuffer> };
	return decodeWithJumps(chunks, config, 1_024 / 48);
}

export async function decodeOpusWithJumps(): Promise<DecodedRun> {
	const chunks: Uint8Array[] = [];
	const encoder = new AudioEncoder({
		output: (chunk) => {
			const data = new Uint8Array(chunk.byteLength);
			chunk.copyTo(data);
			chunks.push(data);
		},
		error: (error) => {
			throw error;
		},
	});
	encoder.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 2, bitrate: 64_000 });
	const data = new AudioData({
		format: "f32",
		sampleRate: 48_000,
		numberOfChannels: 2,
		numberOfFrames: 48_000,
		timestamp: 0,
		data: new Float32Array(2 * 48_000),
	});
	encoder.encode(data);
	data.close();
	await encoder.flush();
	encoder.close();
	return decodeWithJumps(chunks, { codec: "opus" }, 20);
}

async function decodeWithJumps(
	chunks: readonly Uint8Array[],
	config: Pick<AudioDecoderConfig, "codec" | "description">,
	frameMs: number,
): Promise<DecodedRun> {
	const times = new DecodedTimes();
	const [sentUs, keptUs, stampedUs]: number[][] = [[], [], []];
	let failed: Error | undefined;
	const decoder = new AudioDecoder({
		output: (data) => {
			stampedUs?.push(data.timestamp);
			keptUs?.push(times.take(data.timestamp));
			data.close();
		},
		error: (error) => {
			failed = error;
		},
	});
	decoder.configure({ ...config, sampleRate: 48_000, numberOfChannels: 2 });
	chunks.slice(0, FRAMES).forEach((data, index) => {
		const jumpMs = (index >= 10 ? 500 : 0) - (index >= 20 ? 300 : 0);
		const timestamp = Math.round(7_000 + index * frameMs + jumpMs) * 1_000;
		sentUs?.push(timestamp);
		times.sent(timestamp);
		decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: data as Uint8Array<ArrayBuffer> }));
	});
	await decoder.flush();
	decoder.close();
	if (failed !== undefined) {
		throw failed;
	}
	return { sentUs: sentUs ?? [], keptUs: keptUs ?? [], stampedUs: stampedUs ?? [] };
}
