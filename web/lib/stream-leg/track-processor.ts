/** W3C mediacapture-transform: TypeScript does not know it. Chromium has it in pages (for both kinds), Safari in workers (for pictures). */
export interface TrackProcessorConstructor {
	new <Unit extends VideoFrame | AudioData>(init: {
		readonly track: MediaStreamTrack;
		/** Frames kept at most for a reader that is late; the oldest are let go of. */
		readonly maxBufferSize?: number;
	}): { readonly readable: ReadableStream<Unit> };
}

/** `undefined` where this page, or worker, has none. */
export function trackProcessor(): TrackProcessorConstructor | undefined {
	return (globalThis as { MediaStreamTrackProcessor?: TrackProcessorConstructor }).MediaStreamTrackProcessor;
}
