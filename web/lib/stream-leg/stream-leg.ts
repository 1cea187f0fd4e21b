import { ProgramAudioEncoder } from "../../../encoders/aac/program-audio-encoder.ts";
import { OpusEncoder } from "../../../encoders/opus/opus-encoder.ts";
import type { EncodedAudioFrame } from "../../../media/encoded-frame.ts";
import { type RetryPolicy, retryDelayMs } from "../../../media/retry-delay.ts";
import { msToUs, US_PER_SECOND, usToMs } from "../../../media/units.ts";
import type { PlanarPcm } from "../../../playout/audio/planar-pcm.ts";
import type { RateAdvice } from "../../../worker/protocol/signaling.ts";
import { ApiRefusalError } from "../api-client.ts";
import type { Notice, StreamLegState } from "../session-types.ts";
import { type BroadcastFormat, fetchFormat } from "./broadcast-format.ts";
import { type ChosenCodecs, chooseCodecs, UnsupportedBrowserError } from "./codecs.ts";
import { MediaLine, type MediaLineState } from "./media-line.ts";
import { PictureLine } from "./picture-line.ts";
import { RateControl } from "./rate-control.ts";
import { SoundLine } from "./sound-line.ts";
import { brokenWords, encodingWords, loweredWords, refusedWords, soundBrokenWords } from "./words.ts";
import type { ResolvedNotice, StreamLegOptions } from "./worker-messages.ts";

const TICK_EVERY_MS = 10;
const AAC_BITRATE_BPS = 128_000;
const OPUS_BITRATE_BPS = 96_000;
/** Media captured before the leg was made has a time as well. */
const BASE_BEFORE_MS = 1_000;
/** A change of rate makes the encoder plan anew; smaller or more frequent ones are not worth it. */
const RATE_STEP = 0.04;
const RATE_EVERY_US = msToUs(300);
/** Below this share of the picture's bitrate for so long people are told, and above the other one told again. */
const TELL_BELOW = 0.5;
const TELL_AFTER_US = 3 * US_PER_SECOND;
const RESOLVE_ABOVE = 0.8;
/** Encoders of sound that fail this often within a minute will go on failing. */
const MAX_SOUND_RESTARTS = 3;
const RESTARTS_WITHIN_US = 60 * US_PER_SECOND;
/** An encoder that keeps failing is given this long: a machine that is too busy may have time again, and until then the picture goes on. */
const SOUND_AGAIN_AFTER_MS = 10_000;
const FORMAT_RETRY: RetryPolicy = { firstMs: 300, capMs: 5_000 };
/** Of the API's answers these are about the request, and the same the next time. */
const FINAL_STATUS = new Set([400, 401, 403, 404, 410]);

export interface StreamLegEnvironment {
	readonly options: StreamLegOptions;
	/** The capture clock: Unix time in microseconds that never goes back. */
	nowUs(): number;
	onState(state: StreamLegState): void;
	onNotice(notice: Notice | ResolvedNotice): void;
}

interface Lines {
	readonly pictures: PictureLine;
	readonly sound: SoundLine;
	readonly media: MediaLine;
	readonly rate: RateControl;
	readonly codecs: ChosenCodecs;
	readonly format: BroadcastFormat;
}

/** What sources there are before the lines are; the newest of each kind. */
interface Beginnings {
	video?: { readonly mayCut: boolean; flows: boolean };
	audio?: { flows: boolean };
}

/** One person's stream from captured pictures and sound to the Router, in a worker. Ends once, by `close()` or by a refusal. */
export class StreamLeg {
	readonly #environment: StreamLegEnvironment;
	readonly #baseMs: number;
	readonly #session = crypto.randomUUID();
	readonly #beginnings: Beginnings = {};
	#state: StreamLegState = "off";
	#lines: Lines | undefined;
	#ended = false;
	#timer: ReturnType<typeof setInterval> | undefined;
	#formatTimer: ReturnType<typeof setTimeout> | undefined;
	#advice: RateAdvice | undefined;
	#rateSetUs = Number.NEGATIVE_INFINITY;
	#rateNow = { bitrateBps: 0, frameRate: 0 };
	#soundRestartsUs: number[] = [];
	#soundTimer: ReturnType<typeof setTimeout> | undefined;
	#lowSinceUs: number | undefined;
	readonly #told = new Set<Notice["code"]>();

	constructor(environment: StreamLegEnvironment) {
		this.#environment = environment;
		this.#baseMs = Math.floor(usToMs(environment.nowUs())) - BASE_BEFORE_MS;
		this.#become("connecting");
		this.#start(0).catch((error: unknown) => this.#failToStart(error));
	}

