/** One person driven by made frames at made-up times, in a dedicated worker of a real browser. */

import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { US_PER_SECOND } from "../../../media/units.ts";
import { Person, type PictureStep } from "../../../playout/person/person.ts";
import type { PersonStats, PictureState } from "../../../worker/protocol/compositor-stats.ts";
import { lumaOfMiddle } from "./decoders-in-worker.ts";

const OUTPUT_RATE = 30;
const SOUND_BLOCK = 480;
const MIX_RATE = 48_000;

export interface SentFrame {
	readonly frame: EncodedFrame;
	readonly arrivalUs: number;
}

export interface StepTaken {
	readonly dueUs: number;
	readonly step: PictureStep;
	readonly state: PictureState;
	/** Brightness and source time of the picture on show, NaN for none. */
	readonly luma: number;
	readonly ptsUs: number;
	/** Loudest sample of the sound since the step before. */
	readonly peak: number;
}

export interface PersonRun {
	readonly steps: readonly StepTaken[];
	readonly stats: PersonStats;
	readonly problems: readonly string[];
}

/** Delivers the frames at their times and steps 30 times a second until `untilUs`; decoders are given all the time they want. */
export async function runPerson(sent: readonly SentFrame[], untilUs: number): Promise<PersonRun> {
	const problems: string[] = [];
	let nowUs = 0;
	let decoded = 0;
	const person = new Person({
		id: "host",
		outputFrameRate: OUTPUT_RATE,
		soundBehindMs: 0,
		nowUs: () => nowUs,
		onProblem: (reason) => problems.push(reason),
		onDecodeMs: () => {
			decoded += 1;
		},
	});
	/** Each frame that was pushed has become a picture or was given up, and nothing more comes. */
	const settled = async (pushed: number) => {
		await soon(() => decoded + person.stats(nowUs).dropped >= pushed);
		for (let before = -1; before !== decoded; ) {
			before = decoded;
			await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
		}
	};
	const steps: StepTaken[] = [];
	const sound = new Float32Array(2 * SOUND_BLOCK);
	let next = 0;
	let pushed = 0;
	let heard = 0;
	person.setConnected(true);
	for (let index = 0; (index * US_PER_SECOND) / OUTPUT_RATE < untilUs; index += 1) {
		const dueUs = Math.round((index * US_PER_SECOND) / OUTPUT_RATE);
		const pushedBefore = pushed;
		for (let item = sent[next]; item !== undefined && item.arrivalUs <= dueUs; item = sent[next]) {
			nowUs = item.arrivalUs;
			person.push(item.frame, item.arrivalUs);
			pushed += item.frame.track === "video" && item.frame.data.byteLength > 0 ? 1 : 0;
			next += 1;
		}
		nowUs = dueUs;
		if (pushed > pushedBefore) {
			await settled(pushed);
		}
		const step = person.step(dueUs);
		let peak = 0;
		while ((heard * US_PER_SECOND) / MIX_RATE < dueUs) {
			person.audio.pull((heard * US_PER_SECOND) / MIX_RATE, SOUND_BLOCK, person.clock, sound);
			peak = sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), peak);
			heard += SOUND_BLOCK;
		}
		const frame = person.picture?.frame.clone();
		steps.push({
			dueUs,
			step,
			state: person.state(dueUs),
			luma: frame === undefined ? Number.NaN : await lumaOfMiddle(frame),
			ptsUs: person.picture?.ptsUs ?? Number.NaN,
			peak,
		});
	}
	const stats = person.stats(nowUs);
	person.close();
	person.close();
	return { steps, stats, problems };
}

/** Nothing more comes out of a decoder that gave nothing for this long. */
const QUIET_MS = 3;
/** A frame that waits in the jitter buffer does not come yet: then this is the wait for it. */
const SOON_MS = 1_000;

async function soon(isSo: () => boolean): Promise<void> {
	const deadlineMs = performance.now() + SOON_MS;
	while (!isSo() && performance.now() < deadlineMs) {
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
}
