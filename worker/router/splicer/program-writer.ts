import { readSingleTag, setTagTimestamp } from "../../../media/flv/tag-writer.ts";
import { setCompositionTime } from "../../../media/flv/video-body.ts";
import { wrapMs } from "../../../media/timestamp.ts";
import { type ConfigTag, type StreamConfigs, type StreamTag, updatedConfig } from "../stream-tag.ts";
import { HoldPicture } from "./hold-picture.ts";
import { Silence } from "./silence.ts";

/** Where the sound of a new source is within this share of a frame of the old one's end, it follows on. */
const SOUND_JOIN = 0.5;
/** A hole of less than this share of a frame is left where sources join: a frame more of silence would be heard, and it may be rounding. */
const SOUND_FILL = 0.75;
/** A hole in one source's sound that is longer is filled; shorter ones are timestamps that were rounded. */
const SOUND_HOLE_MS = 100;

/** One time line on which the program's tags rise strictly, whatever their sources' times are. Owns no source and decides nothing. */
export class ProgramWriter {
	#configs: StreamConfigs = {};
	#videoMs: number | undefined;
	#presentMs = 0;
	#videoAtMs = 0;
	#audioMs: number | undefined;
	/** Where the sound so far ends. */
	#soundEndMs: number | undefined;
	/** The sound that comes next is another source's than the last. */
	#joinsSound = true;
	/** Silence has taken the place of sound that did not come. */
	#soundIsMissing = false;
	#picture: HoldPicture | undefined;
	#afterKeyFrame = false;
	#silence = new Silence(undefined);
	/** Configuration of the last real sound, and the length of its frames. */
	#soundConfig: ConfigTag | undefined;
	#soundFrameMs: number | undefined;

	/** Decoding time of the latest picture; `undefined` before the first. */
	get videoMs(): number | undefined {
		return this.#videoMs;
	}

	/** Latest presentation time. */
	get presentMs(): number {
		return this.#presentMs;
	}

	/** When the latest picture was written. */
	get videoAtMs(): number {
		return this.#videoAtMs;
	}

	/** Where the sound ends; `undefined` before the first picture. */
	get soundEndMs(): number | undefined {
		return this.#soundEndMs;
	}

	/** Silence has taken the place of sound that did not come. */
	get soundIsMissing(): boolean {
		return this.#soundIsMissing;
	}

	/** The picture to hold; `undefined` before the first key frame. */
	get picture(): HoldPicture | undefined {
		return this.#picture;
	}

	/** Time the program would be at now, had it gone on at the pace of the clock. */
	pacedMs(nowMs: number): number {
		return this.#videoMs === undefined ? 0 : this.#videoMs + Math.max(1, nowMs - this.#videoAtMs);
	}

	/** Another source's sound follows. */
	joinSound(): void {
		this.#joinsSound = true;
		this.#soundIsMissing = false;
	}

