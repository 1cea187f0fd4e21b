import type { AacKind } from "../../encoders/aac/program-audio-encoder.ts";
import { US_PER_SECOND } from "../../media/units.ts";
import { PercentileWindow } from "../../playout/percentile-window.ts";
import type { Person } from "../../playout/person/person.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import type { CompositorKind } from "../compositor/compositor.ts";
import type { Program } from "../program/program.ts";
import type { ProgramPublisher } from "../program/program-publisher.ts";

/** About ten seconds of two people at 30 fps. */
const DECODE_WINDOW = 600;
const BITS_PER_BYTE = 8;

export interface StatsInput {
	readonly fence: number;
	readonly uptimeMs: number;
	readonly compositor: CompositorKind;
	readonly audioEncoder: AacKind;
	readonly program: Program;
	readonly publisher: ProgramPublisher;
	readonly people: readonly Person[];
	readonly nowUs: number;
}

/** Puts every stage's figures into one message; call about once a second, for rates are measured between calls. */
export class StatsReporter {
	readonly decodeMs = new PercentileWindow(DECODE_WINDOW);
	#lastReport: { readonly atUs: number; readonly videoBytes: number } | undefined;

	report(input: StatsInput): CompositorStats {
		const { program, publisher, nowUs } = input;
		const { scene, counters, video } = program;
		const people = input.people.map((person) => person.stats(nowUs));
		const heard = people.filter((person) => person.picture === "live");
		return {
			fence: input.fence,
			uptimeMs: input.uptimeMs,
			compositor: input.compositor,
			audioEncoder: input.audioEncoder,
			program: {
				width: scene.width,
				height: scene.height,
				frameRate: scene.frameRate,
				layout: scene.layout,
				frames: counters.frames,
				heldFrames: counters.heldFrames,
				droppedFrames: counters.skippedFrames + video.figures.droppedFrames + publisher.framesDropped,
				keyFrames: counters.keyFrames,
				videoBitrateBps: this.#videoBitrateBps(publisher.videoBytesSent, nowUs),
				targetBitrateBps: Math.round(video.figures.targetBitrateBps),
				audioFrames: counters.audioFrames,
				encodeQueue: video.figures.queueSize,
				socketQueueBytes: publisher.queueBytes,
			},
			latencyMs: program.latency.quantilesMs(),
			avSkewMs: largest(heard.map((person) => person.avSkewMs)),
			stagesMs: {
				decode: quantiles(this.decodeMs),
				composite: quantiles(program.compositeMs),
				encode: quantiles(program.encodeMs),
				mix: quantiles(program.mixMs),
			},
			people,
			ready: program.readiness.open,
			waitingFor: [...program.readiness.waitingFor],
		};
	}

	#videoBitrateBps(videoBytes: number, nowUs: number): number {
		const last = this.#lastReport;
		this.#lastReport = { atUs: nowUs, videoBytes };
		if (last === undefined || nowUs <= last.atUs) {
			return 0;
		}
		return Math.round(((videoBytes - last.videoBytes) * BITS_PER_BYTE * US_PER_SECOND) / (nowUs - last.atUs));
	}
}

function quantiles(window: PercentileWindow): { p50: number; p95: number } {
	const [p50 = 0, p95 = 0] = window.quantiles(0.5, 0.95);
	return { p50, p95 };
}

/** The value farthest from zero, with its sign. */
function largest(values: readonly number[]): number {
	return values.reduce((worst, value) => (Math.abs(value) > Math.abs(worst) ? value : worst), 0);
}
