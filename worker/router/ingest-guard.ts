import { MediaRefusedError } from "./media-sink.ts";

/** A person without a picture cannot be composited; encoders start their video within a second or two of their sound. */
export const VIDEO_WITHIN_MS = 10_000;
/** A publisher that sends nothing for this long is a dead line that would keep its stream looking live. */
export const SILENT_AFTER_MS = 30_000;

/** Watches one publisher for media that must come and does not. */
export class IngestGuard {
	#lastTagMs: number;
	#firstTagMs: number | undefined;
	#hasAudio = false;
	#hasVideo = false;

	constructor(nowMs: number) {
		this.#lastTagMs = nowMs;
	}

	/** It was told to be silent, or to speak again: silence counts from now on. */
	excuse(nowMs: number): void {
		this.#lastTagMs = nowMs;
	}

	sawTag(track: "audio" | "video" | "other", nowMs: number): void {
		this.#firstTagMs ??= nowMs;
		this.#lastTagMs = nowMs;
		this.#hasVideo ||= track === "video";
		this.#hasAudio ||= track === "audio";
	}

	/** @throws MediaRefusedError when something that had to come has not */
	check(nowMs: number): void {
		if (nowMs - this.#lastTagMs > SILENT_AFTER_MS) {
			const seconds = SILENT_AFTER_MS / 1_000;
			throw new MediaRefusedError("stalled", `publisher: expected media within ${seconds} s, got none`);
		}
		if (this.#hasVideo || this.#firstTagMs === undefined) {
			return;
		}
		if (nowMs - this.#firstTagMs > VIDEO_WITHIN_MS) {
			const got = this.#hasAudio ? "audio only" : "no media";
			throw new MediaRefusedError("noMedia", `expected a video track within ${VIDEO_WITHIN_MS / 1_000} s, got ${got}`);
		}
	}
}
