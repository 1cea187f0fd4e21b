import { z } from "zod";
import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import { TAG_TYPE } from "../../media/flv/tag.ts";
import { setTagTimestamp } from "../../media/flv/tag-writer.ts";
import { wrapMs } from "../../media/timestamp.ts";
import type { CloseKind } from "../protocol/close-codes.ts";
import {
	type CompositeLegs,
	type CompositeShows,
	captureClockSchema,
	compositeLegsSchema,
	compositeShowsSchema,
	type PublisherRequest,
} from "../protocol/media-socket.ts";
import type { RouterStreamStats, StreamChange } from "../protocol/object-rpc.ts";
import { MAIN_COMPOSITE_STREAM, type PublishedStreamName } from "../protocol/roles.ts";
import { CaptureOffset } from "./capture-offset.ts";
import { Fanout } from "./fanout.ts";
import { STALE_AFTER_MS } from "./group-cache.ts";
import { asRefusal, MediaRefusedError, type MediaSink } from "./media-sink.ts";
import type { StreamFacts } from "./passthrough.ts";
import { type PictureSize, pictureSizeOf } from "./picture-size.ts";
import { Publisher, type PublisherOptions } from "./publisher.ts";
import { type PublishedTag, readPublishedMessage } from "./publisher-input.ts";
import { type StreamConfigs, type StreamTag, updatedConfig } from "./stream-tag.ts";
import { TimeRebaser } from "./time-rebaser.ts";

const compositeWordSchema = z.discriminatedUnion("type", [compositeShowsSchema, compositeLegsSchema]);

/** A compositor makes a frame every few hundredths of a second: without one for this long it has died, whatever its process says. */
export const COMPOSITE_STALLED_AFTER_MS = 1_200;

/** What a publisher says of itself as it comes. */
export interface PublishOptions extends Partial<Omit<PublisherOptions, "splices">> {
	/** The same over all its connections. */
	readonly session?: string | undefined;
}

export interface LiveStreamOptions {
	readonly stream: PublishedStreamName;
	/** Must not throw. */
	readonly onChange: (change: StreamChange) => void;
	/** Every tag of the stream, in order. Must not throw. */
	readonly onTag?: (tag: StreamTag, nowMs: number) => void;
	/** Of a compositor: whom it shows by their real-time leg. Must not throw. */
	readonly onLegs?: (legs: CompositeLegs, nowMs: number) => void;
}

/**
 * One named live stream: at most one publisher, any number of subscribers, and one time line that goes on rising whoever publishes.
 *
 * A person's stream is `live` from a publisher's first key frame until no publisher has been there for {@link STALE_AFTER_MS}: a publisher
 * that comes back sooner is spliced in without anyone being told. A compositor's is `live` until it has made no picture for
 * {@link COMPOSITE_STALLED_AFTER_MS}, connected or not.
 */
export class LiveStream {
	readonly #options: LiveStreamOptions;
	readonly #time = new TimeRebaser();
	readonly fanout = new Fanout();
	#state: StreamChange["state"] = "idle";
	#publisher: Publisher | undefined;
	#session: string | undefined;
	#publisherLeftMs = 0;
	#pictureMs = 0;
	/** What the compositor said of the picture that follows. */
	#shows: CompositeShows | undefined;
	/** By the present publisher's clock. */
	readonly #capture = new CaptureOffset();
	#reordersPictures = false;
	#configs: StreamConfigs = {};
	#size: PictureSize | undefined;
	/** Something of what is told of a live stream has changed since it was told. */
	#factsAreNew = false;
	#videoCodec: VideoCodec | undefined;
	#audioCodec: AudioCodec | undefined;

	constructor(options: LiveStreamOptions) {
		this.#options = options;
	}

	get state(): StreamChange["state"] {
		return this.#state;
	}

	/** Whether {@link tick} has anything to watch. */
	get needsTicks(): boolean {
		return this.#state === "live" || this.#publisher !== undefined || this.fanout.hasSubscribers;
	}

