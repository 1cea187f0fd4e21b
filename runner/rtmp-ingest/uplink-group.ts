import type { FlvTag } from "../../media/flv/tag.ts";

/** What the Router keeps for those who join late: eight seconds of 6 Mb/s, the longest group OBS makes by default. */
export const MAX_GROUP_BYTES = 6 * 1024 * 1024;
/** Ten seconds of 60 frames and 94 sound tags each second, and as much again. */
export const MAX_GROUP_TAGS = 3_000;

/** A publisher's group of pictures so far, sound included, so that a new line can begin with a picture at once. */
export class UplinkGroup {
	#tags: FlvTag[] = [];
	#bytes = 0;

	/** From the key frame on; empty when there is none, or it was too long ago to keep. */
	get tags(): readonly FlvTag[] {
		return this.#tags;
	}

	begin(keyFrame: FlvTag): void {
		this.clear();
		this.#add(keyFrame);
	}

	/** What belongs to no key frame is not kept. */
	push(tag: FlvTag): void {
		if (this.#tags.length > 0) {
			this.#add(tag);
		}
	}

	clear(): void {
		this.#tags = [];
		this.#bytes = 0;
	}

	#add(tag: FlvTag): void {
		this.#tags.push(tag);
		this.#bytes += tag.body.byteLength;
		if (this.#bytes > MAX_GROUP_BYTES || this.#tags.length > MAX_GROUP_TAGS) {
			this.clear();
		}
	}
}
