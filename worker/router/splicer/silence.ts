import { AAC_OBJECT_TYPE, writeAudioSpecificConfig } from "../../../media/aac/audio-specific-config.ts";
import { aacFrameDurationUs } from "../../../media/aac/frame-duration.ts";
import { silentAacFrame } from "../../../media/aac/silence.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { audioConfigBody, audioFrameBody, parseAudioBody } from "../../../media/flv/audio-body.ts";
import { usToMs } from "../../../media/units.ts";
import type { ConfigTag, StreamConfigs, StreamTag } from "../stream-tag.ts";
import { ownTag } from "./own-tag.ts";

/** What services want, for a program that has had no sound yet. */
const DEFAULT = writeAudioSpecificConfig({ objectType: AAC_OBJECT_TYPE.lc, sampleRate: 48_000, channels: 2 });

interface SilentFrame {
	readonly data: Uint8Array;
	readonly durationMs: number;
}

/** Silent AAC that a decoder in the middle of a stream takes as its next frames. */
export class Silence {
	/** The configuration it is made for: the stream's own where silence can be made for that, the usual one where not. */
	readonly config: ConfigTag;
	readonly frameMs: number;
	readonly #body: Uint8Array;

	constructor(stream: ConfigTag | undefined) {
		const own = stream && silentFrameOf(stream);
		const config = own === undefined ? defaultConfig() : stream;
		const frame = own ?? (config && silentFrameOf(config));
		if (frame === undefined || config === undefined) {
			throw new Error("silence: expected the usual configuration to have a silent frame, got none");
		}
		this.config = config;
		this.frameMs = frame.durationMs;
		this.#body = audioFrameBody("aac", frame.data);
	}

	/** Length of one frame under a configuration; `undefined` for none, or one that does not say. */
	static frameMsOf(config: ConfigTag | undefined): number | undefined {
		const asc = config && audioSpecificConfig(config);
		const us = asc && orUndefined(() => aacFrameDurationUs(asc));
		return us === undefined ? undefined : usToMs(us);
	}

	frameAt(timeMs: number, configs: StreamConfigs): StreamTag {
		return ownTag({ track: "audio", keyFrame: false, timeMs, compositionMs: 0, body: this.#body, configs });
	}
}

function silentFrameOf(config: ConfigTag): SilentFrame | undefined {
	const asc = audioSpecificConfig(config);
	const data = asc && orUndefined(() => silentAacFrame(asc));
	const durationMs = Silence.frameMsOf(config);
	return data === undefined || durationMs === undefined ? undefined : { data, durationMs };
}

function audioSpecificConfig(config: ConfigTag): Uint8Array | undefined {
	const body = orUndefined(() => parseAudioBody(config.body));
	return body?.kind === "audio-config" && body.codec === "aac" ? body.data : undefined;
}

function defaultConfig(): ConfigTag {
	const body = audioConfigBody("aac", DEFAULT);
	const { message } = ownTag({ track: "audio", keyFrame: false, timeMs: 0, compositionMs: 0, body, configs: {} });
	return { message, body };
}

/** A configuration that decoders may take and this does not understand is one for which no silence can be made. */
function orUndefined<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (error instanceof MalformedError) {
			return undefined;
		}
		throw error;
	}
}