	/** What the latest configuration and pictures show. */
	get facts(): StreamFacts {
		return {
			...(this.#videoCodec !== undefined && { videoCodec: this.#videoCodec }),
			...(this.#audioCodec !== undefined && { audioCodec: this.#audioCodec }),
			...(this.#size !== undefined && { size: this.#size }),
			reordersPictures: this.#reordersPictures,
		};
	}

	/** Whether anybody has published or subscribed. */
	get wasUsed(): boolean {
		return this.#publisher !== undefined || this.#videoCodec !== undefined || this.fanout.hasSubscribers;
	}

	/** Whether anybody is connected to publish. */
	get hasPublisher(): boolean {
		return this.#publisher !== undefined;
	}

	/** Tells the publisher something; it may have gone. */
	tellPublisher(text: string): void {
		this.#publisher?.sink.sendText(text);
	}

	/** Closes the publisher that is connected, if any. */
	closePublisher(kind: CloseKind, reason: string, nowMs: number): void {
		const publisher = this.#publisher;
		if (publisher !== undefined) {
			publisher.sink.close(kind, reason);
			this.publisherGone(publisher, nowMs);
		}
	}

	/**
	 * Makes `sink` the stream's publisher; an older one is closed. The caller has checked its right to publish. Where `session` is the one that
	 * published last, its time goes on, and what it says again is not heard twice.
	 */
	publish(
		sink: MediaSink,
		nowMs: number,
		{ session, sleeps = false, acknowledged = false }: PublishOptions = {},
	): Publisher {
		this.#publisher?.sink.close("takenOver", "a newer publisher of this stream took over");
		this.#publisher = new Publisher(sink, { splices: this.#state === "live", sleeps, acknowledged }, nowMs);
		if (session !== undefined && session === this.#session) {
			this.#time.resume();
		} else {
			this.#time.restart();
		}
		this.#session = session;
		this.#shows = undefined;
		this.#capture.forget();
		// Another compositor is told of, whose fence is another; and so is a host that is fit now.
		this.#factsAreNew ||= this.#isComposite || this.#reordersPictures;
		this.#reordersPictures = false;
		this.#pictureMs = nowMs;
		return this.#publisher;
	}

	/** Takes one message of a publisher. A message that is refused closes that publisher; one that was taken over is not heard. */
	publisherMessage(publisher: Publisher, data: ArrayBuffer | string, nowMs: number): void {
		if (publisher !== this.#publisher) {
			return;
		}
		publisher.heard();
		this.#orClosePublisher(publisher, nowMs, () => {
			if (typeof data === "string") {
				this.#takeWord(data, nowMs);
				return;
			}
			const published = readPublishedMessage(data);
			if (published !== undefined) {
				publisher.guard.sawTag(trackOf(published), nowMs);
				this.#take(publisher, published, nowMs);
			}
			publisher.guard.check(nowMs);
		});
	}

	/**
	 * Has the publisher sleep or wake, where it can; false where it cannot, or where there is none. It sleeps only once it has shown a picture, so that everyone
	 * knows what there will be.
	 */
	setAsleep(asleep: boolean, nowMs: number): boolean {
		const publisher = this.#publisher;
		if (publisher?.sleeps !== true || (asleep && !publisher.hasKeyFrame)) {
			return false;
		}
		publisher.asleep = asleep;
		publisher.guard.excuse(nowMs);
		publisher.sink.sendText(JSON.stringify({ type: asleep ? "sleep" : "wake" } satisfies PublisherRequest));
		if (!asleep) {
			this.fanout.endRest();
		}
		return true;
	}

	/** How long ago the last picture came; `undefined` where nobody publishes. */
	silentMs(nowMs: number): number | undefined {
		return this.#publisher === undefined ? undefined : nowMs - this.#pictureMs;
	}

	publisherGone(publisher: Publisher, nowMs: number): void {
		if (publisher === this.#publisher) {
			this.#publisher = undefined;
			this.#publisherLeftMs = nowMs;
		}
	}

	/** To be called a few times a second: finds what has stopped. */
	tick(nowMs: number): void {
		this.fanout.tick(nowMs);
		const publisher = this.#publisher;
		publisher?.acknowledge();
		if (publisher?.asleep) {
			this.fanout.restWhenSilent(nowMs);
		} else if (publisher !== undefined) {
			this.#orClosePublisher(publisher, nowMs, () => publisher.guard.check(nowMs));
		}
		if (this.#isComposite) {
			this.#checkPictures(nowMs);
		} else if (
			this.#publisher === undefined &&
			this.#state === "live" &&
			nowMs - this.#publisherLeftMs > STALE_AFTER_MS
		) {
			this.#goIdle();
		}
	}

	/** Closes every socket. */
	end(reason: string): void {
		this.#publisher?.sink.close("ended", reason);
		this.#publisher = undefined;
		this.fanout.end(reason);
		this.#configs = {};
	}

	stats(nowMs: number): RouterStreamStats {
		const { size, videoCodec, audioCodec } = this.facts;
		return {
			stream: this.#options.stream,
			publisherConnected: this.#publisher !== undefined,
			...(this.#publisher?.sleeps === true && { asleep: this.#publisher.asleep }),
			...this.fanout.figures(nowMs),
			...(videoCodec !== undefined && { videoCodec }),
			...(audioCodec !== undefined && { audioCodec }),
			...size,
		};
	}

	#takeWord(text: string, nowMs: number): void {
		if (!this.#isComposite) {
			const expected = '{"type":"clock","tagMs":n,"captureMs":n}';
			this.#capture.say(parseWord(text, captureClockSchema, "publisher", expected));
			return;
		}
		const word = parseWord(
			text,
			compositeWordSchema,
			"compositor",
			'{"type":"shows","programMs":n,"hostMs":n} or {"type":"legs","realTime":[…]}',
		);
		if (word.type === "legs") {
			this.#options.onLegs?.(word, nowMs);
		} else {
			this.#shows = word;
		}
	}

	get #isComposite(): boolean {
		return this.#options.stream === MAIN_COMPOSITE_STREAM;
	}

