/** As wide as a picture is; small, for it costs an encoder as much as any. */
const WIDTH = 640;
const HEIGHT = 360;
/** Often enough to be a stream that flows: whoever decodes one takes half a second without a picture for a broken line. */
const FRAMES_PER_SECOND = 5;

/** What is sent while there is no camera. */
export interface BlackPicture {
	readonly track: MediaStreamTrack;
	close(): void;
}

/** Of a canvas, so that it is a track like every other and takes a camera's place without a new negotiation. */
export function canvasBlackPicture(): BlackPicture {
	const canvas = document.createElement("canvas");
	canvas.width = WIDTH;
	canvas.height = HEIGHT;
	const context = canvas.getContext("2d", { alpha: false });
	const [track] = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
	if (context === null || track === undefined) {
		throw new Error("black picture: expected a canvas that can be captured, got none");
	}
	// A canvas gives a frame when it was drawn on.
	const draw = () => context.fillRect(0, 0, WIDTH, HEIGHT);
	draw();
	const timer = setInterval(draw, 1_000 / FRAMES_PER_SECOND);
	return {
		track,
		close: () => {
			clearInterval(timer);
			track.stop();
		},
	};
}
