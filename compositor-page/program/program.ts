import type { AacSupport } from "../../encoders/aac/program-audio-encoder.ts";
import { ProgramAudioEncoder } from "../../encoders/aac/program-audio-encoder.ts";
import { ProgramVideoEncoder } from "../../encoders/avc/program-video-encoder.ts";
import { usToMs } from "../../media/units.ts";
import { PercentileWindow } from "../../playout/percentile-window.ts";
import type { Person, PictureStep } from "../../playout/person/person.ts";
import type { Scene } from "../../worker/protocol/control-messages.ts";
import type { KeyFrameRequest } from "../../worker/protocol/media-socket.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { Compositor } from "../compositor/compositor.ts";
import { GraphicsCache } from "../graphics/graphics-cache.ts";
import { KeyFrameOrder } from "./key-frame-order.ts";
import { LatencyLog } from "./latency-log.ts";
import type { OutputClock, OutputTick } from "./output-clock.ts";
import type { ProgramPublisher } from "./program-publisher.ts";
import { ReadinessGate } from "./readiness-gate.ts";
import { composeScene, type OnAirPerson, placeHeights } from "./scene-composition.ts";
import { type ShownHost, shownHost } from "./shown-host.ts";
import { SoundTrack } from "./sound-track.ts";

/** Stage timings looked back on: about ten seconds at 30 fps. */
const STAGE_WINDOW = 300;
/** More than an encoder's queue holds: the oldest of more were left out by it. */
const MAX_ENCODING = 64;

export interface ProgramOptions {
	readonly scene: Scene;
	readonly clock: OutputClock;
	readonly compositor: Compositor;
	readonly publisher: ProgramPublisher;
	readonly aacSupport: AacSupport;
	nowUs(): number;
	onProblem(reason: string): void;
	/** Picture or sound can no longer be encoded. */
	onFailed(reason: string): void;
}

/** What is known of an output frame that the encoder has. */
interface Encoding {
	readonly startedUs: number;
	readonly host: ShownHost | undefined;
}

/** One scene's program: composites, mixes and encodes each output step and hands it to the publisher, who sends it from when it is ready. */
export class Program {
	readonly latency = new LatencyLog();
	readonly compositeMs = new PercentileWindow(STAGE_WINDOW);
	readonly encodeMs = new PercentileWindow(STAGE_WINDOW);
	readonly mixMs = new PercentileWindow(STAGE_WINDOW);
	readonly video: ProgramVideoEncoder;
	/**
	 * Sound is mixed one output frame after the picture of its time. Publishers write a picture's sound up to a frame later than the picture,
	 * and a shared play-out delay that waited for it would delay every picture by as much.
	 */
	readonly soundBehindUs: number;
	readonly #options: ProgramOptions;
	readonly #graphics = new GraphicsCache();
	readonly #sound: SoundTrack;
	readonly #gate = new ReadinessGate();
	readonly #keyFrameOrder = new KeyFrameOrder();
	readonly #encoding = new Map<number, Encoding>();
	#audio: ProgramAudioEncoder | undefined;
	#scene: Scene;
	#frames = 0;
	#heldFrames = 0;
	#skippedFrames = 0;
	#keyFrames = 0;
	#audioFrames = 0;

