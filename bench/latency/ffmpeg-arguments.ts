/** What ffmpeg is told, with everything that its manual offers for low delay. */

/**
 * Looks for streams until it knows both, and no longer; nginx-rtmp sends pictures from the next key frame on, and sound before that. Without
 * `nobuffer`, which throws the key frames away that it looked at: the start takes 2 s longer for each input, and no picture comes sooner later on.
 */
const LIVE_INPUT = ["-flags", "low_delay", "-fpsprobesize", "0", "-rtmp_live", "live"];
const LIVE_OUTPUT = ["-flush_packets", "1", "-f", "flv", "-tcp_nodelay", "1"];
const QUIETLY = ["-v", "error", "-nostdin"];

/** Sends on what comes, as it is. */
export function relayArguments(from: string, to: string): string[] {
	return [...QUIETLY, ...LIVE_INPUT, "-i", from, "-c", "copy", ...LIVE_OUTPUT, to];
}

export interface FfmpegCompositor {
	/** Pictures of the program's size and rate, with times that begin together. */
	readonly inputs: readonly [string, string];
	readonly to: string;
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
}

/**
 * Two inputs side by side, each cropped to its half, and their sounds mixed; H.264 and AAC as destinations want them. Inputs keep the publishers' times:
 * counted from when each was opened, one after the other, they would leave one person seconds behind.
 */
export function compositorArguments({ inputs, to, width, height, frameRate }: FfmpegCompositor): string[] {
	const half = `crop=${width / 2}:${height}`;
	const filters = [
		`[0:v]${half}[left]`,
		`[1:v]${half}[right]`,
		"[left][right]hstack=inputs=2[video]",
		// Sound that begins later than the other's is silence until then; the mixer itself looks at no times.
		"[0:a]aresample=async=1:first_pts=0[one]",
		"[1:a]aresample=async=1:first_pts=0[other]",
		"[one][other]amix=inputs=2[audio]",
	];
	return [
		...[...QUIETLY, "-copyts"],
		...inputs.flatMap((input) => [...LIVE_INPUT, "-i", input]),
		...["-filter_complex", filters.join(";"), "-map", "[video]", "-map", "[audio]", "-fps_mode", "vfr"],
		...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-bf", "0"],
		...["-b:v", "3M", "-maxrate", "3M", "-bufsize", "3M", "-g", String(frameRate * 2), "-sc_threshold", "0"],
		...["-c:a", "aac", "-b:a", "128k", "-ar", "48000"],
		...LIVE_OUTPUT,
		to,
	];
}
