/** Messages a second that are tried, each a third to a half more than the one before. */
export const RATES = [
	50, 100, 175, 250, 350, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000,
] as const;
/** A rate that fails once may have met with something else the machine did. */
const TRIES = 2;

export interface Tried {
	readonly perSecond: number;
	readonly held: boolean;
}

/** What to try after that: up from a rate that held, down from one that did not; `undefined` once the highest is known. */
export function nextRate(tried: readonly Tried[], first: number): number | undefined {
	const last = tried.at(-1);
	if (last === undefined) {
		return first;
	}
	const failures = tried.filter(({ perSecond, held }) => perSecond === last.perSecond && !held).length;
	if (!last.held && failures < TRIES) {
		return last.perSecond;
	}
	const next = last.held
		? RATES.find((rate) => rate > last.perSecond)
		: RATES.findLast((rate) => rate < last.perSecond);
	return tried.some(({ perSecond }) => perSecond === next) ? undefined : next;
}

/** 0 where none held. */
export function highestHeld(tried: readonly Tried[]): number {
	return Math.max(0, ...tried.filter(({ held }) => held).map(({ perSecond }) => perSecond));
}
