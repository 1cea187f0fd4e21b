import { publisherRequestSchema } from "../../worker/protocol/media-socket.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import type { MediaSocketPeer } from "./media-socket-peer.ts";

const FRAME_MS = 40;
const GROUP_FRAMES = 250;

/** A browser's host at the clock's pace: it stops and goes on when it is told to, with its clock and a key frame. */
export class SleepingPublisher {
	/** Unix milliseconds at which its time is 0. */
	readonly captureBaseMs: number;
	readonly peer: MediaSocketPeer;
	/** What it was told, in order. */
	readonly told: ("sleep" | "wake")[] = [];
	asleep = false;
	readonly #timer: ReturnType<typeof setInterval>;
	#frame: number;
	#sinceKey = 0;

	/** @param captureBaseMs the same for another connection of one publisher */
	constructor(peer: MediaSocketPeer, captureBaseMs = Date.now()) {
		this.captureBaseMs = captureBaseMs;
		this.peer = peer;
		this.#frame = Math.floor((Date.now() - captureBaseMs) / FRAME_MS);
		peer.socket.addEventListener("message", ({ data }) => {
			if (typeof data === "string") {
				this.#take(publisherRequestSchema.parse(JSON.parse(data)).type);
			}
		});
		peer.publish([]);
		this.#begin();
		this.#timer = setInterval(() => this.#catchUp(), FRAME_MS);
		peer.socket.addEventListener("close", () => this.stop());
	}

	/** Time of its latest picture, sent or not: what a compositor with another leg shows. */
	get lastMs(): number {
		return (this.#frame - 1) * FRAME_MS;
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	#take(type: "sleep" | "wake"): void {
		this.told.push(type);
		this.asleep = type === "sleep";
		if (type === "wake") {
			this.#catchUp();
			this.#begin();
		}
	}

	/** What every connection and every waking begins with. */
	#begin(): void {
		const tagMs = this.#frame * FRAME_MS;
		this.peer.socket.send(JSON.stringify({ type: "clock", tagMs, captureMs: this.captureBaseMs + tagMs }));
		this.peer.send([videoConfig(tagMs), audioConfig(tagMs)]);
		this.#sinceKey = 0;
		this.#next();
	}

	#catchUp(): void {
		while (this.#frame * FRAME_MS <= Date.now() - this.captureBaseMs) {
			this.#next();
		}
	}

	#next(): void {
		const timeMs = this.#frame++ * FRAME_MS;
		const isKey = this.#sinceKey++ % GROUP_FRAMES === 0;
		if (!this.asleep) {
			this.peer.send([isKey ? keyFrame(timeMs, 1) : interFrame(timeMs, 1), sound(timeMs, 1)]);
		}
	}
}
