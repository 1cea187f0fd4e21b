import type { BroadcastStats } from "../api.ts";

/** What `--json` prints, in this order and with these names. */
export interface DemoResult {
	readonly seconds: number;
	readonly program: {
		readonly width: number;
		readonly height: number;
		readonly frames: number;
		readonly heldFrames: number;
		readonly droppedFrames: number;
		readonly videoBitrateBps: number;
	};
	readonly latencyMs: { readonly inputToEncodedP50: number; readonly inputToEncodedP95: number };
	readonly avSkewMs: number;
	readonly cpu: { readonly compositorCores: number };
	readonly egress: readonly { readonly state: string; readonly bytes: number; readonly reconnects: number }[];
	readonly file: string;
}

export interface Measured {
	readonly seconds: number;
	readonly compositorCores: number;
	readonly file: string;
	/** Figures when both people came on air, and when the demo ended. */
	readonly first: BroadcastStats;
	readonly last: BroadcastStats;
	/** Bits of video a second over the whole time, from the once-a-second figures. */
	readonly videoBitrateBps: number;
}

/** Throws when no compositor ever reported: then there was no program. */
export function demoResult(measured: Measured): DemoResult {
	const first = measured.first.compositor.reported?.stats;
	const last = measured.last.compositor.reported?.stats;
	if (last === undefined || first === undefined) {
		throw new Error("demo: expected figures from the compositor, got none");
	}
	// A compositor that took over in between began to count at 0.
	const before = last.fence === first.fence ? first.program : { frames: 0, heldFrames: 0, droppedFrames: 0 };
	const since = (name: "frames" | "heldFrames" | "droppedFrames") => last.program[name] - before[name];
	return {
		seconds: round(measured.seconds, 1),
		program: {
			width: last.program.width,
			height: last.program.height,
			frames: since("frames"),
			heldFrames: since("heldFrames"),
			droppedFrames: since("droppedFrames"),
			videoBitrateBps: Math.round(measured.videoBitrateBps),
		},
		latencyMs: {
			inputToEncodedP50: round(last.latencyMs.inputToEncodedP50, 1),
			inputToEncodedP95: round(last.latencyMs.inputToEncodedP95, 1),
		},
		avSkewMs: round(last.avSkewMs, 1),
		cpu: { compositorCores: round(measured.compositorCores, 2) },
		egress: measured.last.destinations.map(({ state, egress }) => ({
			state,
			bytes: egress?.bytes ?? 0,
			reconnects: egress?.reconnects ?? 0,
		})),
		file: measured.file,
	};
}

/** Time between two figures of the same compositor, by its own clock. */
export function secondsBetween(first: BroadcastStats, last: BroadcastStats): number {
	const uptimeMs = (stats: BroadcastStats) => stats.compositor.reported?.stats.uptimeMs ?? 0;
	return (uptimeMs(last) - uptimeMs(first)) / 1_000;
}

/** One line of live figures for the terminal. */
export function liveLine(stats: BroadcastStats, secondsOnAir: number, cores: number): string {
	const reported = stats.compositor.reported?.stats;
	if (reported === undefined) {
		return `compositor: ${stats.compositor.lease}`;
	}
	const { program, latencyMs, people } = reported;
	const parts = [
		`${clock(secondsOnAir)} on air`,
		program.layout.padEnd(9),
		`${program.frames} frames, ${program.heldFrames} held, ${program.droppedFrames} dropped`,
		`${(program.videoBitrateBps / 1e6).toFixed(1)} Mb/s`,
		`latency ${latencyMs.inputToEncodedP50.toFixed(0)}/${latencyMs.inputToEncodedP95.toFixed(0)} ms`,
		`skew ${reported.avSkewMs.toFixed(0)} ms`,
		`${cores.toFixed(2)} cores`,
		people.map((person) => `${person.id} ${person.picture}`).join(", "),
		`egress ${stats.destinations.map(({ state }) => state).join(", ")}`,
	];
	return parts.join(" | ");
}

function clock(seconds: number): string {
	const whole = Math.floor(seconds);
	return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function round(value: number, digits: number): number {
	return Number(value.toFixed(digits));
}
