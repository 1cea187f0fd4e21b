import { expect } from "vitest";
import { flvmetaComplaints } from "./flvmeta.ts";
import { missingFrames } from "./frame-steps.ts";
import { dtsSteps, type Packet, type ProgramPackets, readPackets } from "./packets.ts";

/** One AAC frame is 1,024 samples: 21.3 ms at 48 kHz, and FLV counts whole milliseconds. */
const AUDIO_STEPS_MS = { min: 21, max: 22 };
const KEY_FRAME_EVERY_MS = 2_000;
/** Between the last sound and the last picture of a file: what was under way when the broadcast ended. */
const MAX_TRACKS_APART_MS = 500;

export interface UnbrokenProgram extends ProgramPackets {
	readonly durationMs: number;
}

export interface UnbrokenOptions {
	readonly frameRate: number;
	/** Cuts in the picture, at each of which the encoder may add a key frame to the regular ones. */
	readonly cuts: number;
	/** Frames that the compositor says it had no time for. Default 0. */
	readonly leftOut?: number;
	/** Warnings of flvmeta that are the recorder's doing. */
	readonly knownWarnings?: readonly string[];
}

/**
 * Reads a received program and expects it to be whole: every frame at its time, a key frame every 2 s exactly, sound without a gap, both tracks of one
 * length, and nothing that ffprobe or flvmeta have against the file.
 */
export async function expectUnbroken(file: string, options: UnbrokenOptions): Promise<UnbrokenProgram> {
	const { frameRate, leftOut = 0 } = options;
	const packets = await readPackets(file);
	const { video, audio } = packets;
	const missing = missingFrames(
		video.map(({ dtsMs }) => dtsMs),
		frameRate,
	);
	expect(missing, "missing frames").toBeLessThanOrEqual(leftOut);
	expectSoundSteps(audio);
	expectKeyFrames(video, options, missing);
	expect(
		video.every(({ ptsMs, dtsMs }) => ptsMs === dtsMs),
		"no picture out of order",
	).toBe(true);
	expect(packets.complaints).toBe("");
	expect(await flvmetaComplaints(file, options.knownWarnings)).toEqual([]);
	const durationMs = span(video);
	expect(Math.abs((audio.at(-1)?.dtsMs ?? 0) - (video.at(-1)?.dtsMs ?? 0))).toBeLessThan(MAX_TRACKS_APART_MS);
	return { ...packets, durationMs };
}

function expectSoundSteps(packets: readonly Packet[]): void {
	const wrong = dtsSteps(packets)
		.map((step, index) => ({ atMs: packets[index]?.dtsMs, step }))
		.filter(({ step }) => !(step >= AUDIO_STEPS_MS.min && step <= AUDIO_STEPS_MS.max));
	expect(wrong, `sound steps other than ${AUDIO_STEPS_MS.min} to ${AUDIO_STEPS_MS.max} ms`).toEqual([]);
}

function span(packets: readonly Packet[]): number {
	return (packets.at(-1)?.dtsMs ?? 0) - (packets[0]?.dtsMs ?? 0);
}

/** At every 2 s of the program's own time, whatever else there is. The file may begin between two of them. */
function expectKeyFrames(video: readonly Packet[], { cuts, frameRate }: UnbrokenOptions, missing: number): void {
	expect(video[0]?.key, "the first picture is a key frame").toBe(true);
	const keyTimes = video.filter(({ key }) => key).map(({ dtsMs }) => dtsMs);
	const endMs = video.at(-1)?.dtsMs ?? 0;
	if (missing > 0) {
		// A key frame for which there was no time comes with the next frame that is made.
		const longestMs = KEY_FRAME_EVERY_MS + ((missing + 1) * 1_000) / frameRate;
		keyTimes.forEach((time, index) => {
			expect((keyTimes[index + 1] ?? endMs) - time, `key frames at ${keyTimes.join(" ")}`).toBeLessThanOrEqual(
				longestMs,
			);
		});
		return;
	}
	const onGrid = (startMs: number) => {
		const due = Array.from(
			{ length: Math.floor((endMs - startMs) / KEY_FRAME_EVERY_MS) + 1 },
			(_, index) => startMs + index * KEY_FRAME_EVERY_MS,
		);
		return due.every((time) => keyTimes.some((keyTime) => Math.abs(keyTime - time) <= 1)) ? due.length : undefined;
	};
	// The regular ones are those from which every 2 s another follows; before the first there may be one that a new subscriber got.
	const starts = keyTimes.filter((time) => time < (keyTimes[0] ?? 0) + KEY_FRAME_EVERY_MS);
	const regular = starts.map(onGrid).find((count) => count !== undefined);
	expect(regular, `a key frame every 2 s among ${keyTimes.join(" ")} ms`).toBeDefined();
	expect(keyTimes.length - (regular ?? 0), `key frames beside the regular: ${keyTimes.join(" ")}`).toBeLessThanOrEqual(
		cuts + 1,
	);
}
