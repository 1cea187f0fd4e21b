import type { MonitorStats } from "./api-client.ts";

const BYTES_PER_MB = 1_000_000;

function ms(value: number): string {
	return `${value.toFixed(0)} ms`;
}

/** The figures a person watching wants, as (name, value) rows. */
export function figuresOf(stats: MonitorStats, playerLatencyS: number | undefined): [name: string, value: string][] {
	const rows: [string, string][] = [];
	const compositor = stats.compositor;
	if (compositor) {
		const { program, latencyMs } = compositor;
		rows.push(
			["Program", `${program.width}×${program.height} at ${program.frameRate} fps`],
			["Bitrate", `${(program.videoBitrateBps / 1e6).toFixed(2)} Mb/s`],
			["Frames made", `${program.frames}`],
			["Held · dropped", `${program.heldFrames} · ${program.droppedFrames}`],
			["Input to encoded, p50", ms(latencyMs.inputToEncodedP50)],
			["Input to encoded, p95", ms(latencyMs.inputToEncodedP95)],
			["Sound against picture", `${compositor.avSkewMs.toFixed(1)} ms`],
		);
		for (const person of compositor.people) {
			rows.push([`${person.id}: picture · buffer`, `${person.picture} · ${ms(person.delayMs)}`]);
		}
	}
	stats.destinations.forEach((destination, index) => {
		rows.push([
			`Destination ${index + 1}`,
			`${destination.state} · ${(destination.bytes / BYTES_PER_MB).toFixed(1)} MB · ${destination.reconnects} reconnects`,
		]);
	});
	if (playerLatencyS !== undefined) {
		rows.push(["Buffered here", `${playerLatencyS.toFixed(2)} s`]);
	}
	return rows;
}
