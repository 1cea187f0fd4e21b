/** The latest `capacity` measurements, and quantiles over them. Nothing is allocated while adding. */
export class PercentileWindow {
	readonly #values: Float64Array;
	#next = 0;
	#count = 0;

	constructor(capacity: number) {
		this.#values = new Float64Array(capacity);
	}

	add(value: number): void {
		this.#values[this.#next] = value;
		this.#next = (this.#next + 1) % this.#values.length;
		this.#count = Math.min(this.#count + 1, this.#values.length);
	}

	/** The values below which the given fractions of the measurements lie (nearest rank); 0 while there are none. */
	quantiles(...fractions: readonly number[]): number[] {
		const sorted = this.#values.slice(0, this.#count).sort();
		return fractions.map((fraction) => sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0);
	}

	mean(): number {
		let sum = 0;
		for (let index = 0; index < this.#count; index += 1) {
			sum += this.#values[index] ?? 0;
		}
		return this.#count === 0 ? 0 : sum / this.#count;
	}
}
