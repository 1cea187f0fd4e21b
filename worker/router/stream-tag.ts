import { setTagTimestamp } from "../../media/flv/tag-writer.ts";
import { wrapMs } from "../../media/timestamp.ts";

/** A decoder configuration tag, framed. One object lives as long as its bytes stay the same, so identity means equality. */
export interface ConfigTag {
	readonly message: Uint8Array;
	/** The tag's body, within `message`. */
	readonly body: Uint8Array;
}

/** The configurations in force at a tag. Replaced, never changed: equal identity means nothing changed. */
export interface StreamConfigs {
	readonly video?: ConfigTag;
	readonly audio?: ConfigTag;
}

/** One media tag of a stream (never a configuration), with what is needed to decode it. */
export interface StreamTag {
	readonly track: "audio" | "video";
	readonly keyFrame: boolean;
	/** Stream time (decoding time, for pictures), unwrapped. */
	readonly timeMs: number;
	/** Presentation less decoding time; 0 for sound. */
	readonly compositionMs: number;
	/** Another number where the source's own time was joined on anew: another publisher, a restart, a jump. */
	readonly epoch: number;
	/** Of a composite's picture: presentation time of the host's picture in it, 32-bit milliseconds of the host's stream. */
	readonly showsHostMs?: number;
	/** The publisher's own clock at the tag's capture less `timeMs`, where it says: Unix milliseconds. */
	readonly captureOffsetMs?: number;
	/** The framed FLV tag with the stream's time in it: one WS-FLV message, shared by all subscribers and never written to. */
	readonly message: Uint8Array;
	readonly configs: StreamConfigs;
}

/** `current` when the body is the same, byte for byte; a new object otherwise. */
export function updatedConfig(current: ConfigTag | undefined, message: Uint8Array, body: Uint8Array): ConfigTag {
	return current !== undefined && equalBytes(current.body, body) ? current : { message, body };
}

/** A copy of a configuration tag's message that carries the time of the tag it goes out before. */
export function configMessageAt(config: ConfigTag, timeMs: number): Uint8Array {
	const copy = config.message.slice();
	setTagTimestamp(copy, wrapMs(timeMs));
	return copy;
}

/** The configurations a receiver that has `sent` still needs before a tag that was made under `wanted`. */
export function missingConfigs(sent: StreamConfigs, wanted: StreamConfigs): ConfigTag[] {
	const missing: ConfigTag[] = [];
	if (wanted.video !== undefined && wanted.video !== sent.video) {
		missing.push(wanted.video);
	}
	if (wanted.audio !== undefined && wanted.audio !== sent.audio) {
		missing.push(wanted.audio);
	}
	return missing;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
