import type { SoundHeard, SoundToHear } from "./worker-messages.ts";

/** Runs in the audio thread: plays what a worker made for each sample number, and says how far it is. */

// TypeScript has no types for an AudioWorkletGlobalScope.
declare const currentFrame: number;
declare class AudioWorkletProcessor {
	readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: typeof AudioWorkletProcessor): void;

const CHANNELS = 2;
/** The quantum is 128 samples; a word for each would be 375 a second. */
const WORD_EVERY_QUANTA = 4;

class PlayProcessor extends AudioWorkletProcessor {
	#port: MessagePort | undefined;
	#waiting: SoundToHear[] = [];
	#quanta = 0;
	#missing = 0;
	/** Nothing is missing before there was anything. */
	#begun = false;

	constructor() {
		super();
		this.port.onmessage = ({ data: port }: MessageEvent<MessagePort>) => {
			this.#port = port;
			port.onmessage = ({ data }: MessageEvent<SoundToHear>) => {
				this.#waiting.push(data);
				this.#begun = true;
			};
		};
	}

	process(_inputs: unknown, [output]: readonly (readonly Float32Array[])[]): boolean {
		const [left, right] = output ?? [];
		const frames = left?.length ?? 0;
		let filled = 0;
		for (const { firstFrame, samples } of this.#waiting) {
			const from = Math.max(0, firstFrame - currentFrame);
			const until = Math.min(frames, firstFrame + samples.length / CHANNELS - currentFrame);
			for (let index = from; index < until; index += 1) {
				const at = (currentFrame + index - firstFrame) * CHANNELS;
				if (left !== undefined) {
					left[index] = samples[at] ?? 0;
				}
				if (right !== undefined) {
					right[index] = samples[at + 1] ?? 0;
				}
				filled += 1;
			}
		}
		const played = currentFrame + frames;
		this.#waiting = this.#waiting.filter(({ firstFrame, samples }) => firstFrame + samples.length / CHANNELS > played);
		this.#missing += this.#begun ? Math.max(0, frames - filled) : 0;
		this.#quanta += 1;
		if (this.#quanta % WORD_EVERY_QUANTA === 0) {
			const heard: SoundHeard = { frame: played, missing: this.#missing };
			this.#missing = 0;
			this.#port?.postMessage(heard);
		}
		return true;
	}
}

registerProcessor("tandem-play", PlayProcessor);
