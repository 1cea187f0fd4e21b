import { MalformedError } from "../../media/bytes/byte-reader.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { type TagKind, tagKind } from "../../media/flv/tag-kind.ts";
import { UnsupportedCodecError } from "../../media/flv/unsupported-codec-error.ts";
import { UplinkGroup } from "./uplink-group.ts";

/** A publisher that has been silent for longer has no picture of the present: a new line waits for the next key frame. */
export const STALE_AFTER_MS = 2_000;

/**
 * Decides which of a publisher's tags go up the line. Usually all. A new line begins with the group of pictures so far, at its true times:
 * encoders make a key frame every eight seconds, and nobody is to wait for one. After a gap on the same line (it was too slow) nothing goes
 * before the next video key frame, since what depends on the lost frames cannot be decoded.
 */
export class UplinkGate {
	readonly #group = new UplinkGroup();
	#videoConfig: FlvTag | undefined;
	#audioConfig: FlvTag | undefined;
	#hasVideo = false;
	#waiting = false;
	/** The other end is a new one, which has not heard the configurations. */
	#configsOwed = false;
	/** Something was sent: what is left out from here on is a loss, and not only the time before the first key frame. */
	#begun = false;
	#skipped = 0;
	/** Those of them that the group holds. */
	#skippedInGroup = 0;

	/** A new line is up. The tags to send on it first, the latest of which came `sinceLastTagMs` ago. */
	lineChanged(sinceLastTagMs: number): FlvTag[] {
		this.#waiting = true;
		this.#configsOwed = true;
		const [keyFrame] = this.#group.tags;
		if (keyFrame === undefined || sinceLastTagMs > STALE_AFTER_MS) {
			return [];
		}
		this.#waiting = false;
		this.#begun = true;
		this.#skipped -= this.#skippedInGroup;
		this.#skippedInGroup = 0;
		return [...this.#owedConfigs(keyFrame.timestampMs), ...this.#group.tags];
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
			this.#skip();
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

	#skip(): void {
		this.#skipped += this.#begun ? 1 : 0;
		this.#skippedInGroup += this.#begun && this.#group.tags.length > 0 ? 1 : 0;
	}

	#remember(kind: TagKind | undefined, tag: FlvTag): void {
		switch (kind) {
			case "video-config":
				this.#hasVideo = true;
				if (this.#videoConfig !== undefined && !equalBytes(this.#videoConfig.body, tag.body)) {
					// What was made under the old one cannot be decoded with the new one.
					this.#group.clear();
				}
				this.#videoConfig = tag;
				break;
			case "audio-config":
				this.#audioConfig = tag;
				break;
			case "video-key":
				this.#hasVideo = true;
				this.#group.begin(tag);
				this.#skippedInGroup = 0;
				break;
			case "video-inter":
				this.#hasVideo = true;
				this.#group.push(tag);
				break;
			case "audio":
				this.#group.push(tag);
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

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
