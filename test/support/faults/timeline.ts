import type { FrameCode } from "./frame-code.ts";
import { AUDIO_FRAME_SAMPLES, SOUND_RATE } from "./tone-strength.ts";

/** A destination's stream as a viewer gets it, over all its sessions: every frame and every piece of sound, with what was seen and heard in it. */
export interface Timeline {
	readonly sessions: readonly { readonly startedAtMs: number; readonly endedAtMs: number | undefined }[];
	/** In order of arrival. */
	readonly frames: readonly SeenFrame[];
	readonly sound: readonly HeardPacket[];
	/** Sequence headers of the picture after the first of their session: where the stream was spliced. */
	readonly splices: readonly { readonly arrivedAtMs: number; readonly timeMs: number }[];
	/** What ffprobe had against the sessions. */
	readonly complaints: readonly string[];
}

export interface Received {
	readonly arrivedAtMs: number;
	/** Presentation time without wraps, over all sessions. */
	readonly timeMs: number;
	readonly session: number;
}

export interface SeenFrame extends Received {
	readonly key: boolean;
	/** Of everybody who is seen. */
	readonly codes: readonly FrameCode[];
}

/** One AAC frame. */
export interface HeardPacket extends Received {
	/** 0 to 1. */
	readonly rms: number;
	/** Strength of each tone that was listened for, in the order it was named. */
	readonly tones: readonly number[];
}

export const AUDIO_FRAME_MS = (AUDIO_FRAME_SAMPLES * 1_000) / SOUND_RATE;