	private constructor(options: ProgramOptions) {
		this.#options = options;
		this.#scene = options.scene;
		const { scene, clock, publisher } = options;
		this.soundBehindUs = clock.programUs(1);
		this.#sound = new SoundTrack({
			startUs: clock.dueUs(0),
			onSamples: (samples, frames) => this.#audio?.push(samples, frames),
		});
		this.#sound.applyLevels(scene.people);
		this.video = new ProgramVideoEncoder({
			width: scene.width,
			height: scene.height,
			frameRate: scene.frameRate,
			bitrateBps: scene.videoBitrateBps,
			keyFrameEvery: Math.round(scene.keyFrameIntervalS * scene.frameRate),
			nowUs: options.nowUs,
			onFrame: (frame) => {
				const nowUs = options.nowUs();
				const encoding = this.#encoding.get(frame.ptsUs);
				this.#encoding.delete(frame.ptsUs);
				if (encoding !== undefined) {
					this.encodeMs.add(usToMs(nowUs - encoding.startedUs));
				}
				this.latency.encoded(frame.ptsUs, nowUs);
				this.#frames += 1;
				this.#keyFrames += frame.keyFrame ? 1 : 0;
				publisher.sendVideo(frame, encoding?.host);
			},
			onProblem: options.onProblem,
			onFailed: options.onFailed,
		});
	}

	/** Rejects when the sound cannot be encoded. */
	static async create(options: ProgramOptions): Promise<Program> {
		const program = new Program(options);
		const onFrame = (frame: Parameters<ProgramPublisher["sendAudio"]>[0]) => {
			program.#audioFrames += 1;
			options.publisher.sendAudio(frame);
		};
		program.#audio = await ProgramAudioEncoder.create(
			{
				bitrateBps: options.scene.audioBitrateBps,
				latencySamples: program.#sound.latencySamples,
				onFrame,
				onError: (error) => options.onFailed(error.message),
			},
			options.aacSupport,
		);
		return program;
	}

	get scene(): Scene {
		return this.#scene;
	}

	get counters(): {
		frames: number;
		heldFrames: number;
		skippedFrames: number;
		keyFrames: number;
		audioFrames: number;
	} {
		return {
			frames: this.#frames,
			heldFrames: this.#heldFrames,
			skippedFrames: this.#skippedFrames,
			keyFrames: this.#keyFrames,
			audioFrames: this.#audioFrames,
		};
	}

	/** Lines of each person's place in the output as it stands. */
	placeHeights(people: readonly Person[], nowUs: number): ReadonlyMap<PersonId, number> {
		return placeHeights(this.#scene, onAir(people, nowUs));
	}

	/** Whether the program is published; if not, who is missing in it. */
	get readiness(): Pick<ReadinessGate, "open" | "waitingFor"> {
		return this.#gate;
	}

	/** The Router wants a key frame; see {@link KeyFrameOrder}. */
	orderKeyFrame(request: KeyFrameRequest): void {
		this.#keyFrameOrder.ask(request, this.#options.nowUs());
	}

	/** Layout, names and levels change with the next output frame. Size, rate and bitrate are fixed for a program's life. */
	applyScene(scene: Scene): void {
		const { width, height, frameRate } = this.#scene;
		this.#scene = { ...scene, width, height, frameRate };
		this.#sound.applyLevels(scene.people);
	}

	/** Makes one output frame and all sound due before it. */
	async produce(tick: OutputTick, people: readonly Person[]): Promise<void> {
		const { clock, nowUs } = this.#options;
		this.#skippedFrames += tick.skipped;
		const startedUs = nowUs();
		const steps = people.map((person) => person.step(tick.dueUs));
		const programUs = clock.programUs(tick.index);
		this.#noteSteps(programUs, steps, people);
		this.#lookAtGate(programUs, people, tick.dueUs);
		const host = shownHost(people, steps, tick.dueUs);
		if (this.#keyFrameOrder.take(host, tick.dueUs)) {
			this.video.requestKeyFrame();
		}
		const composing = this.#compose(onAir(people, tick.dueUs), tick);
		const mixStartedUs = nowUs();
		this.#sound.mixUntil(tick.dueUs - this.soundBehindUs, people);
		this.mixMs.add(usToMs(nowUs() - mixStartedUs));
		const { frame, isWhole } = await composing;
		const composedUs = nowUs();
		this.compositeMs.add(usToMs(composedUs - startedUs));
		this.#noteEncoding(frame.timestamp, { startedUs: composedUs, host: isWhole ? host : undefined });
		this.video.encode(frame, tick.index);
	}

	close(): void {
		this.video.close();
		this.#audio?.close();
		this.#graphics.close();
	}

	#lookAtGate(programUs: number, people: readonly Person[], dueUs: number): void {
		const { publisher } = this.#options;
		const isReady = (id: PersonId) => people.find((person) => person.id === id)?.isReady(dueUs) === true;
		if (this.#gate.look({ people: this.#scene.people, isReady, soundKnown: publisher.soundKnown })) {
			publisher.start(programUs);
		}
	}

	/** A picture that cannot be read is no reason for the program to stop: cards take the place of them all for that frame. */
	async #compose(
		onAir: readonly OnAirPerson[],
		tick: OutputTick,
	): Promise<{ readonly frame: VideoFrame; readonly isWhole: boolean }> {
		const { clock, compositor, onProblem } = this.#options;
		const timestampUs = clock.programUs(tick.index);
		const durationUs = clock.programUs(tick.index + 1) - timestampUs;
		const compose = (people: readonly OnAirPerson[]) =>
			compositor.compose(composeScene(this.#scene, people, this.#graphics), timestampUs, durationUs);
		try {
			return { frame: await compose(onAir), isWhole: true };
		} catch (error) {
			onProblem(`compositor: ${error instanceof Error ? error.message : String(error)}`);
			return { frame: await compose(onAir.map(({ id }) => ({ id, frame: undefined }))), isWhole: false };
		}
	}

	#noteEncoding(programUs: number, encoding: Encoding): void {
		this.#encoding.set(programUs, encoding);
		const [oldest] = this.#encoding.keys();
		if (this.#encoding.size > MAX_ENCODING && oldest !== undefined) {
			this.#encoding.delete(oldest);
		}
	}

	#noteSteps(programUs: number, steps: readonly PictureStep[], people: readonly Person[]): void {
		if (steps.includes("missing") && !steps.includes("new")) {
			this.#heldFrames += 1;
		}
		const arrivalsUs = people.flatMap((person, index) =>
			steps[index] === "new" && person.picture !== undefined ? [person.picture.arrivalUs] : [],
		);
		if (arrivalsUs.length > 0) {
			this.latency.shown(programUs, arrivalsUs);
		}
	}
}

function onAir(people: readonly Person[], nowUs: number): OnAirPerson[] {
	return people.flatMap((person) => {
		const state = person.state(nowUs);
		if (state === "waiting") {
			return [];
		}
		return [{ id: person.id, frame: state === "card" ? undefined : person.picture?.frame }];
	});
}
