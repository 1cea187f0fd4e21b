import type { EncodedFrame, EncodedVideoFrame, VideoCodec } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";
import { AvcFromAnnexB } from "../../playout/real-time/avc-from-annex-b.ts";
import { KeyFrameAsker } from "../../playout/real-time/key-frame-asker.ts";
import { type ClockKind, PersonClock } from "../../playout/real-time/person-clock.ts";
import { type Numbered, PictureOrder } from "../../playout/real-time/picture-order.ts";
import { SoundOrder } from "../../playout/real-time/sound-order.ts";
import type { RtpArrival } from "../../playout/real-time/track-clock.ts";
import type { StandInFrames } from "./stand-in-frames.ts";

/** Whoever sends no pictures at all needs no key frame. */
const PICTURES_WITHIN_US = msToUs(1_000);
/** An Opus encoder looks ahead by 312 samples: what is decoded of a packet was captured that much earlier than it says (RFC 7845 §4.2). */
const OPUS_LOOK_AHEAD_US = 6_500;

const VIDEO_CODECS: Readonly<Record<string, VideoCodec>> = {
	"video/vp8": "vp8",
	"video/vp9": "vp9",
	"video/av1": "av1",
	"video/h264": "avc",
};

/** What the standard types do not say yet, and Chromium does (W3C WebRTC Encoded Transform). */
interface Stamped {
	/** When it was captured by the sender's clock, in ms of this worker's time origin, where the sender says so (abs-capture-time). */
	readonly captureTime?: number;
	readonly mimeType?: string;
}
type VideoMetadata = RTCEncodedVideoFrameMetadata & Stamped;
type AudioMetadata = RTCEncodedAudioFrameMetadata & Stamped;

export interface Transformer {
	readonly readable: ReadableStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>;
	readonly writable: WritableStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>;
	sendKeyFrameRequest?(): Promise<unknown>;
}

export interface TapOptions {
	readonly standIns: StandInFrames;
	/**
	 * In order, with times of `clock` in whole µs from this worker's time origin on. A sound without data is silence: it says that the line lives.
	 *
	 * @param arrivalUs when it came, or for a picture when it could be decoded
	 */
	onFrame(frame: EncodedFrame, arrivalUs: number, clock: ClockKind): void;
	onProblem(reason: string): void;
	nowUs(): number;
}

interface TappedPicture extends Numbered {
	readonly frame: EncodedVideoFrame;
	readonly clock: ClockKind;
}

/** Takes one connection's encoded frames out of WebRTC, before its jitter buffers, and makes a person's frames of them. */
export class Tap {
	readonly #options: TapOptions;
	readonly #clock = new PersonClock();
	readonly #asker = new KeyFrameAsker(() => this.#sendKeyFrameRequest());
	readonly #avc = new AvcFromAnnexB();
	#pictures = new PictureOrder<TappedPicture>();
	#sound = new SoundOrder();
	#videoSsrc: number | undefined;
	#audioSsrc: number | undefined;
	#video: Transformer | undefined;
	#pictureAtUs = Number.NEGATIVE_INFINITY;
	/** Said once: a codec that is none of ours. */
	#unknownMime: string | undefined;
	#closed = false;

	constructor(options: TapOptions) {
		this.#options = options;
	}

	/** Asked for, in all. */
	get keyFrameRequests(): number {
		return this.#asker.asked;
	}

