/** Reads OpenMetrics 1.0 strictly, as little of it as the Worker writes: what is not in order is thrown. */

export interface ReadSample {
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
}

export interface ReadFamily {
	readonly type: string;
	readonly unit?: string;
	readonly help: string;
	readonly samples: readonly ReadSample[];
}

const SUFFIX: Readonly<Record<string, string>> = { gauge: "", stateset: "", summary: "", counter: "_total" };
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,(?=.)|$)/;

export function readOpenMetrics(text: string): Map<string, ReadFamily> {
	if (!text.endsWith("\n# EOF\n") && text !== "# EOF\n") {
		throw new Error("openmetrics: expected # EOF as the last line");
	}
	const lines = text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1);
	const families = new Map<string, ReadFamily & { samples: ReadSample[] }>();
	let current: { name: string; family: ReadFamily & { samples: ReadSample[] } } | undefined;
	const seen = new Set<string>();
	for (let index = 0; index < lines.length; index++) {
		const line = lines[index] ?? "";
		const [, typed, type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
		if (typed !== undefined) {
			const unit = new RegExp(`^# UNIT ${typed} (\\S+)$`).exec(lines[index + 1] ?? "")?.[1];
			index += unit === undefined ? 1 : 2;
			const help = new RegExp(`^# HELP ${typed} (.+)$`).exec(lines[index] ?? "")?.[1];
			if (help === undefined || SUFFIX[type] === undefined || families.has(typed)) {
				throw new Error(`openmetrics: expected a new family with TYPE and HELP, got ${line}`);
			}
			if (unit !== undefined && !typed.endsWith(`_${unit}`)) {
				throw new Error(`openmetrics: expected ${typed} to end in ${unit}`);
			}
			current = { name: typed, family: { type, help, samples: [], ...(unit === undefined ? {} : { unit }) } };
			families.set(typed, current.family);
			continue;
		}
		const [, name, labelText = "", value = ""] = SAMPLE.exec(line) ?? [];
		if (name === undefined || current === undefined || name !== current.name + SUFFIX[current.family.type]) {
			throw new Error(`openmetrics: expected a sample of ${current?.name ?? "no family"}, got ${line}`);
		}
		const labels = readLabels(labelText);
		const key = name + JSON.stringify(Object.entries(labels).toSorted());
		if (seen.has(key)) {
			throw new Error(`openmetrics: expected each sample once, got ${line} twice`);
		}
		seen.add(key);
		current.family.samples.push({ labels, value: Number(value.replace("Inf", "Infinity")) });
	}
	return families;
}

function readLabels(text: string): Record<string, string> {
	const labels: Record<string, string> = {};
	for (let rest = text; rest !== ""; ) {
		const [whole, label, value] = LABEL.exec(rest) ?? [];
		if (whole === undefined || label === undefined || value === undefined || label in labels) {
			throw new Error(`openmetrics: expected labels, got ${text}`);
		}
		labels[label] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
		rest = rest.slice(whole.length);
	}
	return labels;
}
