import { msToUs, US_PER_SECOND, usToMs } from "../../../media/units.ts";
import { Person } from "../../../playout/person/person.ts";
import { MediaSubscription } from "../../../playout/sources/media-subscription.ts";
import { SoundFeed } from "./sound-feed.ts";
import type { SoundHeard, SoundToHear, StreamPlayOptions, StreamPlayState } from "./worker-messages.ts";

/** Looked at so often whether a new picture is due: twice as often as usual pictures come, so that none waits long. */
const STEPS_A_SECOND = 60;
const STEP_US = US_PER_SECOND / STEPS_A_SECOND;
/** A machine that slept goes on with now. */
const MOST_BEHIND_US = msToUs(100);
/** Resampling looks so far ahead. */
const SOUND_LEAD_MS = 4;

export interface PlaybackOptions extends StreamPlayOptions {
	nowUs(): number;
	onState(state: StreamPlayState, reason?: string): void;
	/** A new picture, at the time it is to be seen; owned by whoever takes it. */
	onPicture(frame: VideoFrame): void;
	/** For the audio worklet. */
	onSound(sound: SoundToHear): void;
}

/** One person's stream, played as soon as it safely can: sound and picture by one clock. Ends once, by `close()` or a refusal. */
export class Playback {
	readonly #options: PlaybackOptions;
	readonly #person: Person;
	readonly #subscription: MediaSubscription;
	readonly #sound: SoundFeed;
	#state: StreamPlayState | undefined;
	#connected = false;
	#wasConnected = false;
	#ended = false;
	#nextStepUs: number;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: PlaybackOptions) {
		this.#options = options;
		const { apiUrl, broadcastId, token, nowUs } = options;
		const onProblem = (reason: string) => console.warn(`stream player: ${reason}`);
		const person = new Person({
			id: options.person,
			outputFrameRate: STEPS_A_SECOND,
			soundBehindMs: 0,
			nowUs,
			onProblem,
			onDecodeMs: () => undefined,
		});
		this.#person = person;
		this.#sound = new SoundFeed({
			pull: (localUs, frames, out) => person.audio.pull(localUs, frames, person.clock, out),
			onLead: (leadMs) => person.clock.setLead("audio", SOUND_LEAD_MS + leadMs),
			send: options.onSound,
		});
		this.#subscription = new MediaSubscription({
			...{ apiUrl, broadcastId, token, nowUs, onProblem },
			stream: options.person,
			onFrame: (frame, arrivalUs) => person.push(frame, arrivalUs),
			onConnected: (connected) => {
				this.#connected = connected;
				this.#wasConnected ||= connected;
				person.setConnected(connected);
				this.#look();
			},
			onRefused: (reason) => this.#end("refused", reason),
		});
		this.#nextStepUs = nowUs();
		this.#look();
		this.#step();
	}

	/** Their media is coming: then silence is a broken line. */
	setExpected(expected: boolean): void {
		this.#subscription.setExpected(expected);
	}

	/** The audio device says how far it is. */
	heard(heard: SoundHeard): void {
		if (!this.#ended) {
			this.#sound.take(heard, this.#options.nowUs());
		}
	}

	/** May be called twice. */
	close(): void {
		this.#end("closed");
	}

	#step(): void {
		if (this.#ended) {
			return;
		}
		const nowUs = this.#options.nowUs();
		if (nowUs - this.#nextStepUs > MOST_BEHIND_US) {
			this.#nextStepUs = nowUs;
		}
		while (this.#nextStepUs <= nowUs) {
			if (this.#person.step(this.#nextStepUs) === "new") {
				const frame = this.#person.picture?.frame.clone();
				if (frame !== undefined) {
					this.#options.onPicture(frame);
				}
			}
			this.#nextStepUs += STEP_US;
		}
		this.#look();
		this.#timer = setTimeout(() => this.#step(), Math.max(0, usToMs(this.#nextStepUs - this.#options.nowUs())));
	}

	#look(): void {
		if (this.#ended) {
			return;
		}
		if (!this.#connected) {
			this.#become(this.#wasConnected ? "broken" : "connecting");
			return;
		}
		const state = this.#person.state(this.#options.nowUs());
		this.#become(state === "live" || state === "holding" ? "playing" : "waiting");
	}

	#become(state: StreamPlayState, reason?: string): void {
		if (this.#state !== state) {
			this.#state = state;
			this.#options.onState(state, reason);
		}
	}

	#end(state: "refused" | "closed", reason?: string): void {
		if (this.#ended) {
			return;
		}
		this.#ended = true;
		clearTimeout(this.#timer);
		this.#subscription.close();
		this.#person.close();
		this.#become(state, reason);
	}
}
