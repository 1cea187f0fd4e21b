import { runTool } from "../../test/support/peers/run-tool.ts";

/** How near one picture is to another, over all frames and planes. */
export interface Similarity {
	/** Structural similarity: 1 is the same. */
	readonly ssim: number;
	/** Peak signal-to-noise ratio in dB; endless where it is the same. */
	readonly psnrDb: number;
}

/** Compares a program's frames with those of `graph` (output `[out]`) over the clips, frame by frame in order, whatever their times say. */
export async function similarity(
	program: string,
	clips: readonly string[],
	graph: string,
	frameRate: number,
): Promise<Similarity> {
	const inOrder = `settb=AVTB,setpts=N/${frameRate}/TB`;
	const filters = [
		graph,
		`[out]${inOrder},split[ref1][ref2]`,
		`[${clips.length}:v]${inOrder},split[own1][own2]`,
		"[own1][ref1]ssim[s]",
		"[own2][ref2]psnr[p]",
	];
	const { code, stderr } = await runTool("ffmpeg", [
		...["-hide_banner", "-nostdin", "-loglevel", "info", ...clips.flatMap((clip) => ["-i", clip]), "-i", program],
		...["-filter_complex", filters.join(";"), "-map", "[s]", "-f", "null", "-", "-map", "[p]", "-f", "null", "-"],
	]);
	if (code !== 0) {
		throw new Error(`ffmpeg: expected to compare ${program}, got exit code ${code}: ${stderr.slice(-1_000)}`);
	}
	return readSimilarity(stderr);
}

/** What ffmpeg's filters `ssim` and `psnr` say at their end. Throws where they said nothing. */
export function readSimilarity(said: string): Similarity {
	const ssim = /SSIM .*All:([\d.]+)/.exec(said)?.[1];
	const psnr = /PSNR .*average:([\d.]+|inf)/.exec(said)?.[1];
	if (ssim === undefined || psnr === undefined) {
		throw new Error(`ffmpeg: expected SSIM and PSNR, got: ${said.slice(-500)}`);
	}
	return { ssim: Number(ssim), psnrDb: psnr === "inf" ? Number.POSITIVE_INFINITY : Number(psnr) };
}
