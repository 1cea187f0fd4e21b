import { mustRun } from "../peers/run-tool.ts";
import { readPackets } from "./packets.ts";

export const SOUND_RATE = 48_000;

/** Decoded sound, mixed to one channel. */
export interface Sound {
	/** Presentation time of the first sample. */
	readonly startMs: number;
	readonly samples: Float32Array;
}

/** The sound of a file at 48 kHz, as ffmpeg decodes it: packet by packet, nothing filled in or left out. */
export async function decodeSound(file: string): Promise<Sound> {
	const [packets, bytes] = await Promise.all([
		readPackets(file),
		mustRun("ffmpeg", [
			...["-v", "error", "-nostdin", "-i", file, "-map", "0:a:0", "-ac", "1", "-ar", String(SOUND_RATE)],
			...["-f", "f32le", "-"],
		]),
	]);
	const samples = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
	return { startMs: packets.audio[0]?.ptsMs ?? 0, samples };
}

/** The samples from one presentation time to another. */
export function soundBetween(sound: Sound, fromMs: number, toMs: number): Float32Array {
	const index = (ms: number) => Math.max(0, Math.round(((ms - sound.startMs) * SOUND_RATE) / 1_000));
	return sound.samples.subarray(index(fromMs), index(toMs));
}
