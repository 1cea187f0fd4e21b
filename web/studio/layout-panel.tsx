import { LAYOUT_NAMES, type LayoutName } from "../../media/layout.ts";
import type { LiveCommand } from "../../worker/protocol/live-commands.ts";

export interface LayoutPanelProps {
	readonly layout: string;
	readonly labels: boolean;
	onCommand(command: LiveCommand): void;
}

const LABELS: Readonly<Record<LayoutName, string>> = {
	solo: "Solo",
	pip: "Inset",
	landscape: "Side by side",
	vertical: "Stacked",
	grid: "Grid",
};

type Box = readonly [x: number, y: number, width: number, height: number];

/** Places in a picture of 32×18, the lower ones first. */
const PLACES: Readonly<Record<LayoutName, readonly Box[]>> = {
	solo: [[1, 1, 30, 16]],
	pip: [
		[1, 1, 30, 16],
		[20, 10, 9, 5],
	],
	landscape: [
		[1, 1, 14.5, 16],
		[16.5, 1, 14.5, 16],
	],
	vertical: [
		[1, 1, 30, 7.5],
		[1, 9.5, 30, 7.5],
	],
	grid: [
		[1, 1, 14.5, 7.5],
		[16.5, 1, 14.5, 7.5],
		[1, 9.5, 14.5, 7.5],
		[16.5, 9.5, 14.5, 7.5],
	],
};

/** How the people share the picture, and whether their names are in it. */
export function LayoutPanel({ layout, labels, onCommand }: LayoutPanelProps) {
	return (
		<section class="panel" aria-labelledby="layout-title">
			<h2 id="layout-title">Picture</h2>
			<div class="layouts" role="radiogroup" aria-label="Layout">
				{LAYOUT_NAMES.map((name) => (
					<label class="layout" key={name}>
						<input
							type="radio"
							name="layout"
							class="sr-only"
							checked={layout === name}
							onChange={() => onCommand({ type: "set-scene", layout: name })}
						/>
						<Pictogram places={PLACES[name]} />
						<span>{LABELS[name]}</span>
					</label>
				))}
			</div>
			<label class="check">
				<input
					type="checkbox"
					checked={labels}
					onChange={(event) => onCommand({ type: "set-scene", labels: event.currentTarget.checked })}
				/>
				Show names in the picture
			</label>
		</section>
	);
}

function Pictogram({ places }: { readonly places: readonly Box[] }) {
	return (
		<svg class="pictogram" viewBox="0 0 32 18" aria-hidden="true" focusable="false">
			{places.map(([x, y, width, height], index) => (
				<rect key={`${x},${y}`} class={index === 0 ? "first" : ""} x={x} y={y} width={width} height={height} rx={1} />
			))}
		</svg>
	);
}
