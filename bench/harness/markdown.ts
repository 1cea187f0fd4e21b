import type { BenchResult, BenchTable, Cell } from "./bench.ts";
import type { Machine } from "./machine.ts";

/** A result as it is printed and put into docs/performance.md. */
export function resultMarkdown(name: string, result: BenchResult, machine: Machine): string {
	const parts = [
		...result.tables.map(tableMarkdown),
		...(result.verdicts.length === 0 ? [] : [verdictsMarkdown(result)]),
		...(result.notes.length === 0 ? [] : [result.notes.map((note) => `- ${note}`).join("\n")]),
		`\`npm run bench -- ${name}\`, ${machine.date}, commit ${machine.commit}; ${machine.cores} × ${machine.processor}, ${machine.memoryGiB} GiB; ${machine.versions.join(", ")}.`,
	];
	return `${parts.join("\n\n")}\n`;
}

export function tableMarkdown({ title, columns, rows }: BenchTable): string {
	const lines = [
		columns,
		columns.map((_, column) => (column === 0 ? "---" : "---:")),
		...rows.map((row) => row.map(cellText)),
	];
	return [`**${title}**`, "", ...lines.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}

/** A figure with its spread is its median, and in brackets the least and the most. */
export function cellText(cell: Cell): string {
	if (cell === undefined || cell === null) {
		return "–";
	}
	if (typeof cell === "string") {
		return cell.replaceAll("|", "\\|");
	}
	const { value, unit, digits = 1 } = cell;
	const show = (figure: number) => figure.toFixed(digits);
	const behind = unit === undefined ? "" : unit === "×" || unit === "%" ? unit : ` ${unit}`;
	return typeof value === "number"
		? `${show(value)}${behind}`
		: `${show(value.median)}${behind} (${show(value.min)}–${show(value.max)})`;
}

function verdictsMarkdown({ verdicts }: BenchResult): string {
	return tableMarkdown({
		title: "Targets",
		columns: ["target", "measured", "reached"],
		rows: verdicts.map(({ target, measured, reached }) => [target, measured, reached ? "yes" : "**no**"]),
	});
}
