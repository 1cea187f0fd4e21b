import type { MonitorStats } from "./api-client.ts";

const BYTES_PER_MB = 1_000_000;

function ms(value: number): string {
	return `${value.toFixed(0)} ms`;
}

/** The figures a person watching wants, as (name, value) rows. */
export function figuresOf(stats: MonitorStats, playerLatencyS: number | undefined): [name: string, value: string][] {
	const rows: [string, string][] = [];
	const compositor = stats.compositor.reported?.stats;
	if (compositor !== undefined) {
		const { program, latencyMs } = compositor;
		rows.push(
			["Program", `${program.width}×${program.height}, ${program.frameRate} fps`],
			["Bitrate", `${(program.videoBitrateBps / 1e6).toFixed(2)} Mb/s`],
			["Frames made", `${program.frames}`],
			["Held · dropped", `${program.heldFrames} · ${program.droppedFrames}`],
			["Input to encoded, p50", ms(latencyMs.inputToEncodedP50)],
			["Input to encoded, p95", ms(latencyMs.inputToEncodedP95)],
			["Sound against picture", `${compositor.avSkewMs.toFixed(1)} ms`],
		);
		for (const person of compositor.people) {
			rows.push([
				`${person.id === "host" ? "Host" : "Guest"}: picture · delay`,
				`${person.picture} · ${ms(person.delayMs)}`,
			]);
		}
	}
	stats.destinations.forEach(({ name, state, egress }, index) => {
		const sent = egress === undefined ? "" : ` · ${(egress.bytes / BYTES_PER_MB).toFixed(1)} MB`;
		const reconnects = egress === undefined || egress.reconnects === 0 ? "" : ` · ${egress.reconnects} reconnects`;
		rows.push([name ?? `Destination ${index + 1}`, state + sent + reconnects]);
	});
	if (playerLatencyS !== undefined) {
		rows.push(["Buffered here", `${playerLatencyS.toFixed(2)} s`]);
	}
	return rows;
}
