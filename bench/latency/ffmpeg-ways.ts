import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Rect } from "../../media/layout.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import { PeerProgram } from "../../test/support/peers/peer-program.ts";
import { type NginxRtmp, startNginxRtmp } from "../../test/support/rtmp/nginx-rtmp.ts";
import type { Talker } from "../../test/support/system/talkers.ts";
import { ClockedPublisher } from "./clocked-publisher.ts";
import { type Feeds, PROGRAM, TOGETHER, WHOLE } from "./feeds.ts";
import { compositorArguments, relayArguments } from "./ffmpeg-arguments.ts";
import { type LatencyRun, latencyRun } from "./latency-run.ts";
import { measuredWindow, type Publishers, seenPeople, untilFlows } from "./watched.ts";

/** Longer than any run; then nginx is ended whatever becomes of us. */
const NGINX_WITHIN_MS = 300_000;
const LISTENS_WITHIN_MS = 10_000;
const STREAM_KEY = "program";

/** nginx-rtmp with people who publish to it, gone when disposed of. */
export async function publishToNginx(
	folder: string,
	feeds: Feeds,
	talkers: readonly Talker[],
	undo: AsyncDisposableStack,
): Promise<{ readonly publishers: Publishers; readonly urlOf: (talker: Talker) => string }> {
	const nginx = await startNginxRtmp(await mkdtemp(join(folder, "nginx-")), NGINX_WITHIN_MS);
	undo.defer(() => nginx.stop());
	await waitFor("nginx to listen", LISTENS_WITHIN_MS, () => canConnect(nginx.port));
	// At once, so that pictures that ffmpeg puts together by their times were sent together.
	const started = await Promise.all(
		talkers.map(async (talker) => {
			const publisher = undo.use(await ClockedPublisher.start(liveUrl(nginx), talker, feeds[talker]));
			return [talker, publisher] as const;
		}),
	);
	const publishers: Publishers = Object.fromEntries(started);
	return { publishers, urlOf: (talker) => `${liveUrl(nginx)}/${talker}` };
}

async function canConnect(port: number): Promise<true> {
	const socket = connect({ host: "127.0.0.1", port });
	try {
		await once(socket, "connect");
		return true;
	} finally {
		socket.destroy();
	}
}

function liveUrl({ port }: NginxRtmp): string {
	return `rtmp://127.0.0.1:${port}/live`;
}

/** One person through nginx-rtmp and an ffmpeg that sends on what comes: what RTMP costs, with nothing in between. */
export async function throughRelay(folder: string, feeds: Feeds): Promise<LatencyRun> {
	return await throughFfmpeg({ folder, feeds, talkers: ["host"], places: [WHOLE] }, (urlOf, to) =>
		relayArguments(urlOf("host"), to),
	);
}

/** Two people through nginx-rtmp and an ffmpeg that puts them side by side. */
export async function throughFfmpegCompositor(folder: string, feeds: Feeds): Promise<LatencyRun> {
	return await throughFfmpeg({ folder, feeds, talkers: ["host", "guest"], places: TOGETHER }, (urlOf, to) =>
		compositorArguments({ inputs: [urlOf("host"), urlOf("guest")], to, ...PROGRAM }),
	);
}

interface FfmpegWay {
	readonly folder: string;
	readonly feeds: Feeds;
	readonly talkers: readonly Talker[];
	readonly places: readonly Rect[];
}

type ArgumentsOf = (urlOf: (talker: Talker) => string, to: string) => readonly string[];

async function throughFfmpeg(way: FfmpegWay, argumentsOf: ArgumentsOf): Promise<LatencyRun> {
	const { receiver, publishers, window } = await record(way, argumentsOf);
	return latencyRun(await seenPeople(receiver, publishers, way.places, window));
}

/** Everything has ended when this resolves, so that nothing is live while its pictures are read. */
async function record({ folder, feeds, talkers }: FfmpegWay, argumentsOf: ArgumentsOf) {
	await using undo = new AsyncDisposableStack();
	const receiver = undo.use(await RecordingDestination.listen());
	const { publishers, urlOf } = await publishToNginx(folder, feeds, talkers, undo);
	const ffmpeg = undo.use(new PeerProgram("ffmpeg", argumentsOf(urlOf, `${receiver.url}/${STREAM_KEY}`)));
	try {
		await untilFlows(receiver);
	} catch (error) {
		throw new Error(`ffmpeg: expected it to send a program, it said: ${ffmpeg.said.slice(-1_000)}`, { cause: error });
	}
	return { receiver, publishers, window: await measuredWindow(publishers) };
}