	/** Takes over one receiver's frames, until it ends. */
	attach(track: "audio" | "video", transformer: Transformer): void {
		if (track === "video") {
			this.#video = transformer;
		}
		this.#pump(track, transformer).catch((error: unknown) => {
			if (!this.#closed) {
				this.#options.onProblem(`tap: ${error instanceof Error ? error.message : String(error)}`);
			}
		});
	}

	/** Pictures cannot be shown before the next key frame: has the sender make one, if it sends any, and at most every 300 ms. */
	wantKeyFrame(): void {
		const nowUs = this.#options.nowUs();
		if (nowUs - this.#pictureAtUs < PICTURES_WITHIN_US) {
			this.#asker.want(nowUs);
		}
	}

	/** To be called with each output frame: what is waited for in vain is given up. */
	tick(): void {
		const nowUs = this.#options.nowUs();
		this.#handOnPictures(this.#pictures.tick(nowUs), nowUs);
		this.#handOnSound(this.#sound.tick(nowUs));
		if (this.#pictures.needsKeyFrame(nowUs)) {
			this.wantKeyFrame();
		}
	}

	close(): void {
		this.#closed = true;
	}

	async #pump(track: "audio" | "video", { readable, writable }: Transformer): Promise<void> {
		const reader = readable.getReader();
		const writer = writable.getWriter();
		for (;;) {
			const { value, done } = await reader.read();
			if (done || this.#closed) {
				return;
			}
			if (track === "video") {
				const frame = value as RTCEncodedVideoFrame;
				this.#takePicture(frame);
				await writer.write(frame);
			} else {
				// Nothing is written on: nobody listens there, and sound is never asked for again.
				this.#takeSound(value as RTCEncodedAudioFrame);
			}
		}
	}

	#takePicture(encoded: RTCEncodedVideoFrame): void {
		const metadata = encoded.getMetadata() as VideoMetadata;
		const codec = VIDEO_CODECS[metadata.mimeType?.toLowerCase() ?? ""];
		if (codec === undefined) {
			this.#refuseCodec(metadata.mimeType);
			return;
		}
		const bytes = new Uint8Array(encoded.data);
		const standIn = this.#options.standIns.next(codec);
		if (standIn !== undefined) {
			encoded.data = standIn;
		}
		if (bytes.byteLength === 0) {
			return;
		}
		const ssrc = metadata.synchronizationSource ?? 0;
		if (ssrc !== this.#videoSsrc) {
			this.#videoSsrc = ssrc;
			this.#pictures = new PictureOrder();
		}
		const nowUs = this.#options.nowUs();
		this.#pictureAtUs = nowUs;
		const rtpTimestamp = metadata.rtpTimestamp ?? encoded.timestamp;
		const { us, clock } = this.#clock.time("video", ssrc, this.#arrival(rtpTimestamp, metadata, nowUs));
		const ptsUs = Math.round(us);
		const keyFrame = encoded.type === "key";
		const { frameId, dependencies } = metadata;
		const picture: TappedPicture = {
			...{ keyFrame, rtpTimestamp, frameId, dependencies, clock },
			inOrder: codec === "avc",
			frame: { track: "video", codec, keyFrame, ptsUs, dtsUs: ptsUs, data: bytes },
		};
		this.#handOnPictures(this.#pictures.push(picture, nowUs), nowUs);
		if (this.#pictures.needsKeyFrame(nowUs)) {
			this.wantKeyFrame();
		}
	}

	/** Parameter sets are told from those before them, and so only in decoding order. */
	#handOnPictures(pictures: readonly TappedPicture[], nowUs: number): void {
		for (const { frame, clock } of pictures) {
			if (frame.codec !== "avc") {
				this.#options.onFrame(frame, nowUs, clock);
				continue;
			}
			try {
				this.#options.onFrame({ ...frame, ...this.#avc.push(frame.data) }, nowUs, clock);
			} catch (error) {
				this.#options.onProblem(error instanceof Error ? error.message : String(error));
				this.#pictures.requireKeyFrame();
				return;
			}
		}
	}

	#takeSound(encoded: RTCEncodedAudioFrame): void {
		const metadata = encoded.getMetadata() as AudioMetadata;
		const mime = metadata.mimeType?.toLowerCase();
		if (mime !== "audio/opus" && mime !== "audio/red") {
			this.#refuseCodec(metadata.mimeType);
			return;
		}
		const ssrc = metadata.synchronizationSource ?? 0;
		if (ssrc !== this.#audioSsrc) {
			this.#audioSsrc = ssrc;
			this.#sound = new SoundOrder();
		}
		const nowUs = this.#options.nowUs();
		const rtpTimestamp = metadata.rtpTimestamp ?? encoded.timestamp;
		const { us, clock } = this.#clock.time("audio", ssrc, this.#arrival(rtpTimestamp, metadata, nowUs));
		const payload = new Uint8Array(encoded.data);
		const packet = { rtpTimestamp, sequenceNumber: metadata.sequenceNumber, payload, arrivalUs: nowUs };
		const frames = this.#sound.push({ ...packet, isRed: mime === "audio/red" }, nowUs);
		if (frames.length === 0 && payload.byteLength === 0) {
			this.#options.onFrame(soundFrame(us, payload), nowUs, clock);
		}
		this.#handOnSound(frames);
	}

	#handOnSound(frames: ReturnType<SoundOrder["push"]>): void {
		for (const { rtpTimestamp, data, arrivalUs } of frames) {
			const time = this.#clock.timeOf("audio", rtpTimestamp);
			if (time !== undefined) {
				this.#options.onFrame(soundFrame(time.us - OPUS_LOOK_AHEAD_US, data), arrivalUs, time.clock);
			}
		}
	}

	#arrival(rtpTimestamp: number, { captureTime }: Stamped, arrivalUs: number): RtpArrival {
		return { rtpTimestamp, captureUs: captureTime === undefined ? undefined : msToUs(captureTime), arrivalUs };
	}

	#refuseCodec(mimeType: string | undefined): void {
		const mime = mimeType ?? "no codec";
		if (mime !== this.#unknownMime) {
			this.#unknownMime = mime;
			this.#options.onProblem(`tap: expected VP8, VP9, AV1, H.264 or Opus, got ${mime}`);
		}
	}

	#sendKeyFrameRequest(): void {
		// It rejects where the connection has just closed.
		this.#video?.sendKeyFrameRequest?.().catch(() => undefined);
	}
}

function soundFrame(us: number, data: Uint8Array): EncodedFrame {
	const ptsUs = Math.round(us);
	return { track: "audio", codec: "opus", keyFrame: true, ptsUs, dtsUs: ptsUs, data };
}
