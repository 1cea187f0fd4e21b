import { describe, expect, test } from "vitest";
import { interleave } from "../../../bench/harness/interleave.ts";
import type { Machine } from "../../../bench/harness/machine.ts";
import { cellText, resultMarkdown, tableMarkdown } from "../../../bench/harness/markdown.ts";
import { fillPage, type KeptResult } from "../../../bench/harness/results.ts";
import { quantile, ratios, spreadOf } from "../../../bench/harness/statistics.ts";

const MACHINE: Machine = {
	...{ date: "2026-01-02", commit: "abc1234", cores: 2, processor: "A processor", memoryGiB: 24 },
	versions: ["Linux 6", "Node 24"],
};

describe("statistics", () => {
	test("the median of runs, with the least and the most", () => {
		expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, runs: 3 });
		expect(spreadOf([4, 1, 2, 3]).median).toBe(2.5);
	});

	test("quantiles lie between neighbours, as R's type 7", () => {
		expect(quantile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8);
		expect(quantile([10], 0.99)).toBe(10);
		expect(quantile([], 0.5)).toBeNaN();
	});

	test("a run that measured nothing is no figure", () => {
		expect(() => spreadOf([])).toThrow("spread: expected finite values, got none");
		expect(() => spreadOf([1, Number.NaN])).toThrow("got NaN");
	});

	test("ratios are taken run by run", () => {
		expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
		expect(() => ratios([1], [1, 2])).toThrow("ratios: expected as many runs of both, got 1 and 2");
	});
});

describe("interleaving", () => {
	test("takes contenders in turn, and leaves out the first round where it warms up", async () => {
		const order: string[] = [];
		const contender = (name: string) => ({
			name,
			measure: async (run: number) => {
				order.push(`${name}${run}`);
				return run;
			},
		});
		const measured = await interleave([contender("a"), contender("b")], { runs: 2, warmUp: true });
		expect(order).toEqual(["a-1", "b-1", "a0", "b0", "a1", "b1"]);
		expect(measured.get("a")).toEqual([0, 1]);
	});

	test("a contender that fails says which it was", async () => {
		const broken = { name: "theirs", measure: () => Promise.reject(new Error("no such file")) };
		await expect(interleave([broken], { runs: 1 })).rejects.toThrow("theirs: no such file");
	});
});

describe("tables", () => {
	test("figures come with their unit, spreads with both ends, nothing as a dash", () => {
		expect(cellText({ value: 1.25, unit: "ms" })).toBe("1.3 ms");
		expect(cellText({ value: spreadOf([1, 2, 4]), unit: "×", digits: 2 })).toBe("2.00× (1.00–4.00)");
		expect(cellText({ value: 12, digits: 0 })).toBe("12");
		expect(cellText(undefined)).toBe("–");
		expect(cellText("a | b")).toBe("a \\| b");
	});

	test("a table is Markdown, its first column to the left", () => {
		expect(tableMarkdown({ title: "T", columns: ["a", "b"], rows: [["x", { value: 1, digits: 0 }]] })).toBe(
			"**T**\n\n| a | b |\n| --- | ---: |\n| x | 1 |",
		);
	});

	test("a result says what was reached, by which command, where and of what", () => {
		const markdown = resultMarkdown(
			"live",
			{
				tables: [],
				verdicts: [
					{ target: "≤ 1", measured: "2", reached: false },
					{ target: "≥ 1", measured: "2", reached: true },
				],
				notes: ["A note."],
			},
			MACHINE,
		);
		expect(markdown).toContain("| ≤ 1 | 2 | **no** |");
		expect(markdown).toContain("| ≥ 1 | 2 | yes |");
		expect(markdown).toContain("- A note.");
		expect(markdown).toContain("`npm run bench -- live`, 2026-01-02, commit abc1234; 2 × A processor, 24 GiB");
	});

	test("a page gets the results that are kept, and keeps the others", () => {
		const result: KeptResult = { name: "one", runs: 5, machine: MACHINE, tables: [], verdicts: [], notes: ["New."] };
		const page = "# P\n<!-- bench one -->old<!-- end -->\ntext\n<!-- bench two -->\nstays\n<!-- end -->\n";
		const filled = fillPage(page, (name) => (name === "one" ? result : undefined));
		expect(filled).toContain("- New.");
		expect(filled).not.toContain("old");
		expect(filled).toContain("<!-- bench two -->\nstays\n<!-- end -->");
		expect(fillPage(filled, (name) => (name === "one" ? result : undefined))).toBe(filled);
	});

	test("what is kept as JSON reads as it was printed, with nothing where there was nothing", () => {
		const table = {
			title: "T",
			columns: ["a", "b"],
			rows: [["x", undefined, { value: spreadOf([1, 2]), unit: "ms" }]],
		};
		const result: KeptResult = { name: "one", runs: 5, machine: MACHINE, tables: [table], verdicts: [], notes: [] };
		const kept = JSON.parse(JSON.stringify(result)) as KeptResult;
		expect(resultMarkdown("one", kept, kept.machine)).toBe(resultMarkdown("one", result, MACHINE));
	});
});
