import type { EncodedFrame, EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { msToUs, usToMs } from "../../media/units.ts";
import type { PersonStats, PictureState } from "../../worker/protocol/compositor-stats.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import { PersonAudio } from "../audio/person-audio.ts";
import { AudioDecoderStage } from "../decoders/audio-decoder-stage.ts";
import { type DecodedVideo, VideoDecoderStage } from "../decoders/video-decoder-stage.ts";
import { JitterBuffer } from "../jitter/frame-buffer.ts";
import { PlayoutClock } from "../jitter/playout-clock.ts";
import { PercentileWindow } from "../percentile-window.ts";
import type { PathChange } from "../real-time/leg-switch.ts";
import { DecodeLead } from "./decode-lead.ts";
import { type Picture, PictureQueue } from "./picture-queue.ts";
import { pictureState } from "./picture-state.ts";
import { SourceInterval } from "./source-interval.ts";

/** Video is decoded this long before it is due: usual delays are shorter, so that usually it is decoded as it comes. */
const DECODE_LEAD_US = msToUs(150);
/** Sound that is not decoded this long after the first picture does not keep its person off the air. */
const SOUND_WITHIN_US = msToUs(2_000);
/** Skew is averaged over about a second of output frames. */
const SKEW_WINDOW_FRAMES = 30;
/** How long before it is heard sound must be there, for resampling to look ahead, and a picture before it is seen until it is known better. */
const SOUND_LEAD_MS = 4;
const PICTURE_LEAD_MS = 8;
/** Waiting for more of a feed than this is no use live; the oldest is then dropped in whole groups of pictures. */
const MAX_PLAYOUT_DELAY_MS = 500;

export interface PersonOptions {
	readonly id: PersonId;
	readonly outputFrameRate: number;
	/** How long after its output frame the sound of that time is mixed. */
	readonly soundBehindMs: number;
	nowUs(): number;
	onProblem(reason: string): void;
	/** How long a frame took from the decoder's input to its output. */
	onDecodeMs(ms: number): void;
}

/** What a tick did to a person's picture. `missing`: a new one was due and had not come. */
export type PictureStep = "new" | "repeated" | "missing" | "none";

/** One person's feed from encoded frames to the picture and the sound of each output step. Owns its pictures. */
export class Person {
	readonly id: PersonId;
	readonly audio = new PersonAudio();
	readonly clock: PlayoutClock;
	readonly #options: PersonOptions;
	readonly #video: JitterBuffer<EncodedVideoFrame>;
	readonly #videoDecoder: VideoDecoderStage;
	readonly #audioDecoder: AudioDecoderStage;
	readonly #pictures: PictureQueue;
	readonly #decodeLead = new DecodeLead();
	readonly #interval = new SourceInterval();
	readonly #videoSkewMs = new PercentileWindow(SKEW_WINDOW_FRAMES);
	#firstShownUs: number | undefined;
	#shownUs: number | undefined;
	#connected = false;
	#audioIn = 0;
	#held = 0;
	#lateDropped = 0;
	/** Sources of another clock than the one before. */
	#source = 0;
	#streamOffsetUs: number | undefined = 0;
	#realTime: Pick<PersonStats, "leg" | "realTime"> = {};

	constructor(options: PersonOptions) {
		this.id = options.id;
		this.#options = options;
		this.clock = new PlayoutClock({
			ceilingMs: MAX_PLAYOUT_DELAY_MS,
			leadMs: { audio: SOUND_LEAD_MS - options.soundBehindMs, video: PICTURE_LEAD_MS },
		});
		this.#video = new JitterBuffer<EncodedVideoFrame>(this.clock, { maxLatenessUs: msToUs(MAX_PLAYOUT_DELAY_MS) });
		this.#pictures = new PictureQueue(options.outputFrameRate);
		this.#videoDecoder = new VideoDecoderStage({
			onPicture: (picture) => this.#takePicture(picture),
			onRoom: () => this.#feedDecoder(options.nowUs()),
			onError: (reason) => {
				this.#video.requireKeyFrame();
				options.onProblem(reason);
			},
			nowUs: options.nowUs,
		});
		this.#audioDecoder = new AudioDecoderStage({
			onAudio: (pcm, ptsUs, isOther) => this.audio.push(pcm, ptsUs, isOther),
			onError: options.onProblem,
			nowUs: options.nowUs,
		});
	}

	/** The picture on show; owned by this person, valid until the next `step`. */
	get picture(): Picture | undefined {
		return this.#pictures.shown;
	}

	/** Pictures are being thrown away for want of a key frame. */
	get needsKeyFrame(): boolean {
		return this.#video.needsKeyFrame || this.#videoDecoder.needsKeyFrame;
	}

	/** @param offsetUs the time of the frames pushed less that of the person's stream; `undefined` where that has none, or nobody knows */
	setStreamOffset(offsetUs: number | undefined): void {
		this.#streamOffsetUs = offsetUs;
	}

	/** The time of the picture on show as the person's stream has it; `undefined` where nobody knows. */
	get shownStreamUs(): number | undefined {
		const { shown } = this.#pictures;
		const isOfSource = shown?.source === this.#source;
		return isOfSource && this.#streamOffsetUs !== undefined ? shown.ptsUs - this.#streamOffsetUs : undefined;
	}

	/** What is known of the way their media comes, for the figures. */
	setLegFigures(figures: Pick<PersonStats, "leg" | "realTime">): void {
		this.#realTime = figures;
	}

	setConnected(connected: boolean): void {
		this.#connected = connected;
	}

	state(nowUs: number): PictureState {
		return pictureState(nowUs, this.#shownUs);
	}

	/** Their picture is on show and, where they send sound, that is decoded too, or not to be had. */
	isReady(nowUs: number): boolean {
		const state = this.state(nowUs);
		if (state !== "live" && state !== "holding") {
			return false;
		}
		return !this.#audioDecoder.isStarting || nowUs - (this.#firstShownUs ?? nowUs) > SOUND_WITHIN_US;
	}

	/** What is pushed from now on comes by another path. */
	changePath({ sameClock, fromUs, transitUs }: PathChange, nowUs: number): void {
		if (!sameClock) {
			this.#source += 1;
			this.clock.restart();
			this.#video.flush();
			this.#pictures.clearWaiting();
			this.#interval.reset();
			return;
		}
		this.clock.changePath(transitUs, nowUs);
		if (fromUs !== undefined) {
			this.#video.cutFrom(fromUs);
		}
	}

	push(frame: EncodedFrame, arrivalUs: number): void {
		if (frame.data.byteLength > 0) {
			const { track, dtsUs } = frame;
			if (this.clock.onArrival({ track, dtsUs, arrivalUs }) === "reset") {
				this.#pictures.clearWaiting();
				this.#interval.reset();
			}
		}
		if (frame.track === "audio") {
			this.#audioIn += 1;
			if (frame.config === undefined && this.#isStale(frame.ptsUs, arrivalUs)) {
				return; // A stall's: nobody will hear it, and the decoder has enough to do with what is live.
			}
			this.#audioDecoder.push(frame);
			return;
		}
		this.#video.push(frame, arrivalUs);
		this.#feedDecoder(arrivalUs);
	}

	/** Moves on to the picture of the output frame that is due at `dueUs`. */
	step(dueUs: number): PictureStep {
		this.clock.advance(dueUs);
		this.#feedDecoder(dueUs);
		const before = this.#pictures.shown;
		if (this.#pictures.advance(dueUs, (ptsUs) => this.clock.playoutUs(ptsUs))) {
			const shown = this.#pictures.shown;
			this.#shownUs = dueUs;
			this.#firstShownUs ??= dueUs;
			if (shown !== undefined) {
				this.#interval.add(shown.ptsUs);
				this.#videoSkewMs.add(usToMs(dueUs - this.clock.playoutUs(shown.ptsUs)));
			}
			return "new";
		}
		if (before === undefined || this.state(dueUs) === "card") {
			return "none";
		}
		const expectedUs = this.#interval.us;
		const missing = expectedUs !== undefined && this.clock.playoutUs(before.ptsUs + expectedUs) <= dueUs;
		this.#held += missing ? 1 : 0;
		return missing ? "missing" : "repeated";
	}

	stats(nowUs: number): PersonStats {
		const { figures } = this.clock;
		const video = this.#video.figures;
		const audio = this.audio.figures;
		const size = this.#pictures.shown?.frame;
		return {
			id: this.id,
			connected: this.#connected,
			picture: this.state(nowUs),
			width: size?.displayWidth ?? 0,
			height: size?.displayHeight ?? 0,
			videoIn: video.received,
			audioIn: this.#audioIn,
			late: video.late,
			dropped: video.dropped + this.#videoDecoder.dropped + this.#pictures.dropped + this.#lateDropped,
			held: this.#held,
			decodeErrors: this.#videoDecoder.errors + this.#audioDecoder.errors,
			queueMs: video.queueMs,
			delayMs: figures.delayMs,
			targetDelayMs: figures.targetDelayMs,
			avSkewMs: audio.skewMs === undefined ? 0 : audio.skewMs - this.#videoSkewMs.mean(),
			concealedSamples: audio.concealedSamples,
			...this.#realTime,
		};
	}

	close(): void {
		this.#videoDecoder.close();
		this.#audioDecoder.close();
		this.#pictures.close();
	}

	/** So late that with no delay the clock would keep it could still be played. */
	#isStale(ptsUs: number, nowUs: number): boolean {
		return this.clock.playoutUs(ptsUs) < nowUs - msToUs(MAX_PLAYOUT_DELAY_MS);
	}

	#feedDecoder(nowUs: number): void {
		const { room } = this.#videoDecoder;
		if (room === 0) {
			return;
		}
		for (const due of this.#video.popDue(nowUs, DECODE_LEAD_US, room)) {
			const { arrivalUs, show } = due;
			const { dtsUs } = due.frame;
			this.#videoDecoder.push(due.frame, { arrivalUs, dtsUs, show, epoch: this.clock.epoch, source: this.#source });
		}
	}

	/** Takes ownership of the decoded frame. */
	#takePicture(decoded: DecodedVideo): void {
		const { frame, ptsUs, origin } = decoded;
		const decodeMs = usToMs(this.#options.nowUs() - decoded.decodeStartUs);
		this.#options.onDecodeMs(decodeMs);
		if (!origin.show || origin.epoch !== this.clock.epoch) {
			this.#lateDropped += 1;
			frame.close();
			return;
		}
		const leadMs = this.#decodeLead.note(decodeMs, usToMs(ptsUs - origin.dtsUs));
		if (leadMs !== undefined) {
			this.clock.setLead("video", leadMs);
		}
		this.#pictures.push({ frame, ptsUs, source: origin.source, arrivalUs: origin.arrivalUs });
	}
}
