import type { Labels, MetricFamily, MetricType, Sample } from "./openmetrics.ts";

export type MetricDescription = Omit<MetricFamily, "name" | "samples">;

/** Gathers samples under the families they belong to, which come out in the order of their descriptions. */
export class FamilyTable<Name extends string> {
	readonly #descriptions: Readonly<Record<Name, MetricDescription>>;
	readonly #samples = new Map<Name, Sample[]>();

	constructor(descriptions: Readonly<Record<Name, MetricDescription>>) {
		this.#descriptions = descriptions;
	}

	/** What is not known is left out, and never made up. */
	add(name: Name, labels: Labels, value: number | boolean | undefined): void {
		if (value !== undefined) {
			const samples = this.#samples.get(name) ?? [];
			this.#samples.set(name, samples);
			samples.push({ labels, value: Number(value) });
		}
	}

	/** Of all states there may be, the one that is. */
	addState(name: Name, labels: Labels, states: readonly string[], state: string): void {
		for (const each of states) {
			this.add(name, { ...labels, [name]: each }, each === state);
		}
	}

	families(): MetricFamily[] {
		return (Object.entries(this.#descriptions) as [Name, MetricDescription][]).map(([name, description]) => ({
			name,
			...description,
			samples: this.#samples.get(name) ?? [],
		}));
	}
}

export function described(type: MetricType, help: string, unit?: MetricFamily["unit"]): MetricDescription {
	return { type, help, ...(unit === undefined ? {} : { unit }) };
}