	beginPictures(mayCut: boolean): void {
		this.#beginnings.video = { mayCut, flows: true };
		this.#lines?.pictures.begin(mayCut);
	}

	beginSound(): void {
		this.#beginnings.audio = { flows: true };
		this.#lines?.sound.begin();
	}

	/** Whether the source of a kind gives anything: if not it is black, or silent, at once. */
	setFlows(track: "audio" | "video", flows: boolean): void {
		const begun = this.#beginnings[track];
		if (begun !== undefined) {
			begun.flows = flows;
		}
		(track === "video" ? this.#lines?.pictures : this.#lines?.sound)?.setFlows(flows);
	}

	/** There is no source of that kind any more. */
	clear(track: "audio" | "video"): void {
		this.setFlows(track, false);
		delete this.#beginnings[track];
	}

	/** Owns the frame from here on. */
	pushPicture(frame: VideoFrame): void {
		if (this.#lines === undefined) {
			frame.close();
		} else {
			this.#lines.pictures.push(frame);
		}
	}

	/** Copies what it needs. */
	pushSound(pcm: PlanarPcm, timestampUs: number): void {
		this.#lines?.sound.push(pcm, timestampUs);
	}

	setRate(advice: RateAdvice | undefined): void {
		this.#advice = advice;
		this.#lines?.rate.setCap({ maxBitrateBps: advice?.maxBitrateBps, maxFrameRate: advice?.maxFrameRate });
	}

	/** May be called twice. */
	close(): void {
		this.#end("off");
	}

	async #start(attempt: number): Promise<void> {
		const { options } = this.#environment;
		let format: BroadcastFormat;
		try {
			format = await fetchFormat(options);
		} catch (error) {
			if (error instanceof ApiRefusalError && FINAL_STATUS.has(error.status)) {
				throw error;
			}
			if (!this.#ended) {
				this.#breakLine();
				const waitMs = retryDelayMs(FORMAT_RETRY, attempt, Math.random());
				this.#formatTimer = setTimeout(() => {
					this.#start(attempt + 1).catch((cause: unknown) => this.#failToStart(cause));
				}, waitMs);
			}
			return;
		}
		const codecs = await chooseCodecs(options.person, format);
		if (!this.#ended) {
			this.#lines = this.#open(format, codecs);
			await this.#openSound(this.#lines);
			this.#timer = setInterval(() => this.#tick(), TICK_EVERY_MS);
		}
	}

	#open(format: BroadcastFormat, codecs: ChosenCodecs): Lines {
		const { options, nowUs } = this.#environment;
		const baseUs = msToUs(this.#baseMs);
		const rate = new RateControl({ bitrateBps: format.videoBitrateBps, frameRate: format.frameRate });
		this.#rateNow = rate.rate;
		const sound = new SoundLine({ baseUs, nowUs, onFrame: (frame) => media.sendSound(frame) });
		const pictures = new PictureLine({
			format,
			codec: codecs.video,
			baseUs,
			nowUs,
			onFrame: (frame) => media.sendPicture(frame),
			onFailed: (reason) => this.#fail(encodingWords("picture", reason)),
		});
		const media = new MediaLine({
			...options,
			session: this.#session,
			baseMs: this.#baseMs,
			nowUs,
			onState: (state) => this.#lineChanged({ pictures, sound }, state),
			onKeyFrameWanted: () => pictures.requestKeyFrame(),
			onSending: () => {
				this.#resolve("stream-broken");
				this.#become("sending");
			},
			onBroken: () => this.#breakLine(),
			onRefused: (code, reason) => {
				this.#tell({ code: "refused", level: "error", text: refusedWords(code, reason) });
				this.#end("broken");
			},
		});
		const { video, audio } = this.#beginnings;
		if (video !== undefined) {
			pictures.begin(video.mayCut);
			pictures.setFlows(video.flows);
		}
		if (audio !== undefined) {
			sound.begin();
			sound.setFlows(audio.flows);
		}
		const lines = { pictures, sound, media, rate, codecs, format };
		this.setRate(this.#advice);
		return lines;
	}

	async #openSound(lines: Lines): Promise<void> {
		const { audio } = lines.codecs;
		const onFrame = (frame: EncodedAudioFrame) => this.#takeSound(lines, frame);
		const onError = (error: Error) => this.#restartSound(lines, error);
		const encoder =
			audio.codec === "opus"
				? new OpusEncoder({ bitrateBps: OPUS_BITRATE_BPS, onFrame, onError })
				: await ProgramAudioEncoder.create({ bitrateBps: AAC_BITRATE_BPS, onFrame, onError }, audio.support);
		if (this.#ended) {
			encoder.close();
		} else {
			lines.sound.setEncoder(encoder);
		}
	}

	#restartSound(lines: Lines, error: Error): void {
		const nowUs = this.#environment.nowUs();
		this.#soundRestartsUs = [...this.#soundRestartsUs.filter((each) => each > nowUs - RESTARTS_WITHIN_US), nowUs];
		if (this.#soundRestartsUs.length > MAX_SOUND_RESTARTS) {
			this.#tell({ code: "sound-broken", level: "warning", text: soundBrokenWords(error.message) });
			this.#soundTimer = setTimeout(() => this.#reopenSound(lines), SOUND_AGAIN_AFTER_MS);
		} else {
			this.#reopenSound(lines);
		}
	}

	#reopenSound(lines: Lines): void {
		if (!this.#ended) {
			this.#openSound(lines).catch((cause: unknown) => this.#fail(encodingWords("sound", String(cause))));
		}
	}

	#takeSound(lines: Lines, frame: EncodedAudioFrame): void {
		this.#resolve("sound-broken");
		lines.sound.takeEncoded(frame);
	}

	#lineChanged({ pictures, sound }: Pick<Lines, "pictures" | "sound">, state: MediaLineState): void {
		pictures.setSending(state === "awake");
		sound.setSending(state === "awake");
		if (state === "asleep") {
			this.#become("asleep");
		}
	}

	#tick(): void {
		const lines = this.#lines;
		if (lines === undefined) {
			return;
		}
		const nowUs = this.#environment.nowUs();
		const { delayUs, throughputBps } = lines.media.look(nowUs);
		if (this.#state === "sending") {
			lines.rate.look(delayUs, throughputBps, nowUs);
			this.#applyRate(lines, nowUs);
			this.#tellOfRate(lines.rate, nowUs);
		}
		lines.sound.tick(nowUs);
		lines.pictures.tick(nowUs);
	}

	#applyRate({ rate, pictures }: Lines, nowUs: number): void {
		const wanted = rate.rate;
		const { bitrateBps, frameRate } = this.#rateNow;
		const differs = Math.abs(wanted.bitrateBps - bitrateBps) > bitrateBps * RATE_STEP || wanted.frameRate !== frameRate;
		if (differs && nowUs - this.#rateSetUs >= RATE_EVERY_US) {
			this.#rateNow = wanted;
			this.#rateSetUs = nowUs;
			pictures.setRate(wanted);
		}
	}

	#tellOfRate({ lineShare }: RateControl, nowUs: number): void {
		if (lineShare > RESOLVE_ABOVE) {
			this.#lowSinceUs = undefined;
			this.#resolve("rate-lowered");
		} else if (lineShare < TELL_BELOW) {
			this.#lowSinceUs ??= nowUs;
			if (nowUs - this.#lowSinceUs >= TELL_AFTER_US && !this.#told.has("rate-lowered")) {
				this.#tell({ code: "rate-lowered", level: "warning", text: loweredWords() });
			}
		}
	}

	#breakLine(): void {
		this.#tell({ code: "stream-broken", level: "warning", text: brokenWords() });
		this.#become("broken");
	}

	#failToStart(error: unknown): void {
		if (error instanceof ApiRefusalError) {
			this.#tell({ code: "refused", level: "error", text: refusedWords(error.status, error.message) });
			this.#end("broken");
		} else if (error instanceof UnsupportedBrowserError) {
			this.#fail(error.message);
		} else {
			this.#fail(encodingWords("stream", error instanceof Error ? error.message : String(error)));
		}
	}

	#fail(text: string): void {
		this.#tell({ code: "stream-broken", level: "error", text });
		this.#end("broken");
	}

	#tell(notice: Notice): void {
		if (!this.#ended) {
			this.#told.add(notice.code);
			this.#environment.onNotice(notice);
		}
	}

	#resolve(code: Notice["code"]): void {
		if (this.#told.delete(code)) {
			this.#environment.onNotice({ code, resolved: true });
		}
	}

	#end(state: "off" | "broken"): void {
		if (this.#ended) {
			return;
		}
		this.#become(state);
		this.#ended = true;
		clearInterval(this.#timer);
		clearTimeout(this.#formatTimer);
		clearTimeout(this.#soundTimer);
		this.#lines?.media.close();
		this.#lines?.pictures.close();
		this.#lines?.sound.close();
		this.#lines = undefined;
	}

	#become(state: StreamLegState): void {
		if (!this.#ended && this.#state !== state) {
			this.#state = state;
			this.#environment.onState(state);
		}
	}
}
