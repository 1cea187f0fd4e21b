/** Decoded sound: one array per channel, of which the first `frames` samples count. */
export interface PlanarPcm {
	readonly sampleRate: number;
	readonly frames: number;
	readonly channels: readonly Float32Array[];
}

/** Copies decoded sound out of WebCodecs into arrays that are used again and again. */
export class PlanarPcmBuffer {
	#channels: Float32Array<ArrayBuffer>[] = [];

	/** Valid until the next call. Does not close `data`: its owner does. */
	copy(data: AudioData): PlanarPcm {
		const { numberOfChannels, numberOfFrames: frames, sampleRate } = data;
		while (this.#channels.length < numberOfChannels) {
			this.#channels.push(new Float32Array(frames));
		}
		const channels = this.#channels.slice(0, numberOfChannels).map((kept, planeIndex) => {
			const plane = kept.length >= frames ? kept : new Float32Array(frames);
			this.#channels[planeIndex] = plane;
			data.copyTo(plane, { planeIndex, format: "f32-planar" });
			return plane;
		});
		return { sampleRate, frames, channels };
	}
}
