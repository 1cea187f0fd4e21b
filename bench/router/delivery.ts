/** What was sent in this stretch of time, by the burnt clock, is measured. */
export interface Window {
	readonly fromMs: number;
	readonly untilMs: number;
}

/** What one listener got of what was sent in the window. */
export interface Heard {
	readonly id: string;
	/** From the send to the moment the message was there, in the order of arrival. */
	readonly delaysMs: Float64Array;
	readonly bytes: number;
}

export interface Delivery {
	/** To all listeners together. */
	readonly messagesPerSecond: number;
	readonly megabitsPerSecond: number;
	readonly p50Ms: number;
	readonly p95Ms: number;
	readonly p99Ms: number;
	/** Of the listener that is worst off. */
	readonly worstP99Ms: number;
	/** Share of what was sent that the listener who got least of it did not get. */
	readonly lost: number;
}

/** @throws Error without a listener or a message: a run that measured nothing must not pass for one */
export function deliveryOf(heard: readonly Heard[], sent: number, { fromMs, untilMs }: Window): Delivery {
	const fewest = Math.min(...heard.map(({ delaysMs }) => delaysMs.length));
	if (heard.length === 0 || fewest === 0 || sent === 0) {
		throw new Error(`router: expected listeners that hear something, got ${heard.length} of which one heard ${fewest}`);
	}
	const seconds = (untilMs - fromMs) / 1_000;
	const all = Float64Array.from(heard.flatMap(({ delaysMs }) => [...delaysMs])).sort();
	const bytes = heard.reduce((sum, each) => sum + each.bytes, 0);
	return {
		messagesPerSecond: all.length / seconds,
		megabitsPerSecond: (bytes * 8) / 1e6 / seconds,
		p50Ms: nearestRank(all, 0.5),
		p95Ms: nearestRank(all, 0.95),
		p99Ms: nearestRank(all, 0.99),
		worstP99Ms: Math.max(...heard.map(({ delaysMs }) => nearestRank(delaysMs.toSorted(), 0.99))),
		lost: Math.max(0, 1 - fewest / sent),
	};
}

/** The smallest value that at least that share of the values does not exceed. */
export function nearestRank(sorted: Float64Array, share: number): number {
	return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
