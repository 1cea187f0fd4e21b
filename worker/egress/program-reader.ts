import { MalformedError } from "../../media/bytes/byte-reader.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { tagKind } from "../../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-reader.ts";
import { type TimedTrack, TimeRebaser } from "../router/time-rebaser.ts";
import type { ProgramConfigs, ProgramTag } from "./tag-queue.ts";

/** Turns a Router's WS-FLV messages into tags with the destination's time, each knowing the configurations it needs. */
export class ProgramReader {
	readonly #time: TimeRebaser;
	#configs: ProgramConfigs = {};
	/** The time line begins at a key frame: sound from before it would be time in which the destination sees nothing. */
	#started = false;

	/** @param firstMs time at the destination of the first tag: 0, or where an earlier life of this egress stopped */
	constructor(firstMs: number) {
		this.#time = new TimeRebaser(firstMs);
	}

	/** Latest time given to a tag. */
	get lastMs(): number | undefined {
		return this.#time.lastMs;
	}

	/** A new subscription begins: the Router's time may have started over. */
	restart(): void {
		this.#time.restart();
	}

	/** @throws MalformedError when the message is not WS-FLV */
	push(message: ArrayBuffer): ProgramTag | undefined {
		const bytes = new Uint8Array(message);
		if (isFlvHeader(bytes)) {
			return undefined;
		}
		const tag = readSingleTag(bytes);
		const kind = tagKind(tag);
		switch (kind) {
			case "video-config":
				this.#configs = updated(this.#configs, "video", tag.body);
				return undefined;
			case "audio-config":
				this.#configs = updated(this.#configs, "audio", tag.body);
				return undefined;
			case "video-key":
			case "video-inter":
			case "audio": {
				const keyFrame = kind === "video-key";
				this.#started ||= keyFrame;
				return this.#started ? this.#timed(kind === "audio" ? "audio" : "video", keyFrame, tag) : undefined;
			}
			case "video-end":
			case "video-command":
			case "audio-empty":
			case "script":
			case "skip":
				throw new MalformedError(`egress: expected media and configurations only, got a ${kind} tag`);
		}
	}

	#timed(track: TimedTrack, keyFrame: boolean, tag: FlvTag): ProgramTag | undefined {
		const timeMs = this.#time.map(track, tag.timestampMs);
		return timeMs === undefined ? undefined : { track, keyFrame, timeMs, body: tag.body, configs: this.#configs };
	}
}

function updated(configs: ProgramConfigs, track: "audio" | "video", body: Uint8Array): ProgramConfigs {
	const before = configs[track];
	const same = before?.byteLength === body.byteLength && before.every((byte, at) => byte === body[at]);
	return same ? configs : { ...configs, [track]: body };
}