	/** A compositor that has shown a picture and makes none any more is let go: a newer one is on its way. */
	#checkPictures(nowMs: number): void {
		if (this.#state === "live" && nowMs - this.#pictureMs > COMPOSITE_STALLED_AFTER_MS) {
			this.closePublisher(
				"stalled",
				`compositor: expected a frame within ${COMPOSITE_STALLED_AFTER_MS} ms, got none`,
				nowMs,
			);
			this.#goIdle();
		}
	}

	#goIdle(): void {
		this.fanout.forget();
		this.#setState("idle");
	}

	#take(publisher: Publisher, published: PublishedTag, nowMs: number): void {
		switch (publisher.admit(published)) {
			case "config":
				this.#takeConfig(published);
				return;
			case "media":
				this.#takeMedia(published, nowMs);
				return;
			case "drop":
				return;
		}
	}

	/** Configurations go out with the next tag they are needed for, and only to those who have not had them. */
	#takeConfig(published: PublishedTag): void {
		const { kind, codec, tag, message } = published;
		this.#noteCodec(published);
		const track = kind === "video-config" ? "video" : "audio";
		const config = updatedConfig(this.#configs[track], message, tag.body);
		if (config === this.#configs[track]) {
			return;
		}
		if (track === "video") {
			this.#size = pictureSizeOf(codec, tag);
			this.#factsAreNew = true;
		}
		this.#configs = { ...this.#configs, [track]: config };
	}

	#takeMedia(published: PublishedTag, nowMs: number): void {
		const track = published.kind === "audio" ? "audio" : "video";
		const timeMs = this.#time.map(track, published.tag.timestampMs, nowMs);
		if (timeMs === undefined) {
			return;
		}
		const showsHostMs = track === "video" ? this.#takeShows(published.tag.timestampMs) : undefined;
		if (wrapMs(timeMs) !== published.tag.timestampMs) {
			setTagTimestamp(published.message, wrapMs(timeMs));
		}
		const keyFrame = published.kind === "video-key";
		const captureOffsetMs = this.#capture.at(this.#time);
		const tag: StreamTag = {
			track,
			keyFrame,
			timeMs,
			compositionMs: published.compositionMs,
			message: published.message,
			configs: this.#configs,
			epoch: this.#time.epoch,
			...(showsHostMs !== undefined && { showsHostMs }),
			...(captureOffsetMs !== undefined && { captureOffsetMs }),
		};
		this.#noteCodec(published);
		if (track === "video") {
			this.#pictureMs = nowMs;
			this.#notePicture(tag);
		}
		this.fanout.push(tag, nowMs);
		this.#options.onTag?.(tag, nowMs);
	}

	/** Told before the tag goes on, since a picture of another shape must not go out as part of the old program. */
	#notePicture({ keyFrame, compositionMs }: StreamTag): void {
		if (compositionMs !== 0 && !this.#reordersPictures) {
			this.#reordersPictures = true;
			this.#factsAreNew = true;
		}
		if (keyFrame || (this.#state === "live" && this.#factsAreNew)) {
			this.#setState("live");
		}
	}

	#takeShows(timestampMs: number): number | undefined {
		const shows = this.#shows;
		this.#shows = undefined;
		return shows?.programMs === timestampMs ? shows.hostMs : undefined;
	}

	#noteCodec({ kind, codec }: PublishedTag): void {
		if (codec === "aac" || codec === "opus") {
			this.#factsAreNew ||= codec !== this.#audioCodec;
			this.#audioCodec = codec;
		} else if (kind !== "audio") {
			this.#factsAreNew ||= codec !== this.#videoCodec;
			this.#videoCodec = codec;
		}
	}

	#setState(state: StreamChange["state"]): void {
		const factsAreNew = state === "live" && this.#factsAreNew;
		if (state === this.#state && !factsAreNew) {
			return;
		}
		this.#state = state;
		this.#factsAreNew = false;
		this.#options.onChange({ stream: this.#options.stream, state, ...(state === "live" && this.#size) });
	}

	#orClosePublisher(publisher: Publisher, nowMs: number, step: () => void): void {
		try {
			step();
		} catch (error) {
			const refused = asRefusal(error);
			publisher.sink.close(refused.kind, refused.message);
			this.publisherGone(publisher, nowMs);
		}
	}
}

function trackOf({ tag }: PublishedTag): "audio" | "video" | "other" {
	switch (tag.type) {
		case TAG_TYPE.audio:
			return "audio";
		case TAG_TYPE.video:
			return "video";
		case TAG_TYPE.script:
			return "other";
	}
}

/** @throws MediaRefusedError when something else is said in words */
function parseWord<T>(text: string, schema: z.ZodType<T>, who: string, expected: string): T {
	let given: unknown;
	try {
		given = JSON.parse(text);
	} catch (cause) {
		throw new MediaRefusedError("badMedia", `${who}: expected JSON, got other text`, { cause });
	}
	const parsed = schema.safeParse(given);
	if (!parsed.success) {
		throw new MediaRefusedError("badMedia", `${who}: expected ${expected}, got other fields`);
	}
	return parsed.data;
}
