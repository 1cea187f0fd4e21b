import { openPictureOutput, type PictureOutput } from "./picture-output.ts";
import { openSoundOutput, type SoundOutput } from "./sound-output.ts";
import type { FromStreamPlay, StreamPlayOptions, StreamPlayState, ToStreamPlay } from "./worker-messages.ts";

export type { StreamPlayState } from "./worker-messages.ts";

export interface StreamPlayerOptions extends StreamPlayOptions {
	/** @param reason why, of `refused` */
	onState(state: StreamPlayState, reason?: string): void;
}

/** A worker that has not said goodbye by then is ended. */
const CLOSE_WITHIN_MS = 1_000;

/**
 * Plays one person's stream by way of the edge, for people who cannot hear each other directly: everything happens in a worker, with the play-out the
 * compositor has, and comes out as a `MediaStream` with lips in sync.
 */
export class StreamPlayer {
	/** One track of pictures and one of sound, which last as long as the player. */
	readonly stream = new MediaStream();
	readonly #options: StreamPlayerOptions;
	readonly #worker: Worker;
	readonly #pictures: PictureOutput;
	readonly #sound: SoundOutput;
	#state: StreamPlayState | undefined;

	constructor(options: StreamPlayerOptions) {
		this.#options = options;
		this.#worker = new Worker(new URL("./stream-play-worker.ts", import.meta.url), {
			type: "module",
			name: "stream-play",
		});
		this.#worker.onmessage = ({ data }: MessageEvent<FromStreamPlay>) => this.#take(data);
		this.#worker.onerror = (event) => this.#become("refused", event.message || "its code could not be loaded");
		this.#pictures = openPictureOutput();
		this.#sound = openSoundOutput((reason) => console.warn(`stream player: ${reason}`));
		for (const { track } of [this.#pictures, this.#sound]) {
			if (track !== undefined) {
				this.stream.addTrack(track);
			}
		}
		const { apiUrl, broadcastId, person, token } = options;
		const { writable } = this.#pictures;
		const message: ToStreamPlay = {
			type: "start",
			options: { apiUrl, broadcastId, person, token },
			...(writable === undefined ? {} : { pictures: writable }),
			sound: this.#sound.port,
		};
		this.#worker.postMessage(message, [this.#sound.port, ...(writable === undefined ? [] : [writable])]);
	}

	/** Whether their media is said to be coming: then a line on which nothing comes is tried anew. */
	setExpected(expected: boolean): void {
		this.#post({ type: "expected", expected });
	}

	/** Ends it for good; may be called twice. */
	close(): void {
		if (this.#state === "closed") {
			return;
		}
		this.#post({ type: "close" });
		setTimeout(() => this.#worker.terminate(), CLOSE_WITHIN_MS);
		this.#become("closed");
		this.#sound.close();
		this.#pictures.close();
		for (const track of this.stream.getTracks()) {
			track.stop();
		}
	}

	#post(message: ToStreamPlay): void {
		if (this.#state !== "closed") {
			this.#worker.postMessage(message);
		}
	}

	#take(message: FromStreamPlay): void {
		switch (message.type) {
			case "state":
				this.#become(message.state, message.reason);
				break;
			case "picture":
				this.#pictures.show(message.frame);
				break;
			case "track":
				for (const track of this.stream.getVideoTracks()) {
					this.stream.removeTrack(track);
				}
				this.stream.addTrack(message.track);
				break;
			case "closed":
				this.#worker.terminate();
				break;
			default:
				message satisfies never;
		}
	}

	#become(state: StreamPlayState, reason?: string): void {
		if (this.#state !== "closed" && this.#state !== state) {
			this.#state = state;
			this.#options.onState(state, reason);
		}
	}
}
