import { US_PER_SECOND } from "../../media/units.ts";

const BUCKET_US = US_PER_SECOND;
/** Long enough to meet an undelayed frame on a bad network; at 200 ppm the minimum is then at most 2 ms old-fashioned. */
const WINDOW_BUCKETS = 10;
/** Five minutes of ten-second minima: jitter of a millisecond is then some ppm of slope. */
const DRIFT_POINTS = 30;
const DRIFT_EVERY_BUCKETS = 10;

/**
 * The smallest recent transit (arrival minus source time) of a source: what a frame takes that nothing delayed, plus the
 * unknown distance between the two clocks. It ages: the minimum is over the last ten seconds, so drift is followed. Seconds in
 * which nothing came do not count: a stall says nothing about the path, and what was known of it is needed right after.
 */
export class TransitBaseline {
	readonly #minima = new Float64Array(WINDOW_BUCKETS).fill(Number.POSITIVE_INFINITY);
	readonly #driftTimes: number[] = [];
	readonly #driftMinima: number[] = [];
	#bucket: number | undefined;
	/** Seconds in which something came. */
	#seconds = 0;
	#minUs = Number.POSITIVE_INFINITY;
	#driftPpm = 0;

	/** The baseline; infinite before the first `add`. */
	get us(): number {
		return this.#minUs;
	}

	/** How much faster local time runs than the source's, in parts per million; 0 until about 20 s were seen. */
	get driftPpm(): number {
		return this.#driftPpm;
	}

	add(transitUs: number, arrivalUs: number): void {
		const bucket = Math.floor(arrivalUs / BUCKET_US);
		if (this.#bucket === undefined) {
			this.#bucket = bucket;
		} else if (bucket > this.#bucket) {
			this.#rotate(this.#bucket, bucket);
		}
		const place = this.#seconds % WINDOW_BUCKETS;
		this.#minima[place] = Math.min(this.#minima[place] ?? transitUs, transitUs);
		this.#minUs = Math.min(this.#minUs, transitUs);
	}

	reset(): void {
		this.#minima.fill(Number.POSITIVE_INFINITY);
		this.#driftTimes.length = 0;
		this.#driftMinima.length = 0;
		this.#bucket = undefined;
		this.#minUs = Number.POSITIVE_INFINITY;
		this.#driftPpm = 0;
	}

	#rotate(from: number, to: number): void {
		if (Math.floor(to / DRIFT_EVERY_BUCKETS) !== Math.floor(from / DRIFT_EVERY_BUCKETS)) {
			this.#notePoint(from);
		}
		this.#seconds += 1;
		this.#minima[this.#seconds % WINDOW_BUCKETS] = Number.POSITIVE_INFINITY;
		this.#bucket = to;
		this.#minUs = Math.min(...this.#minima);
	}

	#notePoint(bucket: number): void {
		this.#driftTimes.push(bucket * BUCKET_US);
		this.#driftMinima.push(this.#minUs);
		if (this.#driftTimes.length > DRIFT_POINTS) {
			this.#driftTimes.shift();
			this.#driftMinima.shift();
		}
		this.#driftPpm = slope(this.#driftTimes, this.#driftMinima) * 1e6;
	}
}

/** Least-squares slope of y over x; 0 for fewer than two points. */
function slope(x: readonly number[], y: readonly number[]): number {
	const meanX = mean(x);
	const meanY = mean(y);
	let covariance = 0;
	let variance = 0;
	for (let index = 0; index < x.length; index += 1) {
		const dx = (x[index] ?? 0) - meanX;
		covariance += dx * ((y[index] ?? 0) - meanY);
		variance += dx * dx;
	}
	return variance === 0 ? 0 : covariance / variance;
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
