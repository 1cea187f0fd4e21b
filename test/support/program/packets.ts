import { z } from "zod";
import { runTool } from "../peers/run-tool.ts";

export interface Packet {
	readonly ptsMs: number;
	readonly dtsMs: number;
	readonly key: boolean;
	readonly bytes: number;
}

export interface ProgramPackets {
	readonly video: readonly Packet[];
	readonly audio: readonly Packet[];
	/** What ffprobe complained of; empty for a clean file. */
	readonly complaints: string;
}

/** FLV counts whole milliseconds; what lies below a microsecond is the rounding of the text. */
const seconds = z.string().transform((text) => Math.round(Number(text) * 1_000_000) / 1_000);
const answerSchema = z.object({
	packets: z.array(
		z.object({
			codec_type: z.string(),
			pts_time: seconds,
			dts_time: seconds,
			size: z.string().transform(Number),
			flags: z.string(),
		}),
	),
});

/** Every packet of a file in the order it is stored, as ffprobe reads it. */
export async function readPackets(file: string): Promise<ProgramPackets> {
	const { stdout, stderr, code } = await runTool("ffprobe", [
		...[
			"-v",
			"warning",
			"-print_format",
			"json",
			"-show_entries",
			"packet=codec_type,pts_time,dts_time,size,flags",
			file,
		],
	]);
	if (code !== 0) {
		throw new Error(`ffprobe: expected to read ${file}, got exit code ${code}: ${stderr}`);
	}
	const { packets } = answerSchema.parse(JSON.parse(stdout.toString()));
	const ofType = (type: string): Packet[] =>
		packets
			.filter((packet) => packet.codec_type === type)
			.map((packet) => ({
				ptsMs: packet.pts_time,
				dtsMs: packet.dts_time,
				key: packet.flags.startsWith("K"),
				bytes: packet.size,
			}));
	return { video: ofType("video"), audio: ofType("audio"), complaints: stderr.trim() };
}

/** Steps between consecutive decoding times. */
export function dtsSteps(packets: readonly Packet[]): number[] {
	return packets.slice(1).map((packet, index) => packet.dtsMs - (packets[index]?.dtsMs ?? Number.NaN));
}
