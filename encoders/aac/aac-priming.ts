import { samplesToUs } from "../../media/units.ts";
import { AAC_CODEC, AAC_FRAME_SAMPLES, type OpenAacBackend, PROGRAM_CHANNELS, PROGRAM_RATE } from "./aac-backend.ts";

const CHIRP_AT = 9_600;
const CHIRP_SAMPLES = 2_400;
const SIGNAL_SAMPLES = 19_200;
/** The most that any known encoder starts with: 2,112 in Apple's. */
const MAX_PRIMING_SAMPLES = 4_096;
/** What comes out must be what went in; AAC at 128 kb/s reaches 0.99 here. */
const LEAST_LIKENESS = 0.8;
const PUSH_SAMPLES = 960;
/** Nothing here takes a second; an encoder that never answers must not hold up the start for ever. */
const TIMEOUT_MS = 10_000;

/**
 * Proves that an encoder works and measures its priming: by how many samples decoded sound is later than what was encoded,
 * when the frames are counted from 0. A chirp is encoded, decoded by WebCodecs and found again. Rejects with the reason.
 */
export async function measureAacPriming(open: OpenAacBackend, bitrateBps: number): Promise<number> {
	const signal = chirpSignal();
	const { packets, config } = await withTimeout(encodeAll(open, bitrateBps, signal));
	const decoded = await withTimeout(decodeAll(packets, config));
	return findDelay(signal, decoded);
}

interface Encoded {
	readonly packets: Uint8Array[];
	readonly config: Uint8Array;
}

async function encodeAll(open: OpenAacBackend, bitrateBps: number, signal: Float32Array): Promise<Encoded> {
	const packets: Uint8Array[] = [];
	let config: Uint8Array | undefined;
	let failed: Error | undefined;
	const backend = await open(bitrateBps, {
		onPacket: (data, description) => {
			packets.push(data);
			config ??= description;
		},
		onError: (error) => {
			failed ??= error;
		},
	});
	try {
		for (let at = 0; at < SIGNAL_SAMPLES; at += PUSH_SAMPLES) {
			backend.push(signal.subarray(at * PROGRAM_CHANNELS, (at + PUSH_SAMPLES) * PROGRAM_CHANNELS), at);
		}
		await backend.finish();
	} catch (error) {
		throw failed ?? error; // The first failure is the reason, what follows from it is not.
	} finally {
		backend.close();
	}
	if (failed !== undefined) {
		throw failed;
	}
	if (config === undefined) {
		throw new Error(`AAC: expected a configuration with the first of ${packets.length} frames, got none`);
	}
	return { packets, config };
}

/** The left side of what the frames decode to. */
async function decodeAll(packets: readonly Uint8Array[], config: Uint8Array): Promise<Float32Array> {
	const decoded = new Float32Array((packets.length + 4) * AAC_FRAME_SAMPLES);
	let length = 0;
	let failed: Error | undefined;
	const decoder = new AudioDecoder({
		output: (data) => {
			try {
				if (length + data.numberOfFrames <= decoded.length) {
					data.copyTo(decoded.subarray(length), { planeIndex: 0, format: "f32-planar" });
					length += data.numberOfFrames;
				}
			} finally {
				data.close();
			}
		},
		error: (error) => {
			failed ??= error;
		},
	});
	decoder.configure({
		codec: AAC_CODEC,
		sampleRate: PROGRAM_RATE,
		numberOfChannels: PROGRAM_CHANNELS,
		description: config,
	});
	try {
		packets.forEach((data, index) => {
			const timestamp = Math.round(samplesToUs(index * AAC_FRAME_SAMPLES, PROGRAM_RATE));
			decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data }));
		});
		await decoder.flush();
	} finally {
		if (decoder.state !== "closed") {
			decoder.close();
		}
	}
	if (failed !== undefined) {
		throw failed;
	}
	return decoded.subarray(0, length);
}

/** A 50 ms sweep from 200 Hz to 6 kHz, the same on both sides, in silence. */
function chirpSignal(): Float32Array {
	const signal = new Float32Array(SIGNAL_SAMPLES * PROGRAM_CHANNELS);
	const seconds = CHIRP_SAMPLES / PROGRAM_RATE;
	for (let index = 0; index < CHIRP_SAMPLES; index += 1) {
		const t = index / PROGRAM_RATE;
		const envelope = Math.sin((Math.PI * index) / CHIRP_SAMPLES) ** 2;
		const value = 0.7 * envelope * Math.sin(2 * Math.PI * (200 * t + ((6_000 - 200) * t * t) / (2 * seconds)));
		signal.fill(value, (CHIRP_AT + index) * PROGRAM_CHANNELS, (CHIRP_AT + index + 1) * PROGRAM_CHANNELS);
	}
	return signal;
}

/** Where the decoded sound is most like the signal; throws when it is not like it anywhere. */
function findDelay(signal: Float32Array, decoded: Float32Array): number {
	let bestDelay = 0;
	let bestLikeness = 0;
	for (let delay = 0; delay <= MAX_PRIMING_SAMPLES; delay += 1) {
		let product = 0;
		let sent = 0;
		let heard = 0;
		for (let index = 0; index < CHIRP_SAMPLES; index += 1) {
			const a = signal[(CHIRP_AT + index) * PROGRAM_CHANNELS] as number;
			const b = decoded[CHIRP_AT + index + delay] ?? 0;
			product += a * b;
			sent += a * a;
			heard += b * b;
		}
		const likeness = product / Math.sqrt(sent * heard + 1e-12);
		if (likeness > bestLikeness) {
			bestLikeness = likeness;
			bestDelay = delay;
		}
	}
	if (bestLikeness < LEAST_LIKENESS) {
		const percent = Math.round(bestLikeness * 100);
		throw new Error(`AAC: expected the encoded sound back after decoding, got a likeness of ${percent} %`);
	}
	return bestDelay;
}

function withTimeout<T>(promise: Promise<T>): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const timeout = new Promise<never>((_, reject) => {
		const error = new Error(`AAC: expected an answer within ${TIMEOUT_MS} ms, got none`);
		timer = setTimeout(() => reject(error), TIMEOUT_MS);
	});
	return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