	/**
	 * A picture whose program time is its own plus `offsetMs`. Where that is not later than the last, it follows that by 1 ms, and its
	 * presentation stays where it was as far as that is possible.
	 */
	video(tag: StreamTag, offsetMs: number, nowMs: number): StreamTag {
		const mappedMs = Math.round(tag.timeMs + offsetMs);
		const timeMs = this.#videoMs === undefined ? mappedMs : Math.max(mappedMs, this.#videoMs + 1);
		const compositionMs = timeMs === mappedMs ? tag.compositionMs : Math.max(0, mappedMs + tag.compositionMs - timeMs);
		this.#follow("video", tag.configs);
		if (this.#configs.audio === undefined) {
			// A destination decides by what comes first which tracks there are.
			this.#follow("audio", tag.configs);
		}
		const message = this.#withOwnIdrPicId(tag);
		const written = retimed({ ...tag, message, configs: this.#configs }, timeMs, compositionMs);
		if (tag.keyFrame) {
			this.#picture = new HoldPicture(written);
		}
		this.#noteVideo(written, nowMs);
		this.#soundEndMs ??= timeMs;
		return written;
	}

	/** A sound tag, with silence ahead of it where there is a hole; nothing when it lies in what has been heard. */
	audio(tag: StreamTag, offsetMs: number): StreamTag[] {
		const mappedMs = Math.round(tag.timeMs + offsetMs);
		const endMs = this.#soundEndMs;
		if (endMs === undefined) {
			return [];
		}
		const frameMs = this.#frameMsOf(tag.configs.audio);
		if (this.#joinsSound && mappedMs < endMs - frameMs * SOUND_JOIN) {
			// It is there, if late: silence must wait for it, or it would run ahead of it for ever.
			this.#soundIsMissing = false;
			return [];
		}
		const holeMs = this.#joinsSound ? frameMs * SOUND_FILL : SOUND_HOLE_MS;
		const filled = mappedMs - endMs > holeMs ? this.#silenceUntil(mappedMs + this.#silence.frameMs * SOUND_JOIN) : [];
		this.#joinsSound = false;
		this.#soundIsMissing = false;
		this.#follow("audio", tag.configs);
		const timeMs = this.#audioMs === undefined ? mappedMs : Math.max(mappedMs, this.#audioMs + 1);
		this.#audioMs = timeMs;
		this.#soundEndMs = timeMs + frameMs;
		return [...filled, retimed({ ...tag, configs: this.#configs }, timeMs, 0)];
	}

	/** Silence from where the sound ends as far as whole frames go before `untilMs`; real sound joins on again. */
	silence(untilMs: number): StreamTag[] {
		const tags = this.#silenceUntil(untilMs);
		this.#joinsSound ||= tags.length > 0;
		this.#soundIsMissing ||= tags.length > 0;
		return tags;
	}

	/** The held picture once more, at the clock's pace, and silence up to it. Nothing before the first key frame. */
	hold(nowMs: number): StreamTag[] {
		const picture = this.#picture;
		if (picture === undefined) {
			return [];
		}
		const timeMs = Math.max(this.pacedMs(nowMs), this.#presentMs - picture.keyFrame.compositionMs + 1);
		const written = picture.again(timeMs, this.#configs);
		this.#noteVideo(written, nowMs);
		this.#soundEndMs ??= timeMs;
		return [written, ...this.silence(timeMs)];
	}

	/** Begins with a picture from an earlier life, at time 0. */
	restore(picture: HoldPicture): void {
		this.#picture = picture;
		this.#configs = picture.keyFrame.configs;
		this.#silence = new Silence(picture.keyFrame.configs.audio);
	}

	#noteVideo(written: StreamTag, nowMs: number): void {
		this.#videoMs = written.timeMs;
		this.#presentMs = Math.max(this.#presentMs, written.timeMs + written.compositionMs);
		this.#videoAtMs = nowMs;
		this.#afterKeyFrame = written.keyFrame;
	}

	/** Two key frames that follow each other must tell themselves apart, whichever sources they are from (ITU-T H.264 §7.4.3, idr_pic_id). */
	#withOwnIdrPicId(tag: StreamTag): Uint8Array {
		return tag.keyFrame && this.#afterKeyFrame && this.#picture !== undefined
			? this.#picture.toldApart(tag)
			: tag.message;
	}

	#frameMsOf(config: ConfigTag | undefined): number {
		if (config !== this.#soundConfig) {
			this.#soundConfig = config;
			this.#soundFrameMs = Silence.frameMsOf(config);
		}
		return this.#soundFrameMs ?? this.#silence.frameMs;
	}

	#silenceUntil(untilMs: number): StreamTag[] {
		const tags: StreamTag[] = [];
		const { frameMs } = this.#silence;
		while (this.#soundEndMs !== undefined && this.#soundEndMs + frameMs <= untilMs) {
			const timeMs = Math.max(Math.round(this.#soundEndMs), (this.#audioMs ?? -1) + 1);
			this.#follow("audio", { audio: this.#silence.config });
			this.#audioMs = timeMs;
			this.#soundEndMs += frameMs;
			tags.push(this.#silence.frameAt(timeMs, this.#configs));
		}
		return tags;
	}

	/** The configuration a track's next tag needs: the one in force where the bytes are the same, so that it is not sent again. */
	#follow(track: "video" | "audio", configs: StreamConfigs): void {
		const wanted = configs[track];
		const config = wanted && updatedConfig(this.#configs[track], wanted.message, wanted.body);
		if (config === undefined || config === this.#configs[track]) {
			return;
		}
		this.#configs = { ...this.#configs, [track]: config };
		if (track === "audio") {
			this.#silence = new Silence(config);
		}
	}
}

/** The tag at another time: the same message where nothing changes, a copy where something does. */
function retimed(tag: StreamTag, timeMs: number, compositionMs: number): StreamTag {
	const { timestampMs } = readSingleTag(tag.message);
	if (timestampMs === wrapMs(timeMs) && compositionMs === tag.compositionMs) {
		return { ...tag, timeMs };
	}
	const message = tag.message.slice();
	setTagTimestamp(message, wrapMs(timeMs));
	if (tag.track === "video" && compositionMs !== tag.compositionMs) {
		setCompositionTime(readSingleTag(message).body, compositionMs);
	}
	return { ...tag, timeMs, compositionMs, message };
}
