import type { EncodedFrame, VideoCodec } from "../../media/encoded-frame.ts";
import { msToUs, samplesToUs } from "../../media/units.ts";
import { AvcFromAnnexB } from "../../playout/real-time/avc-from-annex-b.ts";
import { FrameOrder, type FrameReferences } from "../../playout/real-time/frame-order.ts";
import { RedFeed } from "../../playout/real-time/red-feed.ts";
import { RtpClock } from "../../playout/real-time/rtp-clock.ts";
import type { StandInFrames } from "./stand-in-frames.ts";

const VIDEO_RATE = 90_000;
const AUDIO_RATE = 48_000;
/** A key frame is many times the size of another, and takes a round trip: asking more often makes it worse. */
const KEY_FRAME_EVERY_US = msToUs(300);

/** Capture times come with every frame or with none, but for the first few. */
const FRAMES_WITHOUT_CAPTURE = 10;

const VIDEO_CODECS: Readonly<Record<string, VideoCodec>> = {
	"video/vp8": "vp8",
	"video/vp9": "vp9",
	"video/av1": "av1",
	"video/h264": "avc",
};

/** What the standard types do not say yet, and Chromium does (W3C WebRTC Encoded Transform). */
type VideoMetadata = RTCEncodedVideoFrameMetadata & { readonly receiveTime?: number; readonly captureTime?: number };
type AudioMetadata = RTCEncodedAudioFrameMetadata & {
	readonly receiveTime?: number;
	readonly captureTime?: number;
	readonly mimeType?: string;
};

export interface Transformer {
	readonly readable: ReadableStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>;
	readonly writable: WritableStream<RTCEncodedVideoFrame | RTCEncodedAudioFrame>;
	sendKeyFrameRequest?(): Promise<unknown>;
}

export interface TapOptions {
	readonly standIns: StandInFrames;
	/** In order, in the time of the sender's clock where it says, in that of ours otherwise. */
	onFrame(frame: EncodedFrame, arrivalUs: number): void;
	onProblem(reason: string): void;
	nowUs(): number;
	/** Unix time of `nowUs` 0, in microseconds. */
	readonly originUs: number;
}

interface VideoFrameIn extends FrameReferences {
	readonly frame: EncodedFrame & { track: "video" };
	readonly arrivalUs: number;
}

/** Takes one person's encoded frames out of their WebRTC connection, before WebRTC's own jitter buffers. */
export class Tap {
	readonly #options: TapOptions;
	readonly #videoClock = new RtpClock(VIDEO_RATE);
	readonly #audioClock = new RtpClock(AUDIO_RATE);
	readonly #avc = new AvcFromAnnexB();
	readonly #order = new FrameOrder<VideoFrameIn>();
	#red = new RedFeed();
	#videoSource: number | undefined;
	#audioSource: number | undefined;
	#video: Transformer | undefined;
	#keyFrameAskedUs = Number.NEGATIVE_INFINITY;
	#keyFrameRequests = 0;
	#closed = false;
	/** Frames in a row. */
	readonly #withoutCapture = { audio: 0, video: 0 };

	constructor(options: TapOptions) {
		this.#options = options;
	}

	/** Asked for, in all. */
	get keyFrameRequests(): number {
		return this.#keyFrameRequests;
	}

	/** Both tracks' times are those of the sender's clock, as its stream's are. */
	get hasCaptureTime(): boolean {
		return this.#videoClock.isCapture;
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

	/** Asks the sender for a key frame, unless that was done a moment ago. */
	requestKeyFrame(): void {
		const nowUs = this.#options.nowUs();
		if (this.#video?.sendKeyFrameRequest === undefined || nowUs - this.#keyFrameAskedUs < KEY_FRAME_EVERY_US) {
			return;
		}
		this.#keyFrameAskedUs = nowUs;
		this.#keyFrameRequests += 1;
		// It rejects where the connection has just closed.
		this.#video.sendKeyFrameRequest().catch(() => undefined);
	}

	/** To be called ten times a second or so: finds frames that are not coming. */
	tick(): void {
		this.#order.tick(this.#options.nowUs());
		if (this.#order.isBroken) {
			this.requestKeyFrame();
		}
	}

	close(): void {
		this.#closed = true;
	}

	async #pump(track: "audio" | "video", transformer: Transformer): Promise<void> {
		const reader = transformer.readable.getReader();
		const writer = transformer.writable.getWriter();
		for (;;) {
			const { value, done } = await reader.read();
			if (done || this.#closed) {
				return;
			}
			if (track === "video") {
				const frame = value as RTCEncodedVideoFrame;
				this.#takeVideo(frame);
				await writer.write(frame);
			} else {
				// Nothing is written on: nobody listens there, and sound is not asked for again.
				this.#takeAudio(value as RTCEncodedAudioFrame);
			}
		}
	}

