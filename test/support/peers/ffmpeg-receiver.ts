import { readFile } from "node:fs/promises";
import { freePort } from "../../../scripts/local-system/ports.ts";
import { waitFor } from "../../../scripts/wait-for.ts";
import { PeerProgram } from "./peer-program.ts";

/** How long ffmpeg waits for somebody to publish. */
const LISTEN_S = 120;
const READY_WITHIN_MS = 20_000;

export interface FfmpegReceiver extends AsyncDisposable {
	/** Where to publish: server and application. The stream key is `program`. */
	readonly url: string;
	readonly streamKey: string;
	readonly file: string;
	readonly program: PeerProgram;
}

/** `ffmpeg -listen 1`: takes one publisher and writes what it sends, as it is, to an FLV file. */
export async function receiveWithFfmpeg(file: string): Promise<FfmpegReceiver> {
	const port = await freePort();
	const url = `rtmp://127.0.0.1:${port}/live`;
	const program = new PeerProgram("ffmpeg", [
		...["-v", "verbose", "-nostdin", "-y", "-listen", "1", "-timeout", String(LISTEN_S), "-i", `${url}/program`],
		...["-c", "copy", "-flush_packets", "1", "-f", "flv", file],
	]);
	// It takes one connection only, so that trying the port would use it up: the kernel's table tells as well.
	await waitFor("ffmpeg to listen", READY_WITHIN_MS, () => (program.running ? isListening(port) : undefined));
	return {
		url,
		streamKey: "program",
		file,
		program,
		[Symbol.asyncDispose]: () => program.stop(),
	};
}

async function isListening(port: number): Promise<true | undefined> {
	const table = await readFile("/proc/net/tcp", "utf8");
	const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
	/** State 0A is LISTEN (`man 5 proc`, /proc/net/tcp). */
	const listens = table.split("\n").some((line) => line.includes(` ${local} 00000000:0000 0A `));
	return listens || undefined;
}
