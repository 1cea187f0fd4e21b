import { runTool } from "../peers/run-tool.ts";

/**
 * W80062 compares onMetaData with flvmeta's own reading of the stream, which is wrong for any AAC that is not 44.1 kHz and for most sizes: it
 * gives 20 pixels for a width of 320, and says the same of files by ffmpeg.
 */
const METADATA_DIFFERS = "W80062";

/** What nginx-rtmp leaves out of every recording, whoever published: onMetaData. */
export const NGINX_RECORDING = ["W70060", "W60079"];

/** What `flvmeta -C` has against an FLV file, a line each: empty for a good one. `known` warnings are the recorder's doing. */
export async function flvmetaComplaints(file: string, known: readonly string[] = []): Promise<string[]> {
	const { stdout, stderr } = await runTool("flvmeta", ["-C", file]);
	const lines = `${stdout}${stderr}`
		.split("\n")
		.map((line) => line.trim())
		.filter((line) => line !== "");
	const summary = lines.pop();
	if (summary === undefined || !/^\d+ error\(s\), \d+ warning\(s\)$/.test(summary)) {
		throw new Error(`flvmeta: expected a summary as its last line, got ${summary}`);
	}
	return lines.filter((line) => ![METADATA_DIFFERS, ...known].some((code) => line.includes(code)));
}
