/** 100 ms a second: what sound can be stretched or squeezed by without a listener minding. */
export const MAX_SLEW = 0.1;
/** 250 ms a second: far too much delay, as when the path became shorter, is not kept for seconds. Speech a quarter faster is still followed well. */
export const MAX_CATCH_UP = 0.25;
const CATCH_UP_ABOVE_US = 60_000;
/** Up to here sound only has to be resampled by at most 0.5 %, which nobody hears. */
const GENTLE_UP_US = 5_000;
const GENTLE_UP_SECONDS = 1;
/** A little too much delay harms nobody, so it is taken back by resampling alone. */
const GENTLE_DOWN_US = 12_000;
const GENTLE_DOWN_SECONDS = 3;

/**
 * How fast the play-out delay moves, in seconds a second, when it is `errorUs` short of its target (negative: beyond it).
 * Too little delay costs sound at once and is mended fast; a little too much is taken back softly, far too much faster: ceiling to usual in 3 s.
 */
export function slewRate(errorUs: number): number {
	if (errorUs > GENTLE_UP_US) {
		return MAX_SLEW;
	}
	if (errorUs < -CATCH_UP_ABOVE_US) {
		return -MAX_CATCH_UP;
	}
	if (errorUs < -GENTLE_DOWN_US) {
		return -MAX_SLEW;
	}
	return errorUs / (1e6 * (errorUs > 0 ? GENTLE_UP_SECONDS : GENTLE_DOWN_SECONDS));
}

/** How far the delay moves in `elapsedUs`, never past its target. */
export function slewUs(errorUs: number, elapsedUs: number): number {
	const moveUs = slewRate(errorUs) * elapsedUs;
	return errorUs > 0 ? Math.min(errorUs, moveUs) : Math.max(errorUs, moveUs);
}
