/** The program's sound: AAC-LC, which every service takes, at 48 kHz in stereo. */
export const AAC_CODEC = "mp4a.40.2";
export const PROGRAM_RATE = 48_000;
export const PROGRAM_CHANNELS = 2;
/** Samples in one AAC-LC frame (ISO/IEC 14496-3 §4.5.2.1.1). */
export const AAC_FRAME_SAMPLES = 1_024;

export interface AacSink {
	/** One raw AAC frame; `config` (AudioSpecificConfig) comes with the first. */
	onPacket(data: Uint8Array, config: Uint8Array | undefined): void;
	onError(error: Error): void;
}

/** A way to encode AAC: the browser's own, or WebAssembly. */
export interface AacBackend {
	/** Takes interleaved stereo at 48 kHz, of which the first is sample number `firstSample`. Copies it. */
	push(samples: Float32Array, firstSample: number): void;
	/** Resolves when everything pushed has come out; nothing may be pushed after. */
	finish(): Promise<void>;
	/** Ends at once; may be called twice. */
	close(): void;
}

/** Rejects when the browser cannot do it, with the reason. */
export type OpenAacBackend = (bitrateBps: number, sink: AacSink) => Promise<AacBackend>;

export function toError(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error));
}
