/** What the AAC tests run in a dedicated worker of a real browser. */

import { openNativeAac } from "../../../encoders/aac/native-aac.ts";
import { type AacSupport, ProgramAudioEncoder, probeAacEncoder } from "../../../encoders/aac/program-audio-encoder.ts";
import type { EncodedAudioFrame } from "../../../media/encoded-frame.ts";

const PUSH_FRAMES = 960;
const CLICK_SAMPLES = 9;

export interface EncodedClicks {
	readonly support: AacSupport;
	readonly frames: readonly { readonly ptsUs: number; readonly data: Uint8Array; readonly config?: Uint8Array }[];
	readonly probeMs: number;
	readonly openMs: number;
}

export function probe(): Promise<AacSupport> {
	return probeAacEncoder();
}

/** What the native encoder says where there is none; "works" where there is one. */
export async function nativeAnswer(): Promise<string> {
	try {
		const backend = await openNativeAac(128_000, { onPacket: () => undefined, onError: () => undefined });
		backend.close();
		return "works";
	} catch (error) {
		return String(error);
	}
}

/** Encodes `seconds` of silence with a click centred on each of the given samples. */
export async function encodeClicks(
	clicksAt: readonly number[],
	seconds: number,
	latencySamples: number,
): Promise<EncodedClicks> {
	const startMs = performance.now();
	const support = await probeAacEncoder();
	const probedMs = performance.now();
	const frames: EncodedAudioFrame[] = [];
	const encoder = await open((frame) => frames.push(frame), support, latencySamples);
	const openedMs = performance.now();
	const signal = new Float32Array(2 * 48_000 * seconds);
	for (const at of clicksAt) {
		for (let index = 0; index < CLICK_SAMPLES; index += 1) {
			const value = 0.8 * Math.sin((Math.PI * (index + 1)) / (CLICK_SAMPLES + 1)) ** 2;
			const sample = at - (CLICK_SAMPLES - 1) / 2 + index;
			signal.fill(value, 2 * sample, 2 * sample + 2);
		}
	}
	for (let at = 0; at < signal.length; at += 2 * PUSH_FRAMES) {
		encoder.push(signal.subarray(at), Math.min(PUSH_FRAMES, (signal.length - at) / 2));
	}
	await encoder.finish();
	return { support, frames, probeMs: probedMs - startMs, openMs: openedMs - probedMs };
}

/** The left side of what WebCodecs decodes the frames to. */
export async function decode(frames: EncodedClicks["frames"]): Promise<number[]> {
	const decoded: number[] = [];
	let failed: Error | undefined;
	const timestamps: number[] = [];
	const decoder = new AudioDecoder({
		output: (data) => {
			const plane = new Float32Array(data.numberOfFrames);
			data.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
			decoded.push(...plane);
			timestamps.push(data.timestamp);
			data.close();
		},
		error: (error) => {
			failed = error;
		},
	});
	const description = frames[0]?.config as Uint8Array<ArrayBuffer>;
	decoder.configure({ codec: "mp4a.40.2", sampleRate: 48_000, numberOfChannels: 2, description });
	for (const { ptsUs, data } of frames) {
		decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: ptsUs, data: data as Uint8Array<ArrayBuffer> }));
	}
	await decoder.flush();
	if (failed !== undefined) {
		throw failed;
	}
	return [timestamps[0] ?? Number.NaN, ...decoded];
}

export interface EncodingFigures {
	/** Time inside `push` for each second of sound: what the pipeline's worker is held up by. */
	readonly pushMsPerSecond: number;
	/** The longest single `push`. */
	readonly longestPushMs: number;
	/** From start to end for each second of sound, as fast as it goes. */
	readonly elapsedMsPerSecond: number;
	/** From the `push` that completes a frame to the frame before it coming out. */
	readonly roundTripMs: readonly number[];
	readonly samplesHeldBack: number;
	readonly bitrateBps: number;
}

/** Encodes noisy sound as fast as it goes, then frame by frame, and takes the times. */
export async function timeEncoding(seconds: number, support: AacSupport): Promise<EncodingFigures> {
	let bytes = 0;
	let framesOut = 0;
	let wake: () => void = () => undefined;
	const encoder = await open(
		(frame) => {
			bytes += frame.data.length;
			framesOut += 1;
			wake();
		},
		support,
		0,
	);
	const noise = Float32Array.from({ length: 2 * 1_024 }, (_, index) => Math.sin(index * index) * 0.3);
	const nextFrame = async (count: number) => {
		while (framesOut < count) {
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
	};
	const roundTripMs: number[] = [];
	encoder.push(noise, 1_024);
	encoder.push(noise, 1_024);
	encoder.push(noise, 1_024);
	await nextFrame(1);
	const samplesHeldBack = encoder.backlogSamples;
	for (let index = 0; index < 100; index += 1) {
		const startMs = performance.now();
		const count = framesOut + 1;
		encoder.push(noise, 1_024);
		await nextFrame(count);
		roundTripMs.push(performance.now() - startMs);
	}
	let pushMs = 0;
	let longestPushMs = 0;
	const [startMs, startBytes, startFrames] = [performance.now(), bytes, framesOut];
	for (let frame = 0; frame < (seconds * 48_000) / 1_024; frame += 1) {
		const beforeMs = performance.now();
		encoder.push(noise, 1_024);
		const tookMs = performance.now() - beforeMs;
		pushMs += tookMs;
		longestPushMs = Math.max(longestPushMs, tookMs);
		if (frame % 40 === 39) {
			await nextFrame(startFrames + frame - 3);
		}
	}
	await encoder.finish();
	return {
		pushMsPerSecond: pushMs / seconds,
		longestPushMs,
		elapsedMsPerSecond: (performance.now() - startMs) / seconds,
		roundTripMs: roundTripMs.sort((a, b) => a - b),
		samplesHeldBack,
		bitrateBps: ((bytes - startBytes) * 8 * 48_000) / ((framesOut - startFrames) * 1_024),
	};
}

/** A browser in which no encoder works: what starting says. */
export async function probeWithoutEncoders(): Promise<string> {
	Object.assign(globalThis, {
		Worker: class {
			constructor() {
				throw new Error("no workers here");
			}
		},
	});
	try {
		await probeAacEncoder();
		return "found one";
	} catch (error) {
		return String(error);
	}
}

function open(
	onFrame: (frame: EncodedAudioFrame) => void,
	support: AacSupport,
	latencySamples: number,
): Promise<ProgramAudioEncoder> {
	const onError = (error: Error) => {
		throw error;
	};
	return ProgramAudioEncoder.create({ onFrame, onError, latencySamples }, support);
}
