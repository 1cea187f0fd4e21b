import { idrPicIdOf } from "../../../../media/avc/idr-pic-id.ts";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";
import { flvTagBytes, readSingleTag } from "../../../../media/flv/tag-writer.ts";
import { parseVideoBody } from "../../../../media/flv/video-body.ts";
import { wrapMs } from "../../../../media/timestamp.ts";
import { Silence } from "../../../../worker/router/splicer/silence.ts";
import { COMPOSITE, HOST, markOf } from "./tags.ts";
import type { OutTag, World } from "./world.ts";

const SAMPLES = [HOST, COMPOSITE].map(({ picture, videoConfig }) => ({ picture, record: videoConfig.body }));

/** Of two neighbours on a track. */
export function pairs<T>(of: readonly T[]): (readonly [T, T])[] {
	return of.slice(1).map((second, at) => [of[at] as T, second] as const);
}

export const presentMs = (tag: OutTag) => tag.timeMs + tag.compositionMs;

/** From each sound's end to the next one's beginning, in milliseconds: more than 0 is a hole, less an overlap. */
export function soundGaps(audio: readonly OutTag[]): { readonly gapMs: number; readonly tag: OutTag }[] {
	return pairs(audio).map(([before, tag]) => {
		const frameMs = Silence.frameMsOf(before.configs.audio) ?? 0;
		return { gapMs: tag.timeMs - before.timeMs - frameMs, tag };
	});
}

/** Where times do not rise, or do not stand in the message. */
export function timeFaults({ video, audio }: World): string[] {
	const faults: string[] = [];
	for (const track of [video, audio]) {
		for (const [before, tag] of pairs(track)) {
			if (tag.timeMs <= before.timeMs) {
				faults.push(`${tag.track} at ${tag.atMs}: ${before.timeMs} then ${tag.timeMs}`);
			}
		}
	}
	for (const tag of [...video, ...audio]) {
		const { timestampMs, body } = readSingleTag(tag.message);
		const parsed = tag.track === "video" ? parseVideoBody(body) : undefined;
		const compositionMs = parsed !== undefined && "compositionTimeMs" in parsed ? parsed.compositionTimeMs : 0;
		if (!Number.isInteger(tag.timeMs) || timestampMs !== wrapMs(tag.timeMs) || compositionMs !== tag.compositionMs) {
			faults.push(`${tag.track}: ${tag.timeMs}+${tag.compositionMs} says ${timestampMs}+${compositionMs}`);
		}
	}
	return faults;
}

/** A picture that was put right behind the one before, since its own time had passed. */
function squeezed(tags: readonly OutTag[]): ReadonlySet<OutTag> {
	return new Set(
		pairs(tags)
			.filter(([before, tag]) => tag.timeMs === before.timeMs + 1)
			.map(([, tag]) => tag),
	);
}

const offsetOf = (tag: OutTag) => (tag.sent === undefined ? undefined : tag.timeMs - tag.sent.timeMs);

/**
 * Sound that is not where the pictures of its source are: against the last picture ahead of it and the first one behind it, since a source
 * is joined between two. Says too how many were compared, so that nothing passes by being empty.
 */
export function skew(out: readonly OutTag[]): {
	readonly worstMs: number;
	readonly compared: number;
	readonly worst?: OutTag;
} {
	const late = squeezed(out.filter(({ track }) => track === "video"));
	const lateSound = squeezed(out.filter(({ track }) => track === "audio"));
	const neighbours = (order: readonly OutTag[]) => {
		const found = new Map<OutTag, OutTag>();
		const latest: Partial<Record<string, OutTag>> = {};
		for (const tag of order) {
			if (tag.sent === undefined || late.has(tag) || lateSound.has(tag)) {
				continue;
			}
			const is = tag.sent.id;
			if (tag.track === "video") {
				latest[is] = tag;
			} else if (latest[is] !== undefined) {
				found.set(tag, latest[is]);
			}
		}
		return found;
	};
	const ahead = neighbours(out);
	const behind = neighbours(out.toReversed());
	let [worstMs, compared] = [0, 0];
	let worst: OutTag | undefined;
	for (const tag of out) {
		const differences = [ahead.get(tag), behind.get(tag)].flatMap((other) => {
			const near = other !== undefined && Math.abs(other.atMs - tag.atMs) < 1_500;
			return near ? [Math.abs((offsetOf(other) ?? 0) - (offsetOf(tag) ?? 0))] : [];
		});
		if (tag.track === "audio" && differences.length > 0) {
			compared++;
			const ms = Math.min(...differences);
			if (ms > worstMs) {
				[worstMs, worst] = [ms, tag];
			}
		}
	}
	return { worstMs, compared, ...(worst !== undefined && { worst }) };
}

/** Longest time without a picture. */
export function longestFreezeMs({ video }: World, fromMs = 0): number {
	return Math.max(
		0,
		...pairs(video.filter(({ atMs }) => atMs >= fromMs)).map(([before, tag]) => tag.atMs - before.atMs),
	);
}

/** How far the program's time is behind the clock, against what it was first. */
export function lagsMs({ video }: World): { readonly atMs: number; readonly lagMs: number }[] {
	const [first] = video;
	return video.map(({ atMs, timeMs }) => ({
		atMs,
		lagMs: atMs - timeMs - ((first?.atMs ?? 0) - (first?.timeMs ?? 0)),
	}));
}

/** What a subscriber was sent that it did not need, or not sent that it did: configurations go out exactly where their bytes change. */
export function configFaults({ sink, sent }: World): string[] {
	const faults: string[] = [];
	const current: Partial<Record<number, string>> = {};
	for (const tag of sink.tags) {
		const isConfig = tag.body[1] === 0;
		const text = tag.body.join();
		if (isConfig) {
			if (current[tag.type] === text) {
				faults.push(`${tag.type} at ${tag.timestampMs}: sent again`);
			}
			current[tag.type] = text;
			continue;
		}
		const mark = markOf(flvTagBytes(tag));
		const source = sent[mark];
		const track = tag.type === TAG_TYPE.video ? "video" : "audio";
		const wanted = mark === -1 ? undefined : source?.configs[track]?.body.join();
		if (current[tag.type] === undefined || (wanted !== undefined && wanted !== current[tag.type])) {
			faults.push(`${track} at ${tag.timestampMs}: under another configuration`);
		}
	}
	return faults;
}

/** Key frames that come right after each other and have one idr_pic_id, as the tags that were sent have it. */
export function idrFaults({ video }: World): string[] {
	const faults: string[] = [];
	let before: number | undefined;
	for (const tag of video) {
		const id = tag.keyFrame ? idOf(tag) : undefined;
		if (id !== undefined && id === before) {
			faults.push(`two key frames at ${tag.atMs} with ${id}`);
		}
		before = id;
	}
	return faults;
}

function idOf(tag: OutTag): number | undefined {
	const body = parseVideoBody(readSingleTag(tag.message).body);
	const record = tag.configs.video?.body.join();
	const sample = SAMPLES.find((each) => each.record.join() === record);
	return sample === undefined || body.kind !== "video-key" ? undefined : idrPicIdOf(body.data, sample.picture.config);
}
