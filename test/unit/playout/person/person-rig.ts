import { OutputClock } from "../../../../compositor-page/program/output-clock.ts";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { Person, type PictureStep } from "../../../../playout/person/person.ts";
import { type FakeCodecs, levelAt, ptsOfLevel } from "./fake-codecs.ts";

const OUTPUT_RATE = 30;
export const OUTPUT_INTERVAL_US = 1e6 / OUTPUT_RATE;
const MIX_FRAMES = 960;
const MIX_US = (MIX_FRAMES / 48_000) * 1e6;
/** The loop of the pipeline looks this often. */
const LOOK_US = 1_000;

export interface SentFrame {
	readonly frame: EncodedFrame;
	/** When it was filmed or spoken. */
	readonly capturedUs: number;
	readonly arrivalUs: number;
}

/** One output step as a viewer had it. */
export interface Moment {
	readonly dueUs: number;
	readonly step: PictureStep;
	readonly delayMs: number;
	/** Of the picture on show. */
	readonly shownUs: number | undefined;
	/** From filming to showing, and from speaking to hearing; `undefined` without a picture, or with silence. */
	readonly pictureLagMs: number | undefined;
	readonly soundLagMs: number | undefined;
	readonly queueMs: number;
	readonly bufferedMs: number;
}

export interface Stop {
	readonly fromUs: number;
	readonly toUs: number;
}

/** A source of 30 pictures (a key frame every two seconds) and 50 blocks of sound a second, from local time 0 on. */
export function feed(
	seconds: number,
	timeUs: (capturedUs: number) => number,
	arrivalUs: (capturedUs: number, track: "audio" | "video") => number | undefined,
): SentFrame[] {
	const sent: SentFrame[] = [];
	for (const track of ["video", "audio"] as const) {
		const intervalUs = track === "video" ? 1e6 / 30 : 20_000;
		let lastUs = 0;
		for (let index = 0; index * intervalUs < seconds * 1e6; index += 1) {
			const capturedUs = index * intervalUs;
			const arrival = arrivalUs(capturedUs, track);
			if (arrival === undefined) {
				continue;
			}
			lastUs = Math.max(lastUs, arrival);
			const ptsUs = Math.round(timeUs(capturedUs) / 1_000) * 1_000; // FLV counts milliseconds
			const common = { ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) };
			const frame: EncodedFrame =
				track === "video"
					? { ...common, track, codec: "vp8", keyFrame: index % 60 === 0 }
					: { ...common, track, codec: "opus", keyFrame: true };
			sent.push({ frame, capturedUs, arrivalUs: lastUs });
		}
	}
	return sent.sort((a, b) => a.arrivalUs - b.arrivalUs);
}

/** Plays a feed as the pipeline does, in made-up time; while it is `stopped` nothing of ours runs. */
export function play(
	codecs: FakeCodecs,
	sent: readonly SentFrame[],
	seconds: number,
	stopped?: Stop,
	/** Takes the frames instead of the person, and hands them on. */
	through?: (person: Person) => { push(sent: SentFrame, nowUs: number): void; tick(nowUs: number): void },
): { moments: Moment[]; person: Person } {
	let nowUs = 0;
	const soundBehindUs = OUTPUT_INTERVAL_US;
	const person = new Person({
		id: "host",
		outputFrameRate: OUTPUT_RATE,
		soundBehindMs: soundBehindUs / 1_000,
		nowUs: () => nowUs,
		onProblem: (reason) => {
			throw new Error(reason);
		},
		onDecodeMs: () => undefined,
	});
	const between = through?.(person);
	const clock = new OutputClock({ frameRate: OUTPUT_RATE, startUs: 0 });
	const out = new Float32Array(2 * MIX_FRAMES);
	const capturedUs = new Map<number, number>();
	const moments: Moment[] = [];
	let [next, mixed] = [0, 0];
	let heard: { atUs: number; level: number } | undefined;
	for (; nowUs < seconds * 1e6; nowUs += LOOK_US) {
		if (stopped !== undefined && nowUs >= stopped.fromUs && nowUs < stopped.toUs) {
			continue;
		}
		for (let each = sent[next]; each !== undefined && each.arrivalUs <= nowUs; each = sent[next]) {
			next += 1;
			capturedUs.set(each.frame.ptsUs, each.capturedUs);
			if (between === undefined) {
				person.push(each.frame, nowUs);
			} else {
				between.push(each, nowUs);
			}
			codecs.deliver();
		}
		const tick = clock.take(nowUs);
		if (tick === undefined) {
			continue;
		}
		between?.tick(nowUs);
		const step = person.step(tick.dueUs);
		codecs.deliver();
		for (; (mixed + 1) * MIX_US <= tick.dueUs - soundBehindUs; mixed += 1) {
			person.audio.pull(mixed * MIX_US, MIX_FRAMES, person.clock, out);
			const [first = 0, last = 0] = [out[0], out[2 * MIX_FRAMES - 2]];
			// What fades tells no time: whole sound rises by 20 ms, a little more while it is compressed.
			const isWhole = last >= 0.1 && last > first && last - first < 3 * (levelAt(MIX_US) - levelAt(0));
			heard = isWhole ? { atUs: (mixed + 1) * MIX_US, level: last } : undefined;
		}
		const shown = person.picture?.ptsUs;
		const pictureUs = shown === undefined ? undefined : capturedUs.get(shown);
		const spokenUs = heard === undefined ? undefined : spoken(ptsOfLevel(heard.level), capturedUs);
		moments.push({
			dueUs: tick.dueUs,
			step,
			delayMs: person.clock.figures.delayMs,
			shownUs: shown,
			pictureLagMs: pictureUs === undefined ? undefined : (tick.dueUs - pictureUs) / 1_000,
			soundLagMs: spokenUs === undefined || heard === undefined ? undefined : (heard.atUs - spokenUs) / 1_000,
			queueMs: person.stats(tick.dueUs).queueMs,
			bufferedMs: person.audio.figures.bufferedMs,
		});
	}
	person.close();
	return { moments, person };
}

/** When the sound of a source time was spoken, by the nearest block before it. */
function spoken(ptsUs: number, capturedUs: ReadonlyMap<number, number>): number | undefined {
	for (let backUs = 0; backUs <= 40_000; backUs += 1_000) {
		const blockUs = Math.floor(ptsUs / 1_000) * 1_000 - backUs;
		const found = capturedUs.get(blockUs);
		if (found !== undefined) {
			return found + ptsUs - blockUs;
		}
	}
	return undefined;
}
