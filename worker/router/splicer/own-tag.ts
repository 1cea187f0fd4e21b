import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { flvTagBytes } from "../../../media/flv/tag-writer.ts";
import type { StreamConfigs, StreamTag } from "../stream-tag.ts";

export interface OwnTag {
	readonly track: "audio" | "video";
	readonly keyFrame: boolean;
	readonly timeMs: number;
	readonly compositionMs: number;
	readonly body: Uint8Array;
	readonly configs: StreamConfigs;
}

/** A tag the program makes by itself, of no source's epoch. */
export function ownTag({ body, ...tag }: OwnTag): StreamTag {
	return { ...tag, epoch: -1, message: flvTagBytes({ type: TAG_TYPE[tag.track], timestampMs: tag.timeMs, body }) };
}
