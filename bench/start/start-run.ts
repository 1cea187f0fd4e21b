/** One start; all times from the guest's admission, or from ffmpeg's start. */
export interface StartRun {
	/** The request to admit was answered. */
	readonly answeredMs?: number;
	/** The runner heard that it has a compositor to run. */
	readonly assignedMs?: number;
	/** A browser stands at the compositor's page: at once with a spare. */
	readonly launchedMs?: number;
	/** The compositor's first picture was at the Router. */
	readonly composedMs?: number;
	/** The first key frame that shows the guest beside the host was at the RTMP receiver. */
	readonly receivedMs: number;
}
