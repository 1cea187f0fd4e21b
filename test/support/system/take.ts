import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";
import { dtsSteps, readPackets } from "../program/packets.ts";
import { OthersProcessorTime } from "./processor-time.ts";

/** A broadcast from its start to its end, received. */
export interface Take {
	/** What the destination got. */
	readonly file: string;
	/** Figures when everybody was on air, and before the end. */
	readonly first: CompositorStats;
	readonly last: CompositorStats;
}

const MAX_TAKES = 4;
/** Of the processor time that others take. Two people's program needs most of one core of two, and at moments all of both. */
const MAX_OTHERS_CORES = 0.25;
/** A live program must leave out and hold frames when the machine has no time for them; how many it may hold is the figure. */
const MAX_HELD_SHARE = 0.01;
/**
 * Records a take. One in which frames are missing or held, or that is not good, counts only where the machine was the test's own: when others took its time meanwhile the
 * take says nothing, and another is made. The last one counts in any case.
 */
export async function takeUndisturbed<T extends Take>(
	record: (take: number) => Promise<T>,
	isGood: (take: T) => boolean = () => true,
): Promise<T> {
	for (let number = 1; ; number++) {
		const others = new OthersProcessorTime();
		const take = await record(number);
		const othersCores = others.stop();
		if (number === MAX_TAKES || othersCores <= MAX_OTHERS_CORES || (isGood(take) && (await keptUp(take)))) {
			return take;
		}
		console.info(`take ${number} says nothing: others took ${othersCores.toFixed(2)} cores meanwhile`);
	}
}

/** Share of frames between the figures in which nobody had a new picture although one was due. */
export function heldShare({ first, last }: Take): number {
	return (last.program.heldFrames - first.program.heldFrames) / (last.program.frames - first.program.frames);
}

async function keptUp(take: Take): Promise<boolean> {
	const { video } = await readPackets(take.file);
	const longestStepMs = 2 * (1_000 / take.last.program.frameRate) - 2;
	return dtsSteps(video).every((step) => step < longestStepMs) && heldShare(take) <= MAX_HELD_SHARE;
}
