import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { flvTagBytes, readSingleTag } from "../../../media/flv/tag-writer.ts";
import type { SourceId } from "../../../worker/router/splicer/choose-source.ts";
import { Splicer } from "../../../worker/router/splicer/splicer.ts";
import type { ConfigTag, StreamConfigs, StreamTag } from "../../../worker/router/stream-tag.ts";
import { inTurn, type MicroCase } from "../micro-case.ts";
import { AUDIO_CONFIG, programTags, type SampleTag, VIDEO_CONFIG } from "../samples.ts";

/** The host's own time when the program begins, so that times are written anew as they are on air. */
const BEGAN_AT_MS = 5_000;
const SECONDS = 20;

const configs: StreamConfigs = { video: configOf(VIDEO_CONFIG), audio: configOf(AUDIO_CONFIG) };
const host = programTags(BEGAN_AT_MS, SECONDS).map(streamTag);
const unit = "tag";
const bytes = host.reduce((sum, { message }) => sum + message.byteLength, 0) / host.length;

interface Pushed {
	readonly id: SourceId;
	readonly tag: StreamTag;
}

export const SPLICER_CASES: readonly MicroCase[] = [
	{
		name: "Splicer, the host passed through",
		unit,
		bytes,
		run: inTurn(
			host.map((tag): Pushed => ({ id: "host", tag })),
			() => splicing("host"),
		),
	},
	{
		name: "Splicer, a composite with the host beside it",
		unit,
		bytes,
		run: inTurn(
			host.flatMap((tag): Pushed[] => [
				{ id: "composite", tag },
				{ id: "host", tag },
			]),
			() => splicing("composite"),
		),
	},
];

function splicing(prefers: SourceId): (pushed: Pushed) => void {
	const splicer = new Splicer(prefers, BEGAN_AT_MS);
	return ({ id, tag }) => splicer.push(id, tag, tag.timeMs);
}

function streamTag(tag: SampleTag): StreamTag {
	const { timestampMs, keyFrame } = tag;
	const track = tag.type === TAG_TYPE.audio ? "audio" : "video";
	return { track, keyFrame, timeMs: timestampMs, compositionMs: 0, epoch: 1, message: flvTagBytes(tag), configs };
}

function configOf(tag: typeof VIDEO_CONFIG): ConfigTag {
	const message = flvTagBytes(tag);
	return { message, body: readSingleTag(message).body };
}
