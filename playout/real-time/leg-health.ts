import { msToUs } from "../../media/units.ts";

/** A leg that flows brings something every few hundredths of a second, and of somebody silent without a camera a packet every 400 ms (Opus DTX). */
const FLOWS_WITHIN_US = msToUs(450);
/** Nothing by a connection that says itself that it is broken, or by one that brought this many frames in the second before … */
const DEAD_AFTER_US = msToUs(500);
const BUSY_FRAMES = 10;
const BUSY_WITHIN_US = msToUs(1_000);
/** … or by any other, whatever it says: a person whose microphone sends nothing but comfort noise is heard of more often. */
const DEAD_ANYWAY_AFTER_US = msToUs(1_500);
/** A leg that died is not trusted again at its first packet. */
const TRUSTED_AFTER_US = msToUs(1_000);
/** Whoever has a microphone, or a camera, is heard or seen by it within so long. */
const WAIT_FOR_TRACK_US = msToUs(1_000);

type Track = "audio" | "video";

/** When what came by one leg, and what that says of it. Time is passed in. */
export class LegHealth {
	readonly #lastUs: Record<Track, number> = { audio: Number.NEGATIVE_INFINITY, video: Number.NEGATIVE_INFINITY };
	#aliveSinceUs = Number.NEGATIVE_INFINITY;
	#hasDied = false;
	/** When the latest frames came. */
	readonly #recentUs: number[] = [];

	note(track: Track, nowUs: number): void {
		const silentUs = nowUs - this.#latestUs;
		if (silentUs > DEAD_AFTER_US) {
			this.#hasDied = Number.isFinite(this.#latestUs);
			this.#aliveSinceUs = nowUs;
		}
		this.#lastUs[track] = nowUs;
		this.#recentUs.push(nowUs);
		if (this.#recentUs.length > BUSY_FRAMES) {
			this.#recentUs.shift();
		}
	}

	/** Something came just now. */
	flows(nowUs: number): boolean {
		return nowUs - this.#latestUs <= FLOWS_WITHIN_US;
	}

	trackFlows(track: Track, nowUs: number): boolean {
		return nowUs - this.#lastUs[track] <= FLOWS_WITHIN_US;
	}

	isDead(isConnected: boolean, nowUs: number): boolean {
		const silentUs = nowUs - this.#latestUs;
		const isSure = !isConnected || this.#wasBusy;
		return silentUs > DEAD_ANYWAY_AFTER_US || (isSure && silentUs > DEAD_AFTER_US);
	}

	/** It has flowed for long enough to rely on it. */
	isTrusted(nowUs: number): boolean {
		return this.flows(nowUs) && (!this.#hasDied || nowUs - this.#aliveSinceUs >= TRUSTED_AFTER_US);
	}

	/** Whatever is to come by it has come, or would have. */
	isComplete(nowUs: number): boolean {
		const both = this.trackFlows("audio", nowUs) && this.trackFlows("video", nowUs);
		return both || nowUs - this.#aliveSinceUs >= WAIT_FOR_TRACK_US;
	}

	get #wasBusy(): boolean {
		const [oldestUs = 0] = this.#recentUs;
		return this.#recentUs.length === BUSY_FRAMES && this.#latestUs - oldestUs <= BUSY_WITHIN_US;
	}

	get #latestUs(): number {
		return Math.max(this.#lastUs.audio, this.#lastUs.video);
	}
}
