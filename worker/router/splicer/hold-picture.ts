import { type AvcConfig, parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { idrPicIdOf, withIdrPicId } from "../../../media/avc/idr-pic-id.ts";
import { repeatedIdr, unshiftingIdrPicIds } from "../../../media/avc/repeated-idr.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { readSingleTag } from "../../../media/flv/tag-reader.ts";
import { parseVideoBody, videoFrameBody } from "../../../media/flv/video-body.ts";
import type { StreamConfigs, StreamTag } from "../stream-tag.ts";
import { ownTag } from "./own-tag.ts";

/** A program's last key frame, which can be shown again as often as is wanted. */
export class HoldPicture {
	readonly keyFrame: StreamTag;
	readonly #avc: AvcConfig | undefined;
	readonly #data: Uint8Array;
	/** The two pictures that are sent in turn; made when the first is wanted, since that takes tens of milliseconds for a large one. */
	#repeats: readonly [Uint8Array, Uint8Array] | undefined;
	#timesShown = 0;
	/** idr_pic_id of the picture as it was sent last; `undefined` where it cannot be told. */
	#id: number | undefined;

	constructor(keyFrame: StreamTag) {
		const body = parseVideoBody(readSingleTag(keyFrame.message).body);
		this.keyFrame = keyFrame;
		this.#avc = avcConfigOf(keyFrame.configs);
		this.#data = "data" in body ? body.data : new Uint8Array();
		this.#id = this.#orUnchanged((avc) => idrPicIdOf(this.#data, avc), undefined);
	}

	/**
	 * The picture at a time of the program. Without its SEI, since captions and time codes are not said twice, and with another idr_pic_id than
	 * before: two IDR pictures that follow each other must differ in it (ITU-T H.264 §7.4.3).
	 */
	again(timeMs: number, configs: StreamConfigs): StreamTag {
		if (this.#timesShown === 0) {
			this.#repeats = this.#orUnchanged((avc) => repeatedIdr(this.#data, avc), undefined);
		}
		const data = this.#repeats?.[this.#timesShown % 2 === 0 ? 0 : 1] ?? this.#data;
		this.#timesShown++;
		this.#id = this.#orUnchanged((avc) => idrPicIdOf(data, avc), undefined);
		const { compositionMs } = this.keyFrame;
		const body = videoFrameBody("avc", true, compositionMs, data);
		return ownTag({ track: "video", keyFrame: true, timeMs, compositionMs, body, configs });
	}

	/** A key frame's message for the place right after this picture: changed where the two could not be told apart. */
	toldApart(keyFrame: StreamTag): Uint8Array {
		const { timestampMs, body } = readSingleTag(keyFrame.message);
		const video = parseVideoBody(body);
		const avc = avcConfigOf(keyFrame.configs);
		if (avc === undefined || this.#id === undefined || video.kind !== "video-key") {
			return keyFrame.message;
		}
		try {
			if (idrPicIdOf(video.data, avc) !== this.#id) {
				return keyFrame.message;
			}
			const [other] = unshiftingIdrPicIds(this.#id);
			const data = withIdrPicId(video.data, avc, other);
			const changed = videoFrameBody("avc", true, video.compositionTimeMs, data);
			return ownTag({ ...keyFrame, timeMs: timestampMs, body: changed }).message;
		} catch (error) {
			return unlessMalformed(error, keyFrame.message);
		}
	}

	/** A picture that a decoder takes and this does not understand is repeated as it is. */
	#orUnchanged<T>(change: (avc: AvcConfig) => T, unchanged: T): T {
		if (this.#avc === undefined) {
			return unchanged;
		}
		try {
			return change(this.#avc);
		} catch (error) {
			return unlessMalformed(error, unchanged);
		}
	}
}

function avcConfigOf({ video }: StreamConfigs): AvcConfig | undefined {
	if (video === undefined) {
		return undefined;
	}
	try {
		const body = parseVideoBody(video.body);
		return body.kind === "video-config" && body.codec === "avc" ? parseAvcConfig(body.data) : undefined;
	} catch (error) {
		return unlessMalformed(error, undefined);
	}
}

function unlessMalformed<T>(error: unknown, instead: T): T {
	if (error instanceof MalformedError) {
		return instead;
	}
	throw error;
}
