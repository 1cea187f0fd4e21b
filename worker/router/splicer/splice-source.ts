import { unwrapNearMs } from "../../../media/timestamp.ts";
import { GroupCache } from "../group-cache.ts";
import type { StreamTag } from "../stream-tag.ts";
import { LiveEdge } from "./live-edge.ts";

/** A source without a picture for this long is not there: fifteen frames at 30 fps, two and a half at the slowest rate taken. */
export const SILENT_AFTER_MS = 500;
/** A composite has fixed steps of a few hundredths of a second; a host that sleeps is woken at 300 ms, and is to be on air by 500. */
export const COMPOSITE_SILENT_AFTER_MS = 450;
/** Sound kept for a switch: more than a switch waits for, and the hold before it. */
const SOUND_KEPT_MS = 3_000;
/** Of AAC at 48 kHz. */
const SOUND_FRAME_MS = 21;
/** Used until two pictures have shown the real interval, and bounds of what is taken for one. */
const DEFAULT_INTERVAL_MS = 33;
const SHORTEST_INTERVAL_MS = 5;
const LONGEST_INTERVAL_MS = 200;

/** One source of the program as the splicer knows it: whether it is there, and what it sent lately. */
export class SpliceSource {
	readonly #group = new GroupCache();
	readonly #edge = new LiveEdge();
	#sound: StreamTag[] = [];
	#latest: StreamTag | undefined;
	#pictureMs: number | undefined;
	#intervalMs = DEFAULT_INTERVAL_MS;
	/** Latest presentation time since the last key frame, and what that frame's composition time was: the order's depth. */
	#presentedMs = 0;
	#depthMs = 0;
	/** Where the host's time stood against this source's. */
	#shows: { readonly timeMs: number; readonly hostMs: number } | undefined;
	/** Taken out by whoever judges its pictures. */
	fit = true;
	readonly #silentAfterMs: number;

	/** @param silentAfterMs without a picture for so long it is not there */
	constructor(silentAfterMs = SILENT_AFTER_MS) {
		this.#silentAfterMs = silentAfterMs;
	}

	/** One frame. */
	get intervalMs(): number {
		return this.#intervalMs;
	}

	/** Latest presentation time so far. */
	get presentedMs(): number {
		return this.#presentedMs;
	}

	/** Decoding time of the latest picture. */
	get timeMs(): number | undefined {
		return this.#latest?.timeMs;
	}

	/** The clock's time less this source's, where it comes the quickest way it does. */
	get wayMs(): number {
		return this.#edge.wayMs;
	}

	/**
	 * Whether every picture sent so far is shown before every picture to come: a stream with pictures out of order can be cut only there without
	 * leaving a hole.
	 */
	get isClosed(): boolean {
		const { timeMs } = this;
		return timeMs !== undefined && this.#presentedMs - this.#depthMs <= timeMs + this.#intervalMs / 2;
	}

	push(tag: StreamTag, nowMs: number): void {
		if (tag.epoch !== this.#latest?.epoch) {
			this.#sound = [];
			this.#shows = undefined;
		}
		this.#group.push(tag, nowMs);
		if (tag.track === "audio") {
			this.#sound.push(tag);
			const keptFromMs = tag.timeMs - SOUND_KEPT_MS;
			while ((this.#sound[0]?.timeMs ?? keptFromMs) < keptFromMs) {
				this.#sound.shift();
			}
			return;
		}
		this.#edge.saw(tag.timeMs, tag.epoch, nowMs);
		this.#measure(tag);
		this.#pictureMs = nowMs;
		this.#latest = tag;
	}

	/** The host's presentation time that a picture of this source was said to show. */
	showed(tag: StreamTag, hostMs: number): void {
		this.#shows = { timeMs: tag.timeMs, hostMs };
	}

	/** The host's presentation time at a time of this source, where it has said so. */
	hostMsAt(timeMs: number): number | undefined {
		return this.#shows === undefined ? undefined : this.#shows.hostMs + timeMs - this.#shows.timeMs;
	}

	/** Its publisher has gone. What it sent is kept: one that only lost its line goes on from there, another one begins with a key frame. */
	leave(): void {
		this.#pictureMs = undefined;
	}

	/** Whether the program can be made of it now. */
	isHealthy(nowMs: number): boolean {
		return this.fit && this.silentMs(nowMs) < this.#silentAfterMs && !this.#edge.isLate;
	}

	/** How long there has been no picture. */
	silentMs(nowMs: number): number {
		return this.#pictureMs === undefined ? Number.POSITIVE_INFINITY : nowMs - this.#pictureMs;
	}

	/** The pictures since its last key frame; none when they are not at hand. */
	pictures(nowMs: number): readonly StreamTag[] {
		return this.#group.tags(nowMs).filter(({ track }) => track === "video");
	}

	/** The sound of the last seconds. */
	get sound(): readonly StreamTag[] {
		return this.#sound;
	}

	/** Whether that sound covers a time of this source, or begins so soon after it that it follows on from what was before. */
	hasSoundAt(timeMs: number): boolean {
		return this.#sound.some((tag) => {
			const afterMs = tag.timeMs - timeMs;
			return afterMs > -SOUND_FRAME_MS && afterMs <= SOUND_FRAME_MS / 2;
		});
	}

	/** A 32-bit time of this source's stream, unwrapped as its tags are. */
	unwrap(ms: number): number {
		return unwrapNearMs(ms, this.#latest?.timeMs ?? ms);
	}

	#measure(tag: StreamTag): void {
		const before = this.#latest;
		const stepMs = before?.epoch === tag.epoch ? tag.timeMs - before.timeMs : 0;
		if (stepMs >= SHORTEST_INTERVAL_MS && stepMs <= LONGEST_INTERVAL_MS) {
			this.#intervalMs = stepMs;
		}
		const presentMs = tag.timeMs + tag.compositionMs;
		this.#depthMs = tag.keyFrame ? tag.compositionMs : this.#depthMs;
		this.#presentedMs = tag.keyFrame ? presentMs : Math.max(this.#presentedMs, presentMs);
	}
}
