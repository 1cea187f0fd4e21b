/** Writes figures as text that Prometheus and its kin read (OpenMetrics 1.0). Mistakes that would make the text invalid are thrown. */

export const OPENMETRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Quantiles are the only samples of a summary here: its sum and count are not known. */
export type MetricType = "gauge" | "counter" | "summary" | "stateset";

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
	readonly labels: Labels;
	readonly value: number;
}

export interface MetricFamily {
	/** Without `_total`; ends in the unit where there is one. */
	readonly name: string;
	readonly type: MetricType;
	readonly help: string;
	/** A base unit: `seconds`, `bytes`. */
	readonly unit?: "seconds" | "bytes";
	readonly samples: readonly Sample[];
}

const NAME_PATTERN = /^[a-z_][a-z0-9_]*$/;

/**
 * @throws {Error} for names that are none, a name that lacks its unit, families or samples that come twice, a counter below zero, and a stateset
 * that does not say its state or is neither on nor off
 */
export function openMetricsText(families: readonly MetricFamily[]): string {
	const names = new Set<string>();
	const lines: string[] = [];
	for (const family of families) {
		if (names.has(family.name)) {
			throw new Error(`openmetrics: expected each family once, got ${family.name} twice`);
		}
		names.add(family.name);
		if (family.samples.length > 0) {
			lines.push(...familyLines(family));
		}
	}
	return [...lines, "# EOF", ""].join("\n");
}

function familyLines({ name, type, help, unit, samples }: MetricFamily): string[] {
	if (!NAME_PATTERN.test(name) || name.endsWith("_total")) {
		throw new Error(`openmetrics: expected a name of letters, digits and _ without _total, got ${name}`);
	}
	if (unit !== undefined && !name.endsWith(`_${unit}`)) {
		throw new Error(`openmetrics: expected a name that ends in _${unit}, got ${name}`);
	}
	const seen = new Set<string>();
	const sampleLines = samples.map((sample) => {
		const labels = labelsText(sample.labels);
		if (seen.has(labels)) {
			throw new Error(`openmetrics: expected each sample once, got ${name}${labels} twice`);
		}
		seen.add(labels);
		checkSample(name, type, sample);
		return `${name}${type === "counter" ? "_total" : ""}${labels} ${numberText(sample.value)}`;
	});
	return [
		`# TYPE ${name} ${type}`,
		...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
		`# HELP ${name} ${escaped(help)}`,
		...sampleLines,
	];
}

function checkSample(name: string, type: MetricType, { labels, value }: Sample): void {
	if (type === "counter" && !(value >= 0)) {
		throw new Error(`openmetrics: expected a counter of 0 or more, got ${value} for ${name}`);
	}
	if (type === "stateset" && (labels[name] === undefined || (value !== 0 && value !== 1))) {
		throw new Error(`openmetrics: expected 0 or 1 with the state in the label ${name}, got ${value}`);
	}
	if (type === "summary" && labels.quantile === undefined) {
		throw new Error(`openmetrics: expected a summary's sample to have a quantile, got ${name} without`);
	}
}

/** In order of their names, so that the same labels are the same text. */
function labelsText(labels: Labels): string {
	const pairs = Object.entries(labels)
		.toSorted(([a], [b]) => (a < b ? -1 : 1))
		.map(([label, value]) => {
			if (!NAME_PATTERN.test(label) || label.startsWith("__")) {
				throw new Error(`openmetrics: expected a label of letters, digits and _, got ${label}`);
			}
			return `${label}="${escaped(value)}"`;
		});
	return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
	return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberText(value: number): string {
	if (Number.isNaN(value)) {
		return "NaN";
	}
	return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
