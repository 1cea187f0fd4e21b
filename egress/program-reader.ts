import { MalformedError } from "../media/bytes/byte-reader.ts";
import { type TagKind, tagKind } from "../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../media/flv/tag-reader.ts";
import { TimestampUnwrapper } from "../media/timestamp.ts";
import { type DestinationMoment, DestinationTime } from "./destination-time.ts";
import { JoiningBurst, type RouterTag } from "./joining-burst.ts";
import type { ProgramConfigs, ProgramTag } from "./tag-queue.ts";

/** The picture that a destination was given last to begin decoding at. */
interface SentKeyFrame {
	readonly body: Uint8Array;
	readonly timeMs: number;
}

/**
 * Turns a Router's WS-FLV messages into tags with the destination's time, each knowing the configurations it needs.
 *
 * A subscription begins with the group of pictures so far. One that takes the place of another is therefore held back until that burst is
 * over ({@link settle}): its end tells where the new time line's live edge is. Nothing that was sent before is given out again, neither when
 * the Router's line went on nor when a publisher has sent a new Router its last group once more: the key frame's bytes tell.
 */
export class ProgramReader {
	readonly #time: DestinationTime;
	#unwrapper = new TimestampUnwrapper();
	#configs: ProgramConfigs = {};
	#burst: JoiningBurst | undefined;
	#sentKeyFrame: SentKeyFrame | undefined;
	/** The time line begins at a key frame: sound from before it would be time in which the destination sees nothing. */
	#started = false;

	/** @param from where an earlier life of this egress was */
	constructor(from?: DestinationMoment) {
		this.#time = new DestinationTime(from);
		this.restart();
	}

	/** Whether tags are held back: {@link settle} is to be called in a while. */
	get isSettling(): boolean {
		return this.#burst?.hasBegun === true;
	}

	/** Time at the destination of what is made now; `undefined` before the first tag. */
	timeMs(nowMs: number): number | undefined {
		return this.#time.nowMs(nowMs);
	}

	/** A new subscription begins: the Router's time may have started over. */
	restart(): void {
		this.#unwrapper = new TimestampUnwrapper();
		this.#burst = this.#time.hasBegun ? new JoiningBurst() : undefined;
	}

	/** @throws MalformedError when the message is not WS-FLV */
	push(message: ArrayBuffer, nowMs: number): ProgramTag[] {
		const bytes = new Uint8Array(message);
		if (isFlvHeader(bytes)) {
			return [];
		}
		const tag = readSingleTag(bytes);
		const { timestampMs, body } = tag;
		const kind = tagKind(tag);
		switch (kind) {
			case "video-config":
				this.#configs = updated(this.#configs, "video", body);
				return [];
			case "audio-config":
				this.#configs = updated(this.#configs, "audio", body);
				return [];
			case "video-key":
			case "video-inter":
			case "audio":
				return this.#media(kind, timestampMs, body, nowMs);
			case "video-end":
			case "video-command":
			case "audio-empty":
			case "script":
			case "skip":
				throw new MalformedError(`egress: expected media and configurations only, got a ${kind} tag`);
		}
	}

	/** The tags held back, once the burst that a subscription begins with is over; none while it goes on. */
	settle(nowMs: number): ProgramTag[] {
		const burst = this.#burst;
		if (burst === undefined || !burst.isOver(nowMs)) {
			return [];
		}
		this.#burst = undefined;
		const copyOffsetMs = this.#copyOffsetMs(burst);
		const missed = burst.tags.filter(
			({ track, routerMs }) => copyOffsetMs === undefined || !this.#time.isPast(track, routerMs + copyOffsetMs),
		);
		this.#time.join(
			burst.edge,
			[this.#time.offsetMs, copyOffsetMs].filter((offsetMs) => offsetMs !== undefined),
		);
		return missed.flatMap((tag) => this.#timed(tag));
	}

	#media(kind: TagKind, timestampMs: number, body: Uint8Array, nowMs: number): ProgramTag[] {
		const keyFrame = kind === "video-key";
		this.#started ||= keyFrame;
		if (!this.#started) {
			return [];
		}
		const tag: RouterTag = {
			track: kind === "audio" ? "audio" : "video",
			keyFrame,
			routerMs: this.#unwrapper.unwrapMs(timestampMs),
			body,
			configs: this.#configs,
			arrivedMs: nowMs,
		};
		if (this.#burst === undefined) {
			return this.#timed(tag);
		}
		this.#burst.push(tag);
		return [];
	}

	#timed({ track, keyFrame, routerMs, body, configs, arrivedMs }: RouterTag): ProgramTag[] {
		const timeMs = this.#time.map(track, routerMs, arrivedMs);
		if (timeMs === undefined) {
			return [];
		}
		if (keyFrame) {
			this.#sentKeyFrame = { body, timeMs };
		}
		return [{ track, keyFrame, timeMs, body, configs }];
	}

	/** Where the group of pictures sent last would lie, should this be a copy of it. */
	#copyOffsetMs({ tags }: JoiningBurst): number | undefined {
		const sent = this.#sentKeyFrame;
		const first = tags.find(({ track }) => track === "video");
		const isCopy = sent !== undefined && first !== undefined && equalBytes(first.body, sent.body);
		return isCopy ? sent.timeMs - first.routerMs : undefined;
	}
}

function updated(configs: ProgramConfigs, track: "audio" | "video", body: Uint8Array): ProgramConfigs {
	const before = configs[track];
	return before !== undefined && equalBytes(before, body) ? configs : { ...configs, [track]: body };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
