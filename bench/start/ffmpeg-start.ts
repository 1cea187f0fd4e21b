import { setTimeout as sleep } from "node:timers/promises";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import { PeerProgram } from "../../test/support/peers/peer-program.ts";
import { TALKERS } from "../../test/support/system/talkers.ts";
import { type Feeds, PROGRAM } from "../latency/feeds.ts";
import { compositorArguments } from "../latency/ffmpeg-arguments.ts";
import { publishToNginx } from "../latency/ffmpeg-ways.ts";
import { untilFlows } from "../latency/watched.ts";
import { firstTogether, SHOWS_ON_MS } from "./receiver-sees.ts";
import type { StartRun } from "./start-run.ts";

/** Both have sent for longer than a group of pictures when ffmpeg is started. */
const QUIET_MS = 4_000;

/** Both people publish to nginx-rtmp; from the start of an ffmpeg that puts them side by side to its first key frame at the receiver. */
export async function startFfmpeg(folder: string, feeds: Feeds): Promise<StartRun> {
	const { receiver, startedAtMs } = await record(folder, feeds);
	const { arrivedAtMs } = await firstTogether(receiver);
	return { receivedMs: arrivedAtMs - startedAtMs };
}

async function record(folder: string, feeds: Feeds) {
	await using undo = new AsyncDisposableStack();
	const receiver = undo.use(await RecordingDestination.listen());
	const { urlOf } = await publishToNginx(folder, feeds, TALKERS, undo);
	await sleep(QUIET_MS);
	const inputs = [urlOf("host"), urlOf("guest")] as const;
	const startedAtMs = performance.now();
	undo.use(new PeerProgram("ffmpeg", compositorArguments({ inputs, to: `${receiver.url}/program`, ...PROGRAM })));
	await untilFlows(receiver);
	await sleep(SHOWS_ON_MS);
	return { receiver, startedAtMs };
}
