/** More than this is lost of a line that carries too much, or of a bad one: either way less has a better chance. */
const BAD_LOSS = 0.05;
const GOOD_LOSS = 0.02;
/** WebRTC's own congestion control comes first. */
const BAD_FOR_MS = 3_000;
const DOWN = 0.7;
const UP = 1.6;
/** A raise that goes bad within this has failed: the line carries what it did before. */
const ATTEMPT_MS = 12_000;
const UP_AFTER_MS = 4_000;
/** The wait for the next attempt doubles with each that failed, up to here. */
const UP_AFTER_AT_MOST_MS = 64_000;
/** Where this many steps in a row have made it no better by this share, the loss is not ours … */
const FUTILE_STEPS = 2;
const BETTER = 0.75;
/** … but where so much is lost, less is sent all the same: what arrives is no picture. */
const HEAVY_LOSS = 0.2;
const LEAST_BPS = 200_000;
/** As much as a sender sends by itself: no limit any more. */
const MOST_BPS = 2_500_000;

/**
 * The most that one sender should send, where packets go on being lost. Down by steps, up by larger ones with growing waits after one that failed;
 * what is lost whatever is sent lowers nothing further.
 */
export class NetworkRate {
	#limitBps: number | undefined;
	#badSinceMs: number | undefined;
	#goodSinceMs: number | undefined;
	#lossSum = 0;
	#lossSeconds = 0;
	/** Loss at the last step down, and how many in a row did not help. */
	#lossAtStep: number | undefined;
	#futile = 0;
	#attempt: { readonly atMs: number; readonly fromBps: number } | undefined;
	#upAfterMs = UP_AFTER_MS;

	/** `undefined`: no limit. */
	get limitBps(): number | undefined {
		return this.#limitBps;
	}

	/** To be called about once a second with the figures of that second. */
	look(lossRatio: number, bitrateBps: number, nowMs: number): void {
		// Of the few packets of somebody without a picture a lost one is many.
		const isBad = lossRatio > BAD_LOSS && bitrateBps >= LEAST_BPS / 2;
		this.#badSinceMs = isBad ? (this.#badSinceMs ?? nowMs) : undefined;
		this.#goodSinceMs = lossRatio < GOOD_LOSS ? (this.#goodSinceMs ?? nowMs) : undefined;
		this.#lossSum = isBad ? this.#lossSum + lossRatio : 0;
		this.#lossSeconds = isBad ? this.#lossSeconds + 1 : 0;
		if (this.#badSinceMs !== undefined && nowMs - this.#badSinceMs >= BAD_FOR_MS) {
			this.#lower(bitrateBps, nowMs);
		} else if (this.#goodSinceMs !== undefined) {
			this.#succeed(nowMs);
			this.#raise(nowMs - this.#goodSinceMs, nowMs);
		}
	}

	#lower(bitrateBps: number, nowMs: number): void {
		const loss = this.#lossSum / this.#lossSeconds;
		this.#lossSum = 0;
		this.#lossSeconds = 0;
		this.#badSinceMs = nowMs;
		const attempt = this.#attempt;
		this.#attempt = undefined;
		if (attempt !== undefined && nowMs - attempt.atMs < ATTEMPT_MS) {
			this.#limitBps = attempt.fromBps;
			this.#upAfterMs = Math.min(UP_AFTER_AT_MOST_MS, this.#upAfterMs * 2);
			return;
		}
		const helped = this.#lossAtStep === undefined || loss < this.#lossAtStep * BETTER;
		this.#futile = helped ? 0 : this.#futile + 1;
		this.#lossAtStep = loss;
		if (this.#futile < FUTILE_STEPS || loss > HEAVY_LOSS) {
			const fromBps = Math.min(this.#limitBps ?? MOST_BPS, Math.max(bitrateBps, LEAST_BPS));
			this.#limitBps = Math.max(LEAST_BPS, Math.round(fromBps * DOWN));
		}
	}

	/** What went well for long enough is the line's new measure. */
	#succeed(nowMs: number): void {
		if (this.#attempt !== undefined && nowMs - this.#attempt.atMs >= ATTEMPT_MS) {
			this.#attempt = undefined;
			this.#upAfterMs = UP_AFTER_MS;
		}
		this.#lossAtStep = undefined;
		this.#futile = 0;
	}

	#raise(goodForMs: number, nowMs: number): void {
		const limitBps = this.#limitBps;
		if (limitBps === undefined || goodForMs < this.#upAfterMs) {
			return;
		}
		this.#attempt = { atMs: nowMs, fromBps: limitBps };
		const raisedBps = Math.round(limitBps * UP);
		this.#limitBps = raisedBps >= MOST_BPS ? undefined : raisedBps;
		this.#goodSinceMs = nowMs;
	}
}
