import { PeerProgram } from "./peer-program.ts";

/** Publishes a file at its own pace with ffmpeg, over real RTMP; again and again with `loop`. */
export function publishFile(file: string, url: string, options: { readonly loop?: boolean } = {}): PeerProgram {
	return new PeerProgram("ffmpeg", [
		...["-v", "warning", "-nostdin", "-re"],
		...(options.loop === true ? ["-stream_loop", "-1"] : []),
		...["-i", file, "-c", "copy", "-f", "flv", url],
	]);
}
