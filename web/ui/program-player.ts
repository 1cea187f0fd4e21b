import mpegts from "mpegts.js";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";

const RETRY: RetryPolicy = { firstMs: 500, capMs: 5_000 };

/** How far the picture may lag behind what has arrived before playing faster, and where that stops. */
const MAX_LATENCY_S = 1;
const TARGET_LATENCY_S = 0.4;

export interface ProgramPlayerEvents {
	onPlaying(): void;
	/** Nothing to show at the moment, in words for the viewer. */
	onWaiting(reason: string): void;
}

/** Plays the program from WS-FLV with mpegts.js and connects again when the line breaks. */
export class ProgramPlayer {
	readonly #video: HTMLVideoElement;
	readonly #url: string;
	readonly #events: ProgramPlayerEvents;
	#player: mpegts.Player | undefined;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	#attempt = 0;
	#stopped = false;

	constructor(video: HTMLVideoElement, url: string, events: ProgramPlayerEvents) {
		this.#video = video;
		this.#url = url;
		this.#events = events;
		video.addEventListener("playing", () => {
			this.#attempt = 0;
			events.onPlaying();
		});
		events.onWaiting("Waiting for the program…");
		this.#connect();
	}

	/** Seconds of program that have arrived and are not shown yet. */
	latencyS(): number | undefined {
		const { buffered, currentTime } = this.#video;
		return buffered.length === 0 ? undefined : buffered.end(buffered.length - 1) - currentTime;
	}

	stop(reason: string): void {
		this.#stopped = true;
		clearTimeout(this.#retryTimer);
		this.#player?.destroy();
		this.#player = undefined;
		this.#events.onWaiting(reason);
	}

	#connect(): void {
		const player = mpegts.createPlayer(
			{ type: "flv", isLive: true, url: this.#url },
			{
				enableStashBuffer: false,
				liveBufferLatencyChasing: true,
				liveBufferLatencyMaxLatency: MAX_LATENCY_S,
				liveBufferLatencyMinRemain: TARGET_LATENCY_S,
				autoCleanupSourceBuffer: true,
			},
		);
		this.#player = player;
		player.on(mpegts.Events.ERROR, () => this.#reconnect());
		player.on(mpegts.Events.LOADING_COMPLETE, () => this.#reconnect());
		player.attachMediaElement(this.#video);
		player.load();
		const playing = player.play();
		// Refused without a gesture or cut short by a reconnect: the picture starts with the next click or connection.
		playing?.catch((error: unknown) => this.#events.onWaiting(error instanceof Error ? error.message : String(error)));
	}

	#reconnect(): void {
		if (this.#stopped || this.#retryTimer !== undefined) {
			return;
		}
		this.#player?.destroy();
		this.#player = undefined;
		this.#events.onWaiting("The program is not there at the moment; connecting again…");
		this.#retryTimer = setTimeout(
			() => {
				this.#retryTimer = undefined;
				this.#connect();
			},
			retryDelayMs(RETRY, this.#attempt, Math.random()),
		);
		this.#attempt += 1;
	}
}
