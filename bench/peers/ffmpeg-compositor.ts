import { cropToFill } from "../../compositor-page/layouts/crop-to-fill.ts";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { runTool } from "../../test/support/peers/run-tool.ts";
import type { ProgramShape } from "../throughput/program-shape.ts";

/** How ffmpeg scales: fast as one would choose for live, or slow for what others are compared with. */
export type ScaleFlags = "bilinear" | "lanczos+accurate_rnd+full_chroma_int";

/** The filter graph that makes the very picture that Tandem's layout gives, out of inputs 0 … n-1, as `[out]`: hstack or vstack where it can be, else overlay. */
export function compositeGraph(shape: ProgramShape, flags: ScaleFlags): string {
	const { layout, people, source, output } = shape;
	const ids = Array.from({ length: people }, (_, index) => String(index));
	const { places } = layOut(layout, output, ids);
	const parts = places.map(({ id, rect, border }) => {
		const crop = cropToFill(source.width, source.height, rect);
		const steps = [`crop=${crop.width}:${crop.height}:${crop.x}:${crop.y}`];
		if (crop.width !== rect.width || crop.height !== rect.height) {
			steps.push(`scale=${rect.width}:${rect.height}:flags=${flags}`);
		}
		if (border !== undefined) {
			steps.push(`drawbox=t=${border.widthPx}:color=white`);
		}
		return `[${id}:v]${steps.join(",")}[p${id}]`;
	});
	const [first, ...others] = places;
	if (layout === "landscape" || layout === "vertical") {
		const stack = layout === "landscape" ? "hstack" : "vstack";
		return [...parts, `${places.map(({ id }) => `[p${id}]`).join("")}${stack}=inputs=${people}[out]`].join(";");
	}
	if (first === undefined) {
		throw new RangeError("composite: expected at least one person, got none");
	}
	const isCovering = first.rect.width === output.width && first.rect.height === output.height;
	const ground = isCovering
		? []
		: [`[p${first.id}]pad=${output.width}:${output.height}:${first.rect.x}:${first.rect.y}[g0]`];
	const overlays = others.map(({ id, rect }, index) => {
		const under = index === 0 ? (isCovering ? `[p${first.id}]` : "[g0]") : `[o${index}]`;
		const into = index === others.length - 1 ? "[out]" : `[o${index + 1}]`;
		return `${under}[p${id}]overlay=${rect.x}:${rect.y}:format=yuv420${into}`;
	});
	return [...parts, ...ground, ...overlays].join(";");
}

export interface FfmpegRun {
	readonly seconds: number;
	readonly cpuSeconds: number;
}

/** Runs ffmpeg over the clips' frames as fast as it goes; `output` are its last arguments. Time is what it says itself, without its start. */
export async function compositeByFfmpeg(
	clips: readonly string[],
	graph: string,
	output: readonly string[],
): Promise<FfmpegRun> {
	const { code, stderr } = await runTool("ffmpeg", [
		...["-y", "-hide_banner", "-loglevel", "info", "-nostdin", "-benchmark"],
		...clips.flatMap((clip) => ["-i", clip]),
		...["-filter_complex", graph, "-map", "[out]", "-an", ...output],
	]);
	const times = /bench: utime=([\d.]+)s stime=([\d.]+)s rtime=([\d.]+)s/.exec(stderr);
	if (code !== 0 || times === null) {
		throw new Error(`ffmpeg: expected success and its times, got exit code ${code}: ${stderr.slice(-1_000)}`);
	}
	return { seconds: Number(times[3]), cpuSeconds: Number(times[1]) + Number(times[2]) };
}

/** libx264 as for a live program: constant bitrate, no reordering, a key frame every two seconds. */
export function x264(preset: string, bitrateBps: number, keyFrameEvery: number): string[] {
	const rate = String(bitrateBps);
	return [
		...["-c:v", "libx264", "-preset", preset, "-tune", "zerolatency", "-b:v", rate, "-maxrate", rate, "-bufsize", rate],
		...["-g", String(keyFrameEvery), "-keyint_min", String(keyFrameEvery), "-sc_threshold", "0"],
	];
}
