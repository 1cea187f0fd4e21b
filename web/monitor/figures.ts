import { MS_PER_SECOND } from "../../media/units.ts";
import type { MonitorStats } from "./monitor-api.ts";

const BYTES_PER_MB = 1_000_000;

/** A compositor reports each second: figures older than this are of one that has gone. */
const STALE_AFTER_MS = 5_000;

/** What of a broadcast's figures is shown. */
export interface ShownStats {
	readonly program?: Pick<NonNullable<MonitorStats["program"]>, "source" | "sinceMs"> | undefined;
	readonly compositor: Pick<MonitorStats["compositor"], "reported">;
	readonly destinations: readonly {
		readonly name?: string | undefined;
		readonly state: string;
		readonly egress?: { readonly bytes: number; readonly reconnects: number } | undefined;
	}[];
}

const ON_AIR: Readonly<Record<NonNullable<MonitorStats["program"]>["source"], string>> = {
	none: "nothing yet",
	host: "host, passed through",
	composite: "composed",
	hold: "last picture, held",
};

function ms(value: number): string {
	return `${value.toFixed(0)} ms`;
}

function duration(forMs: number): string {
	const seconds = Math.floor(forMs / MS_PER_SECOND);
	return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The figures a person watching wants, as (name, value) rows. */
export function figuresOf(stats: ShownStats, playerLatencyS: number | undefined): [name: string, value: string][] {
	const rows: [string, string][] = [];
	if (stats.program !== undefined) {
		const { source, sinceMs } = stats.program;
		rows.push(["On air", source === "none" ? ON_AIR.none : `${ON_AIR[source]} · ${duration(sinceMs)}`]);
	}
	const { reported } = stats.compositor;
	const compositor = reported !== undefined && reported.ageMs <= STALE_AFTER_MS ? reported.stats : undefined;
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
