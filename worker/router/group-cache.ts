import type { StreamTag } from "./stream-tag.ts";

/**
 * Below the subscriber's limit of unacknowledged bytes, so that the burst a late joiner gets never makes it skip by itself; eight seconds of
 * 6 Mb/s, the longest group OBS makes by default.
 */
export const MAX_GROUP_BYTES = 6 * 1024 * 1024;
/** Ten seconds of 60 frames and 94 sound tags each second, and as much again. */
export const MAX_GROUP_TAGS = 3_000;
/** Older than this a group of pictures is the past: playing it to a new subscriber would show a frozen source as live. */
export const STALE_AFTER_MS = 2_000;

/** The group of pictures so far, from its key frame on, for subscribers that join in the middle of it. */
export class GroupCache {
	#tags: StreamTag[] = [];
	#bytes = 0;
	#lastPushMs = 0;

	get bytes(): number {
		return this.#bytes;
	}

	push(tag: StreamTag, nowMs: number): void {
		this.#lastPushMs = nowMs;
		if (tag.keyFrame) {
			this.clear();
		} else if (this.#tags.length === 0) {
			return;
		}
		this.#tags.push(tag);
		this.#bytes += tag.message.byteLength;
		if (this.#bytes > MAX_GROUP_BYTES || this.#tags.length > MAX_GROUP_TAGS) {
			this.clear();
		}
	}

	/** The group from its key frame on; empty when there is none, it was too large to keep, or its source has gone quiet. */
	tags(nowMs: number): readonly StreamTag[] {
		return nowMs - this.#lastPushMs > STALE_AFTER_MS ? [] : this.#tags;
	}

	clear(): void {
		this.#tags = [];
		this.#bytes = 0;
	}
}
