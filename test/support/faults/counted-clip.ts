import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Plane } from "../program/picture.ts";
import { drawFrameCode } from "./frame-code.ts";

export interface CountedClip {
	/** 1 to 255: whose picture it is, and which of their clips. */
	readonly id: number;
	/** Multiples of 64 and 36. */
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	/** At most 65,536 frames. */
	readonly seconds: number;
	/** The tone of even seconds, and of odd ones. Whole numbers, so that the sound has no click in between. */
	readonly tonesHz: readonly [number, number];
}

/** Pictures are drawn small and made large by repeating samples: blocks stay whole, and little goes through the pipe. */
const SMALL = { width: 64, height: 36 };
const KEY_FRAME_EVERY_S = 2;
/** A ground that moves, so that no two pictures look alike to an encoder. */
const GROUND = { luma: 60, span: 48 };

/**
 * Films a clip whose pictures are numbered from 0 ({@link drawFrameCode}) and whose sound never pauses and changes its tone with every full second.
 * H.264 without pictures out of order, AAC 48 kHz stereo, FLV.
 */
export async function makeCountedClip(path: string, clip: CountedClip): Promise<void> {
	const { width, height, frameRate, seconds, tonesHz } = clip;
	const [even, odd] = tonesHz;
	const child = spawn(
		"ffmpeg",
		[
			...["-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", `${SMALL.width}x${SMALL.height}`],
			...["-r", String(frameRate), "-i", "-"],
			...[
				"-f",
				"lavfi",
				"-i",
				`aevalsrc='0.25*sin(2*PI*t*if(mod(floor(t),2),${odd},${even}))|0.25*sin(2*PI*t*if(mod(floor(t),2),${odd},${even}))':s=48000`,
			],
			// Samples are in video range already.
			...["-vf", `scale=${width}:${height}:flags=neighbor:in_range=tv:out_range=tv,format=yuv420p`],
			...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "main", "-bf", "0"],
			...["-b:v", "1M", "-maxrate", "1M", "-bufsize", "1M", "-color_range", "tv"],
			...["-g", String(frameRate * KEY_FRAME_EVERY_S), "-sc_threshold", "0"],
			...["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-t", String(seconds), "-f", "flv", path],
		],
		{ stdio: ["pipe", "ignore", "pipe"] },
	);
	let said = "";
	child.stderr.on("data", (data: Buffer) => {
		said += data.toString();
	});
	const ended = once(child, "close");
	// A pipe that breaks is told by the exit code.
	child.stdin.on("error", () => {});
	for (let number = 0; number < seconds * frameRate && child.exitCode === null; number++) {
		if (!child.stdin.write(drawPicture(clip.id, number))) {
			await Promise.race([once(child.stdin, "drain"), ended]);
		}
	}
	child.stdin.end();
	const [code] = await ended;
	if (code !== 0) {
		throw new Error(`ffmpeg: expected to make ${path}, got exit code ${code}: ${said.slice(-2_000)}`);
	}
}

function drawPicture(id: number, number: number): Uint8Array {
	const plane: Plane = { ...SMALL, samples: new Uint8Array(SMALL.width * SMALL.height) };
	for (let y = 0; y < SMALL.height; y++) {
		for (let x = 0; x < SMALL.width; x++) {
			plane.samples[y * SMALL.width + x] = GROUND.luma + ((x + y + number) % GROUND.span);
		}
	}
	drawFrameCode(plane, { id, number });
	return plane.samples;
}
