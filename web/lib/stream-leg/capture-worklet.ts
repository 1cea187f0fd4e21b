import { US_PER_SECOND } from "../../../media/units.ts";
import type { SoundBlock } from "./worker-messages.ts";

/** Runs in the audio thread: hands what it hears to a port in blocks of a hundredth of a second. */

// TypeScript has no types for an AudioWorkletGlobalScope.
declare const currentFrame: number;
declare const sampleRate: number;
declare class AudioWorkletProcessor {
	readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

/** The quantum is 128 samples; a message for each would be 375 a second. */
const BLOCK_QUANTA = 4;

class CaptureProcessor extends AudioWorkletProcessor {
	#port: MessagePort | undefined;
	#quanta: Float32Array[][] = [];
	#firstFrame = 0;

	constructor() {
		super();
		this.port.onmessage = ({ data }: MessageEvent<MessagePort>) => {
			this.#port = data;
		};
	}

	process([channels]: readonly (readonly Float32Array[])[]): boolean {
		if (this.#quanta.length === 0) {
			this.#firstFrame = currentFrame;
		}
		// Without an input there are no channels: nothing is captured.
		if (channels !== undefined && channels.length > 0) {
			this.#quanta.push(channels.map((samples) => samples.slice()));
		} else {
			this.#quanta = [];
		}
		if (this.#quanta.length === BLOCK_QUANTA) {
			const timestampUs = (this.#firstFrame * US_PER_SECOND) / sampleRate;
			const block: SoundBlock = { timestampUs, sampleRate, channels: joined(this.#quanta) };
			this.#port?.postMessage(block);
			this.#quanta = [];
		}
		return true;
	}
}

/** A plane a channel; the number of channels may change from one quantum to the next, and then the fewer count. */
function joined(quanta: readonly Float32Array[][]): Float32Array[] {
	const channels = Math.min(...quanta.map(({ length }) => length));
	const length = quanta.reduce((sum, [first]) => sum + (first?.length ?? 0), 0);
	return Array.from({ length: channels }, (_, channel) => {
		const plane = new Float32Array(length);
		let at = 0;
		for (const quantum of quanta) {
			const samples = quantum[channel] ?? new Float32Array(0);
			plane.set(samples, at);
			at += samples.length;
		}
		return plane;
	});
}

registerProcessor("tandem-capture", CaptureProcessor);
