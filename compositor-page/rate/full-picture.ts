/** What a browser's sender sends: taken for granted until it has been seen. */
const USUAL = { height: 720, frameRate: 30 } as const;
/** A sender begins small and grows within some seconds; a camera may be changed for a lesser one. */
const SECONDS = 10;
/** What cameras and encoders give: a second that is counted a little long or short is one of these. */
const FRAME_RATES = [15, 20, 24, 25, 30, 50, 60] as const;
const SNAP = 0.12;

/** What a sender sends by itself, which is what shares of it are taken of: known from the time in which nothing was asked of it. */
export class FullPicture {
	readonly #heights: number[] = [];
	readonly #frameRates: number[] = [];

	/** One second; 0 where no picture came. What was limited in it says nothing of what there could be. */
	look(
		second: { readonly height: number; readonly frameRate: number },
		limited: { height: boolean; frameRate: boolean },
	) {
		if (second.height > 0 && (!limited.height || second.height > this.height)) {
			keep(this.#heights, second.height);
		}
		if (second.frameRate > 0 && !limited.frameRate) {
			keep(this.#frameRates, second.frameRate);
		}
	}

	get height(): number {
		return this.#heights.length === 0 ? USUAL.height : Math.max(...this.#heights);
	}

	/** The usual one of the last seconds: what comes after a stall is more, and in one less. */
	get frameRate(): number {
		const sorted = this.#frameRates.toSorted((a, b) => a - b);
		const median = sorted[Math.floor(sorted.length / 2)] ?? USUAL.frameRate;
		return FRAME_RATES.find((each) => Math.abs(each - median) <= each * SNAP) ?? median;
	}
}

function keep(seconds: number[], value: number): void {
	seconds.push(value);
	if (seconds.length > SECONDS) {
		seconds.shift();
	}
}
