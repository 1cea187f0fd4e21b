/** The decoder configurations (FLV tag bodies) in force at a tag. An object lives as long as its bytes, so identity means equality. */
export interface ProgramConfigs {
	readonly video?: Uint8Array;
	readonly audio?: Uint8Array;
}

/** One media tag (never a configuration) on its way to the destination. */
export interface ProgramTag {
	readonly track: "audio" | "video";
	readonly keyFrame: boolean;
	/** Time at the destination in whole milliseconds, unwrapped; rises strictly on each track over all sessions. */
	readonly timeMs: number;
	readonly body: Uint8Array;
	readonly configs: ProgramConfigs;
}

/** Live television that waits longer than this is not live: what is older goes. */
export const MAX_QUEUE_MS = 2_000;
/** 2 s of 50 Mb/s, more than any destination takes; bounds memory should an encoder run away. */
export const MAX_QUEUE_BYTES = 12 * 1024 * 1024;
/** Longest group of pictures kept for a connection to begin with: a little more than OBS makes by default, which is 8.3 s. */
export const MAX_GROUP_MS = 10_000;

/**
 * Tags between the Router and a destination that may be slow, or away.
 *
 * - Parked, which it is at first: keeps the group of pictures so far, so that a connection can begin with a key frame at once.
 * - Open: what does not fit is skipped, sound and picture together, up to a key frame, so that the destination always gets what it can decode.
 */
export class TagQueue {
	#tags: ProgramTag[] = [];
	#bytes = 0;
	#waitsForKey = true;
	/** Time of the last tag when it was opened: what comes up to it is sent as fast as can be, and is not late. `undefined` while parked. */
	#openedAtMs: number | undefined;
	#droppedTags = 0;
	#wake: (() => void) | undefined;

	/** Tags given up because the destination did not take them in time. */
	get droppedTags(): number {
		return this.#droppedTags;
	}

	/** How far the destination is behind; 0 while parked. */
	get spanMs(): number {
		return this.#openedAtMs === undefined ? 0 : spanMs(this.#tags, this.#openedAtMs);
	}

	/** The first configuration of each track that the tags in it need. */
	get configsAhead(): ProgramConfigs {
		const video = this.#tags.find(({ configs }) => configs.video !== undefined)?.configs.video;
		const audio = this.#tags.find(({ configs }) => configs.audio !== undefined)?.configs.audio;
		return { ...(video !== undefined && { video }), ...(audio !== undefined && { audio }) };
	}

	push(tag: ProgramTag): void {
		if (this.#waitsForKey && !tag.keyFrame) {
			return;
		}
		if (this.#openedAtMs === undefined && tag.keyFrame) {
			this.#dropTo(-1);
		}
		this.#waitsForKey = false;
		this.#tags.push(tag);
		this.#bytes += tag.body.byteLength;
		const tooLong = this.#openedAtMs === undefined ? spanMs(this.#tags) > MAX_GROUP_MS : this.spanMs > MAX_QUEUE_MS;
		if (tooLong || this.#bytes > MAX_QUEUE_BYTES) {
			this.#skip();
		}
		this.#wake?.();
	}

	shift(): ProgramTag | undefined {
		const tag = this.#tags.shift();
		this.#bytes -= tag?.body.byteLength ?? 0;
		return tag;
	}

	/** The connection has ended: the next one begins at a key frame that this one did not get. */
	park(): void {
		this.#openedAtMs = undefined;
		this.#dropTo(this.#tags.findLastIndex((tag) => tag.keyFrame));
	}

	/** A connection takes what there is, and then what comes. */
	open(): void {
		this.#openedAtMs = this.#tags.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY;
	}

	/** Resolves when there is a tag to take, which while parked is a key frame. Only one caller may wait at a time. */
	async waitForTag(signal: AbortSignal): Promise<void> {
		while (this.#tags.length === 0) {
			await this.#nextWake(signal);
		}
	}

	/** Keeps the last group of pictures when that alone makes enough room, and waits for the next one when not. */
	#skip(): void {
		const lastKey = this.#tags.findLastIndex((tag) => tag.keyFrame);
		const kept = this.#tags.slice(lastKey);
		const fits = lastKey > 0 && spanMs(kept) <= MAX_QUEUE_MS / 2 && bytesOf(kept) <= MAX_QUEUE_BYTES / 2;
		this.#dropTo(fits ? lastKey : -1);
	}

	/** Drops tags before index `at`; all of them, and what follows up to a key frame, when it is -1. */
	#dropTo(at: number): void {
		const count = at === -1 ? this.#tags.length : at;
		this.#tags.splice(0, count);
		this.#bytes = bytesOf(this.#tags);
		this.#droppedTags += count;
		this.#waitsForKey ||= at === -1;
	}

	#nextWake(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const settle = (finish: () => void) => {
				this.#wake = undefined;
				signal.removeEventListener("abort", aborted);
				finish();
			};
			const aborted = () => settle(() => reject(signal.reason));
			if (signal.aborted) {
				reject(signal.reason);
				return;
			}
			signal.addEventListener("abort", aborted);
			this.#wake = () => settle(resolve);
		});
	}
}

/** From the first tag, or from `fromMs` when that is later, to the last. */
function spanMs(tags: readonly ProgramTag[], fromMs = Number.NEGATIVE_INFINITY): number {
	const first = tags[0];
	const last = tags.at(-1);
	return first === undefined || last === undefined ? 0 : Math.max(0, last.timeMs - Math.max(first.timeMs, fromMs));
}

function bytesOf(tags: readonly ProgramTag[]): number {
	return tags.reduce((sum, tag) => sum + tag.body.byteLength, 0);
}