	#takeVideo(encoded: RTCEncodedVideoFrame): void {
		const metadata = encoded.getMetadata() as VideoMetadata;
		const codec = VIDEO_CODECS[metadata.mimeType?.toLowerCase() ?? ""];
		if (codec === undefined) {
			this.#options.onProblem(`tap: expected VP8, VP9, AV1 or H.264, got ${metadata.mimeType ?? "no codec"}`);
			return;
		}
		const data = new Uint8Array(encoded.data);
		const standIn = this.#options.standIns.of(codec);
		if (standIn !== undefined) {
			encoded.data = standIn;
		}
		if (data.byteLength === 0 || this.#closed) {
			return;
		}
		if (metadata.synchronizationSource !== this.#videoSource) {
			this.#videoSource = metadata.synchronizationSource;
			this.#videoClock.reset();
		}
		const arrivalUs = this.#arrivalUs(metadata.receiveTime);
		const ptsUs = this.#videoClock.map({
			rtpTimestamp: metadata.rtpTimestamp ?? encoded.timestamp,
			captureUs: this.#captureUs("video", metadata.captureTime),
			arrivalUs,
		});
		const sample = codec === "avc" ? this.#avc.push(data) : { data };
		const keyFrame = encoded.type === "key";
		const frame = { track: "video", codec, keyFrame, ptsUs, dtsUs: ptsUs, ...sample } as const;
		const { frameId: id, dependencies = [] } = metadata;
		for (const next of this.#order.push({ id, dependencies, keyFrame, frame, arrivalUs }, arrivalUs)) {
			this.#options.onFrame(next.frame, next.arrivalUs);
		}
		if (this.#order.isBroken) {
			this.requestKeyFrame();
		}
	}

	#takeAudio(encoded: RTCEncodedAudioFrame): void {
		const metadata = encoded.getMetadata() as AudioMetadata;
		if (this.#closed) {
			return;
		}
		if (metadata.synchronizationSource !== this.#audioSource) {
			this.#audioSource = metadata.synchronizationSource;
			this.#audioClock.reset();
			this.#red = new RedFeed();
		}
		const rtpTimestamp = metadata.rtpTimestamp ?? encoded.timestamp;
		const arrivalUs = this.#arrivalUs(metadata.receiveTime);
		const ptsUs = this.#audioClock.map({
			rtpTimestamp,
			captureUs: this.#captureUs("audio", metadata.captureTime),
			arrivalUs,
		});
		const data = new Uint8Array(encoded.data);
		const isRed = metadata.mimeType?.toLowerCase() === "audio/red";
		try {
			const packets = isRed ? this.#red.push(data, rtpTimestamp) : [{ earlierBy: 0, data }];
			for (const packet of packets) {
				const timeUs = Math.round(ptsUs - samplesToUs(packet.earlierBy, AUDIO_RATE));
				this.#options.onFrame(
					{ track: "audio", codec: "opus", keyFrame: true, ptsUs: timeUs, dtsUs: timeUs, data: packet.data },
					arrivalUs,
				);
			}
		} catch (error) {
			this.#options.onProblem(error instanceof Error ? error.message : String(error));
		}
	}

	#arrivalUs(receiveTimeMs: number | undefined): number {
		const nowUs = this.#options.nowUs();
		return receiveTimeMs === undefined ? nowUs : Math.min(nowUs, msToUs(receiveTimeMs));
	}

	/** By the sender's clock only where both tracks are: sound and picture must be of one. */
	#captureUs(track: "audio" | "video", captureTimeMs: number | undefined): number | undefined {
		const had = this.#sharesCapture;
		this.#withoutCapture[track] = captureTimeMs === undefined ? this.#withoutCapture[track] + 1 : 0;
		if (had !== this.#sharesCapture) {
			this.#videoClock.reset();
			this.#audioClock.reset();
		}
		return captureTimeMs === undefined || !this.#sharesCapture
			? undefined
			: msToUs(captureTimeMs) + this.#options.originUs;
	}

	get #sharesCapture(): boolean {
		const { audio, video } = this.#withoutCapture;
		return audio < FRAMES_WITHOUT_CAPTURE && video < FRAMES_WITHOUT_CAPTURE;
	}
}
