import type { PersonId } from "../../../worker/protocol/roles.ts";

export interface StreamPlayOptions {
	/** Such as `https://tandem.example`. */
	readonly apiUrl: string;
	readonly broadcastId: string;
	/** Whose stream. */
	readonly person: PersonId;
	readonly token: string;
}

/**
 * `waiting`: connected, and nothing comes. `broken`: the line is gone and tried again. `refused`: for good. `closed` by the page.
 */
export type StreamPlayState = "connecting" | "playing" | "waiting" | "broken" | "refused" | "closed";

/** Page → worker. */
export type ToStreamPlay =
	| {
			readonly type: "start";
			readonly options: StreamPlayOptions;
			/** Where pictures go; without it the worker makes a track of its own, or sends them one by one. */
			readonly pictures?: WritableStream<VideoFrame>;
			/** To the audio worklet. */
			readonly sound: MessagePort;
	  }
	| { readonly type: "expected"; readonly expected: boolean }
	| { readonly type: "close" };

/** Worker → page. */
export type FromStreamPlay =
	| { readonly type: "state"; readonly state: StreamPlayState; readonly reason?: string }
	/** Of pictures, made by the worker. */
	| { readonly type: "track"; readonly track: MediaStreamTrack }
	/** Owned by the page. */
	| { readonly type: "picture"; readonly frame: VideoFrame }
	| { readonly type: "closed" };

/** Audio worklet → worker, some hundred times a second. */
export interface SoundHeard {
	/** Number of the sample that is played next, at 48 kHz. */
	readonly frame: number;
	/** Samples that were not there in time since the last word. */
	readonly missing: number;
}

/** Worker → audio worklet: interleaved stereo at 48 kHz, of which the first is sample number `firstFrame`. */
export interface SoundToHear {
	readonly firstFrame: number;
	readonly samples: Float32Array;
}
