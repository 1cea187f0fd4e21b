import { expect } from "vitest";
import { flvmetaComplaints } from "./flvmeta.ts";
import { dtsSteps, type Packet, type ProgramPackets, readPackets } from "./packets.ts";

/** One AAC frame is 1,024 samples: 21.3 ms at 48 kHz, and FLV counts whole milliseconds. */
const AUDIO_STEPS_MS = { min: 21, max: 22 };
const KEY_FRAME_EVERY_MS = 2_000;
/** Between the last sound and the last picture of a file: what was under way when the broadcast ended. */
const MAX_TRACKS_APART_MS = 500;

export interface UnbrokenProgram extends ProgramPackets {
	readonly durationMs: number;
}

/**
 * Reads a received program and expects it to be whole: every frame at its time, key frames every 2 s exactly, sound without a gap, both tracks of one
 * length, and nothing that ffprobe or flvmeta have against the file.
 */
export async function expectUnbroken(file: string, frameRate: number): Promise<UnbrokenProgram> {
	const packets = await readPackets(file);
	expect(packets.complaints).toBe("");
	expect(await flvmetaComplaints(file)).toEqual([]);
	const { video, audio } = packets;
	expectSteps("video", video, { min: Math.floor(1_000 / frameRate), max: Math.ceil(1_000 / frameRate) });
	expectSteps("audio", audio, AUDIO_STEPS_MS);
	const keyTimes = video.filter(({ key }) => key).map(({ dtsMs }) => dtsMs);
	expect(video[0]?.key, "the first picture is a key frame").toBe(true);
	for (const [index, time] of keyTimes.slice(1).entries()) {
		const step = time - (keyTimes[index] ?? Number.NaN);
		expect(Math.abs(step - KEY_FRAME_EVERY_MS), `key frame at ${time} ms`).toBeLessThanOrEqual(1);
	}
	expect(
		video.every(({ ptsMs, dtsMs }) => ptsMs === dtsMs),
		"no picture out of order",
	).toBe(true);
	const durationMs = span(video);
	expect(video.length).toBeCloseTo((durationMs * frameRate) / 1_000 + 1, 0);
	expect(Math.abs((audio.at(-1)?.dtsMs ?? 0) - (video.at(-1)?.dtsMs ?? 0))).toBeLessThan(MAX_TRACKS_APART_MS);
	return { ...packets, durationMs };
}

function expectSteps(track: string, packets: readonly Packet[], allowed: { min: number; max: number }): void {
	const wrong = dtsSteps(packets)
		.map((step, index) => ({ afterPacket: index, atMs: packets[index]?.dtsMs, step }))
		.filter(({ step }) => !(step >= allowed.min && step <= allowed.max));
	expect(wrong, `${track} steps other than ${allowed.min} to ${allowed.max} ms`).toEqual([]);
}

function span(packets: readonly Packet[]): number {
	return (packets.at(-1)?.dtsMs ?? 0) - (packets[0]?.dtsMs ?? 0);
}
