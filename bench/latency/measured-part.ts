import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { tagKind } from "../../media/flv/tag-kind.ts";
import type { ReceivedSession } from "../../test/support/faults/received.ts";

/**
 * The video of a session from `fromMs` to `toMs`, as a decoder wants it: with the configuration and all pictures since the last key frame before. Throws
 * where there is no key frame before.
 */
export function measuredPart(session: ReceivedSession, fromMs: number, toMs: number): ReceivedSession {
	const video = session.tags.filter(({ type, arrivedAtMs }) => type === TAG_TYPE.video && arrivedAtMs <= toMs);
	const first = video.findLastIndex((tag) => tag.arrivedAtMs <= fromMs && tagKind(tag) === "video-key");
	const config = video.slice(0, Math.max(0, first)).findLast((tag) => tagKind(tag) === "video-config");
	if (config === undefined) {
		throw new Error("latency: expected a key frame and its configuration before what is measured, got none");
	}
	return { startedAtMs: session.startedAtMs, endedAtMs: toMs, tags: [config, ...video.slice(first)] };
}

/** Those tags that hold a picture, in order. */
export function picturesOf<Tag extends FlvTag>({ tags }: { readonly tags: readonly Tag[] }): Tag[] {
	return tags.filter(isPicture);
}

export function isPicture(tag: FlvTag): boolean {
	return tag.type === TAG_TYPE.video && ["video-key", "video-inter"].includes(tagKind(tag));
}
