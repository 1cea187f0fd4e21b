import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mustRun } from "./run-tool.ts";

/** Made media for publishers. Encoded once to a file, then published as it is: on a small machine the encoder would be the bottleneck. */

export interface ClipShape {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly seconds: number;
	/** Pictures the encoder may put out of order. Default 0. */
	readonly bFrames?: number;
	/** Default 48 kHz stereo. */
	readonly sound?: { readonly sampleRate: number; readonly channels: number } | "none";
	/** Default true. */
	readonly picture?: boolean;
}

/** Seconds between key frames of made clips: what services ask of encoders. */
const KEY_FRAME_EVERY_S = 2;
const FLASH_S = 0.2;
/** Dark and bright in video range: 16 + 219 · share. */
const FLASH_GROUND = "0x202830";

/** A still picture with a steady tone. */
export async function makeStillClip(
	path: string,
	picturePath: string,
	toneHz: number,
	shape: ClipShape,
): Promise<void> {
	const picture = ["-loop", "1", "-framerate", String(shape.frameRate), "-i", picturePath];
	await makeClip(path, picture, `sine=frequency=${toneHz}:sample_rate=48000,volume=6dB`, shape);
}

/** Something that moves everywhere, and a steady tone. */
export async function makeMovingClip(path: string, toneHz: number, shape: ClipShape): Promise<void> {
	const { width, height, frameRate } = shape;
	const picture = ["-f", "lavfi", "-i", `testsrc2=s=${width}x${height}:r=${frameRate},scroll=horizontal=0.02`];
	await makeClip(path, picture, `sine=frequency=${toneHz}:sample_rate=48000,volume=6dB`, shape);
}

/**
 * Once a second the whole picture flashes white and a beep sounds, both `phaseS` after the full second. Give a phase that falls on a frame.
 */
export async function makeFlashClip(path: string, toneHz: number, phaseS: number, shape: ClipShape): Promise<void> {
	const { width, height, frameRate } = shape;
	// Half a sample of slack, so that rounding never puts the flash on the frame before or after.
	const on = (slackS: number) => `lt(mod(t-${phaseS}+10+${slackS},1),${FLASH_S})`;
	const ground = `color=c=${FLASH_GROUND}:s=${width}x${height}:r=${frameRate}`;
	const flash = `drawbox=t=fill:color=white:enable='${on(0.001)}'`;
	const picture = ["-f", "lavfi", "-i", `${ground},${flash}`];
	await makeClip(path, picture, `aevalsrc='0.5*sin(2*PI*${toneHz}*t)*${on(0)}':s=48000`, shape);
}

async function makeClip(path: string, picture: readonly string[], sound: string, shape: ClipShape): Promise<void> {
	const { width, height, frameRate, bFrames = 0 } = shape;
	const track = shape.sound ?? { sampleRate: 48_000, channels: 2 };
	const video = [
		...["-vf", `scale=${width}:${height},format=yuv420p`, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"],
		...["-bf", String(bFrames), "-g", String(frameRate * KEY_FRAME_EVERY_S), "-sc_threshold", "0"],
		...["-r", String(frameRate)],
	];
	const hasPicture = shape.picture ?? true;
	await mustRun("ffmpeg", [
		...["-y", "-v", "error", "-nostdin"],
		...(hasPicture ? picture : []),
		...(track === "none" ? [] : ["-f", "lavfi", "-i", sound]),
		...(hasPicture ? video : []),
		...(track === "none"
			? []
			: ["-c:a", "aac", "-b:a", "128k", "-ar", String(track.sampleRate), "-ac", String(track.channels)]),
		...["-t", String(shape.seconds), "-f", "flv", path],
	]);
}

/** Footage of a camera, where this checkout has it beside it; else `undefined`. */
export function realFootage(): string | undefined {
	const path = fileURLToPath(new URL("../../../../shared/media/bbb.flv", import.meta.url));
	return existsSync(path) ? path : undefined;
}
