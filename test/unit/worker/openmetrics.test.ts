import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MetricFamily, openMetricsText } from "../../../worker/metrics/openmetrics.ts";
import { readOpenMetrics } from "../../support/openmetrics/reader.ts";

function family(change: Partial<MetricFamily> = {}): MetricFamily {
	return { name: "a_thing", type: "gauge", help: "A thing", samples: [{ labels: {}, value: 1 }], ...change };
}

describe("OpenMetrics text", () => {
	it("is what the specification shows", () => {
		const text = openMetricsText([
			family({
				name: "sent_bytes",
				type: "counter",
				unit: "bytes",
				help: 'Sent "so far"\nin all',
				samples: [
					{ labels: { destination: "b", broadcast: "a" }, value: 12 },
					{ labels: { destination: 'q"\\\n', broadcast: "a" }, value: 1.5 },
				],
			}),
			family({
				name: "state",
				type: "stateset",
				samples: [
					{ labels: { state: "on" }, value: 1 },
					{ labels: { state: "off" }, value: 0 },
				],
			}),
		]);
		expect(text).toBe(
			[
				"# TYPE sent_bytes counter",
				"# UNIT sent_bytes bytes",
				'# HELP sent_bytes Sent \\"so far\\"\\nin all',
				'sent_bytes_total{broadcast="a",destination="b"} 12',
				'sent_bytes_total{broadcast="a",destination="q\\"\\\\\\n"} 1.5',
				"# TYPE state stateset",
				"# HELP state A thing",
				'state{state="on"} 1',
				'state{state="off"} 0',
				"# EOF",
				"",
			].join("\n"),
		);
	});

	it("is no more than its end without figures", () => {
		expect(openMetricsText([family({ samples: [] })])).toBe("# EOF\n");
	});

	it("is read back as it was meant, whatever labels and values hold", () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 5 }),
				fc.double({ noNaN: true }),
				(names, value) => {
					const samples = names.map((name) => ({ labels: { name }, value }));
					const read = readOpenMetrics(openMetricsText([family({ samples })]));
					expect(read.get("a_thing")?.samples ?? []).toEqual(
						samples.map((each) => ({ ...each, value: value === 0 ? 0 : value })),
					);
				},
			),
		);
	});

	it.each<[string, MetricFamily[]]>([
		["a name with a space", [family({ name: "a thing" })]],
		["a counter's suffix in the name", [family({ name: "a_thing_total", type: "counter" })]],
		["a name without its unit", [family({ unit: "seconds" })]],
		["a family twice", [family(), family()]],
		["a sample twice", [family({ samples: [family().samples, family().samples].flat() })]],
		["a counter below zero", [family({ type: "counter", samples: [{ labels: {}, value: -1 }] })]],
		["a counter that is no number", [family({ type: "counter", samples: [{ labels: {}, value: Number.NaN }] })]],
		["a label that is none", [family({ samples: [{ labels: { "a-b": "" }, value: 1 }] })]],
		["a reserved label", [family({ samples: [{ labels: { __name__: "" }, value: 1 }] })]],
		["a state without its label", [family({ type: "stateset" })]],
		["a quantile without its label", [family({ type: "summary" })]],
	])("refuses %s", (_what, families) => {
		expect(() => openMetricsText(families)).toThrow(/^openmetrics: expected .+, got /);
	});
});
