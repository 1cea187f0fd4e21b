import { MalformedError } from "../../media/bytes/byte-reader.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { type TagKind, tagKind } from "../../media/flv/tag-kind.ts";
import { UnsupportedCodecError } from "../../media/flv/unsupported-codec-error.ts";

/**
 * Decides which of a publisher's tags go up the line. Usually all; after a gap (the line was mended, or it was too slow) nothing
 * before the next video key frame, since what depends on the lost frames cannot be decoded.
 */
export class UplinkGate {
	#videoConfig: FlvTag | undefined;
	#audioConfig: FlvTag | undefined;
	#hasVideo = false;
	#waiting = false;
	/** The other end is a new one, which has not heard the configurations. */
	#configsOwed = false;
	/** Something was sent: what is left out from here on is a loss, and not only the time before the first key frame. */
	#begun = false;
	#skipped = 0;

	/** A new line is up. */
	lineChanged(): void {
		this.#waiting = true;
		this.#configsOwed = true;
	}

	/** The tags to send now for this one. A gap begins, or goes on, while the line is `late`. */
	push(tag: FlvTag, late: boolean): FlvTag[] {
		const kind = kindOf(tag);
		this.#remember(kind, tag);
		this.#waiting ||= late;
		if (!this.#waiting || kind === undefined) {
			return [tag];
		}
		if (kind === "video-config" || kind === "audio-config") {
			return this.#configsOwed && this.#hasVideo ? [] : [tag];
		}
		if (late || !this.#endsGap(kind)) {
			this.#skipped += this.#begun ? 1 : 0;
			return [];
		}
		this.#waiting = false;
		this.#begun = true;
		return [...this.#owedConfigs(tag.timestampMs), tag];
	}

	/** Tags lost to gaps since the last call. */
	takeSkipped(): number {
		const skipped = this.#skipped;
		this.#skipped = 0;
		return skipped;
	}

	#remember(kind: TagKind | undefined, tag: FlvTag): void {
		switch (kind) {
			case "video-config":
				this.#hasVideo = true;
				this.#videoConfig = tag;
				break;
			case "audio-config":
				this.#audioConfig = tag;
				break;
			case "video-key":
			case "video-inter":
				this.#hasVideo = true;
				break;
			default:
				break;
		}
	}

	/** Without a picture so far there is no key frame to wait for, and sound goes at once. */
	#endsGap(kind: TagKind): boolean {
		return kind === "video-key" || (kind === "audio" && !this.#hasVideo);
	}

	#owedConfigs(timestampMs: number): FlvTag[] {
		if (!this.#configsOwed) {
			return [];
		}
		this.#configsOwed = false;
		return [this.#videoConfig, this.#audioConfig]
			.filter((config) => config !== undefined)
			.map((config) => ({ ...config, timestampMs }));
	}
}

/** `undefined` for what cannot be read: the Router judges it, and says why in closing. */
function kindOf(tag: FlvTag): TagKind | undefined {
	try {
		return tagKind(tag);
	} catch (error) {
		if (error instanceof MalformedError || error instanceof UnsupportedCodecError) {
			return undefined;
		}
		throw error;
	}
}
