/** Chromium's way to make a track of pictures: TypeScript does not know it. */
interface TrackGeneratorConstructor {
	new (init: { readonly kind: "video" }): MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> };
}

export interface PictureOutput {
	/** The worker may have a better one, which then takes its place. */
	readonly track?: MediaStreamTrack;
	/** For the worker to write to; absent where pictures come one by one. */
	readonly writable?: WritableStream<VideoFrame>;
	/** Shows it and closes it. */
	show(frame: VideoFrame): void;
	/** Stops the track. */
	close(): void;
}

/** Where this browser can have pictures of a worker's become a track: by a generator, or drawn on a canvas. */
export function openPictureOutput(): PictureOutput {
	const { MediaStreamTrackGenerator: Generator } = globalThis as {
		MediaStreamTrackGenerator?: TrackGeneratorConstructor;
	};
	if (Generator !== undefined) {
		const track = new Generator({ kind: "video" });
		return { track, writable: track.writable, show: (frame) => frame.close(), close: () => track.stop() };
	}
	const canvas = document.createElement("canvas");
	const context = canvas.getContext("2d", { alpha: false, desynchronized: true });
	const [track] = canvas.captureStream().getVideoTracks();
	return {
		...(track === undefined ? {} : { track }),
		show: (frame) => {
			try {
				const { displayWidth, displayHeight } = frame;
				if (canvas.width !== displayWidth || canvas.height !== displayHeight) {
					canvas.width = displayWidth;
					canvas.height = displayHeight;
				}
				context?.drawImage(frame, 0, 0);
			} finally {
				frame.close();
			}
		},
		close: () => track?.stop(),
	};
}
