import { MS_PER_SECOND } from "../../media/units.ts";

/** Rates are taken over windows of this length: short enough to follow, long enough to hold a whole group of pictures as encoders set it. */
const WINDOW_MS = 2_000;

interface Window {
	readonly startMs: number;
	readonly endMs: number;
	readonly bytes: number;
	readonly videoTags: number;
}

export interface MeterFigures {
	readonly tags: number;
	readonly bitrateBps: number;
	readonly frameRate: number;
	readonly lastTagAgeMs: number | undefined;
}

/** Counts what one stream carries. */
export class StreamMeter {
	#tags = 0;
	#lastTagMs: number | undefined;
	#windowStartMs: number | undefined;
	#bytes = 0;
	#videoTags = 0;
	#finished: Window | undefined;

	count(track: "audio" | "video", bytes: number, nowMs: number): void {
		this.#turn(nowMs);
		this.#windowStartMs ??= nowMs;
		this.#tags++;
		this.#bytes += bytes;
		this.#videoTags += track === "video" ? 1 : 0;
		this.#lastTagMs = nowMs;
	}

	/** Rates of the last whole window; of the running one until the first is whole; zero once nothing has come for a window. */
	figures(nowMs: number): MeterFigures {
		const lastTagAgeMs = this.#lastTagMs === undefined ? undefined : nowMs - this.#lastTagMs;
		const window = this.#finished ?? this.#running(nowMs);
		if (window === undefined || lastTagAgeMs === undefined || lastTagAgeMs > WINDOW_MS) {
			return { tags: this.#tags, bitrateBps: 0, frameRate: 0, lastTagAgeMs };
		}
		const seconds = (window.endMs - window.startMs) / MS_PER_SECOND;
		return {
			tags: this.#tags,
			bitrateBps: Math.round((window.bytes * 8) / seconds),
			frameRate: Math.round((window.videoTags * 10) / seconds) / 10,
			lastTagAgeMs,
		};
	}

	#turn(nowMs: number): void {
		const window = this.#running(nowMs);
		if (window !== undefined && window.endMs - window.startMs >= WINDOW_MS) {
			this.#finished = window;
			this.#windowStartMs = undefined;
			this.#bytes = 0;
			this.#videoTags = 0;
		}
	}

	#running(nowMs: number): Window | undefined {
		if (this.#windowStartMs === undefined || nowMs <= this.#windowStartMs) {
			return undefined;
		}
		return { startMs: this.#windowStartMs, endMs: nowMs, bytes: this.#bytes, videoTags: this.#videoTags };
	}
}
