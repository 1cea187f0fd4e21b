const DAY_S = 24 * 3_600;

/** Links to studio, green room and watch page go out some days before an event. */
export const PERSON_TOKEN_LIFETIME_S = 14 * DAY_S;
/** Longer than any broadcast a service takes; a new lease brings a new token. */
export const COMPOSITOR_TOKEN_LIFETIME_S = DAY_S;
