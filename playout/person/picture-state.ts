import type { PictureState } from "../../worker/protocol/compositor-stats.ts";

/** How long the last picture of a person whose feed stopped stays before the card takes its place. */
export const HOLD_LAST_PICTURE_US = 2_000_000;
/** Without a new picture for this long a person counts as holding: longer than any usual frame interval or jitter. */
const LIVE_WITHIN_US = 250_000;

/** What to show of a person, from when their newest shown picture was due (`undefined`: there never was one). */
export function pictureState(nowUs: number, newestPictureUs: number | undefined): PictureState {
	if (newestPictureUs === undefined) {
		return "waiting";
	}
	const ageUs = nowUs - newestPictureUs;
	if (ageUs > HOLD_LAST_PICTURE_US) {
		return "card";
	}
	return ageUs > LIVE_WITHIN_US ? "holding" : "live";
}
