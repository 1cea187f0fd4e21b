import { availableParallelism } from "node:os";
import { mustRun } from "../../test/support/peers/run-tool.ts";

/**
 * What people's cameras might give, made by ffmpeg: a ground that stands still but for a sensor's grain, and something large that moves before it. Each
 * person's differs from the others' in colour, motion and detail.
 */
const SCENES = [
	{
		ground: "gradients=c0=0x12324f:c1=0x2f7fb8:n=2:speed=0.01:seed=7",
		mover: "mandelbrot=end_scale=0.05:maxiter=200",
		sway: "sin(t*0.9)",
	},
	{ ground: "gradients=c0=0x4a1f3d:c1=0xc2557a:n=2:speed=0.01:seed=3", mover: "testsrc2", sway: "cos(t*0.7)" },
	{ ground: "gradients=c0=0x1d3b1f:c1=0x7fb86a:n=2:speed=0.01:seed=5", mover: "testsrc2", sway: "sin(t*1.3)" },
	{
		ground: "gradients=c0=0x3d3b1f:c1=0xc2b86a:n=2:speed=0.01:seed=9",
		mover: "mandelbrot=end_scale=0.1:maxiter=200",
		sway: "cos(t*1.1)",
	},
] as const;
const GRAIN = 5;
/** As a good encoder at home sends a person: H.264 without reordering. */
const SOURCE_BITS_PER_PIXEL = 0.15;

export interface SceneShape {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly frames: number;
}

/** Films person `index` as an FLV file with H.264 and no sound. */
export async function filmScene(path: string, index: number, shape: SceneShape): Promise<void> {
	const { width, height, frameRate, frames } = shape;
	const scene = SCENES[index % SCENES.length] ?? SCENES[0];
	const mover = `${scene.mover}${scene.mover.includes("=") ? ":" : "="}s=${width / 2}x${height / 2}:r=${frameRate}`;
	const filters = [
		`[0:v]scale=${width}:${height}:flags=bilinear,format=yuv420p[ground]`,
		"[1:v]format=yuv420p[mover]",
		`[ground][mover]overlay=x='(W-w)/2*(1+0.6*${scene.sway})':y='(H-h)/2':format=yuv420,noise=alls=${GRAIN}:allf=t[out]`,
	];
	const bitrate = Math.round(width * height * frameRate * SOURCE_BITS_PER_PIXEL);
	await mustRun("ffmpeg", [
		...["-y", "-v", "error", "-nostdin", "-f", "lavfi", "-i", `${scene.ground}:s=320x180:r=${frameRate}`],
		...["-f", "lavfi", "-i", mover, "-filter_complex", filters.join(";"), "-map", "[out]", "-frames:v", String(frames)],
		...["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", String(2 * frameRate), "-sc_threshold", "0"],
		...["-b:v", String(bitrate), "-maxrate", String(bitrate), "-bufsize", String(bitrate), "-r", String(frameRate)],
		...["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"],
		...["-threads", String(availableParallelism()), "-f", "flv", path],
	]);
}
