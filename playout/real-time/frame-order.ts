import { msToUs } from "../../media/units.ts";

/** What is sent again comes within a round trip or two; what has not come by then is waited for in vain. */
const WAIT_AT_MOST_US = msToUs(200);
/** More than an encoder refers back to. */
const REMEMBERED = 128;

/** How frames refer to each other, where the stream says (RTP dependency descriptor). */
export interface FrameReferences {
	readonly id: number | undefined;
	readonly dependencies: readonly number[];
	readonly keyFrame: boolean;
}

/**
 * Puts frames that come out of order, since packets of theirs were sent again, back into it, and finds out that one is not coming: then nothing is
 * handed on until the next key frame, for pictures made of what is missing are worse than none. Where a stream does not number its frames
 * they are handed on as they come.
 */
export class FrameOrder<F extends FrameReferences> {
	#known: number[] = [];
	#waiting: { readonly frame: F; readonly sinceUs: number }[] = [];
	#broken = false;
	#lost = 0;

	/** A key frame is needed to go on. */
	get isBroken(): boolean {
		return this.#broken;
	}

	/** Frames given up. */
	get lost(): number {
		return this.#lost;
	}

	/** The frames that can be decoded now, in order. */
	push(frame: F, nowUs: number): F[] {
		if (frame.id === undefined) {
			this.#broken = false;
			return [frame];
		}
		if (frame.keyFrame) {
			const { id } = frame;
			this.#lost += this.#waiting.filter((each) => (each.frame.id ?? id) < id).length;
			this.#waiting = this.#waiting.filter((each) => (each.frame.id ?? id) > id);
			this.#known = [];
			this.#broken = false;
			return this.#take(frame);
		}
		if (this.#broken) {
			this.#lost += 1;
			return [];
		}
		if (this.#isWhole(frame)) {
			return this.#take(frame);
		}
		this.#waiting.push({ frame, sinceUs: nowUs });
		return this.#giveUp(nowUs);
	}

	/** To be called now and then: what was waited for too long is given up. */
	tick(nowUs: number): void {
		this.#giveUp(nowUs);
	}

	#giveUp(nowUs: number): F[] {
		const [oldest] = this.#waiting;
		if (oldest !== undefined && nowUs - oldest.sinceUs > WAIT_AT_MOST_US) {
			this.#lost += this.#waiting.length;
			this.#waiting = [];
			this.#broken = true;
		}
		return [];
	}

	#take(frame: F): F[] {
		const taken = [frame];
		this.#note(frame);
		for (let next = this.#nextWhole(); next !== undefined; next = this.#nextWhole()) {
			taken.push(next);
			this.#note(next);
		}
		return taken;
	}

	#nextWhole(): F | undefined {
		const whole = this.#waiting
			.filter(({ frame }) => this.#isWhole(frame))
			.toSorted((a, b) => (a.frame.id ?? 0) - (b.frame.id ?? 0))[0];
		if (whole !== undefined) {
			this.#waiting.splice(this.#waiting.indexOf(whole), 1);
		}
		return whole?.frame;
	}

	#isWhole({ dependencies }: F): boolean {
		return dependencies.every((id) => this.#known.includes(id));
	}

	#note({ id }: F): void {
		if (id !== undefined) {
			this.#known.push(id);
			if (this.#known.length > REMEMBERED) {
				this.#known.shift();
			}
		}
	}
}
