import { parseArgs } from "node:util";
import { type RawData, WebSocket } from "ws";
import { TAG_TYPE } from "../media/flv/tag.ts";
import { isFlvHeader, readSingleTag } from "../media/flv/tag-reader.ts";
import { flvHeader } from "../media/flv/tag-writer.ts";
import { CleanUp } from "../scripts/clean-up.ts";
import { type LocalSystem, startTandem } from "../scripts/local-system.ts";
import { waitFor } from "../scripts/wait-for.ts";
import {
	audioConfig,
	interFrame,
	keyFrame,
	message,
	sound,
	videoConfig,
} from "../test/unit/worker-media/wsflv-fixtures.ts";
import { quantile } from "./harness/statistics.ts";

/**
 * `node bench/schedule.ts [--broadcasts 10] [--key-frame-ms 2000] [--json]`: how late a scheduled show begins. The real Worker on this machine, that
 * many broadcasts with one and the same start in `startMode: "auto"`, each with its host's media before it; from that time to when the studio hears
 * that it is live, and to the first of the program at a viewer. A program begins at a key frame of the host's, so their distance counts in the latter.
 */

/** To make everything and let the hosts come. */
const AHEAD_MS = 8_000;
const WITHIN_MS = 30_000;
const FRAME_MS = 40;

const { values } = parseArgs({
	options: {
		broadcasts: { type: "string", default: "10" },
		"key-frame-ms": { type: "string", default: "2000" },
		json: { type: "boolean", default: false },
	},
	strict: true,
});
const broadcasts = positive("broadcasts", values.broadcasts, 200);
const keyFrameMs = positive("key-frame-ms", values["key-frame-ms"], 10_000);

interface Show {
	readonly id: string;
	readonly tokens: { readonly host: string; readonly viewer: string };
}

function positive(name: string, text: string, most: number): number {
	const value = Number(text);
	if (!(Number.isInteger(value) && value >= 1 && value <= most)) {
		throw new Error(`schedule: expected --${name} from 1 to ${most}, got ${text}`);
	}
	return value;
}

async function createShow({ apiUrl, adminToken }: LocalSystem, startMs: number): Promise<Show> {
	const response = await fetch(`${apiUrl}/api/broadcasts`, {
		method: "POST",
		headers: { Authorization: `Bearer ${adminToken}`, "Content-Type": "application/json" },
		body: JSON.stringify({
			title: "Measured",
			startMode: "auto",
			scheduledStartTime: new Date(startMs).toISOString(),
			lobbySeconds: 0,
		}),
	});
	if (response.status !== 201) {
		throw new Error(`schedule: expected 201, got ${response.status}: ${await response.text()}`);
	}
	return (await response.json()) as Show;
}

function open(system: LocalSystem, path: string, token: string, cleanUp: CleanUp): Promise<WebSocket> {
	const url = `${system.apiUrl.replace(/^http/, "ws")}/api/broadcasts/${path}`;
	const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${token}` } });
	cleanUp.add(() => socket.terminate());
	return new Promise((resolve, reject) => {
		socket.once("open", () => resolve(socket));
		socket.once("error", reject);
	});
}

/** A host at the clock's pace. */
function publishTo(socket: WebSocket, cleanUp: CleanUp): void {
	const startedMs = performance.now();
	let frame = 0;
	socket.send(flvHeader());
	for (const tag of [videoConfig(0), audioConfig(0)]) {
		socket.send(message(tag));
	}
	const timer = setInterval(() => {
		for (; frame * FRAME_MS <= performance.now() - startedMs; frame++) {
			const timeMs = frame * FRAME_MS;
			const isKey = frame % Math.max(1, Math.round(keyFrameMs / FRAME_MS)) === 0;
			socket.send(message(isKey ? keyFrame(timeMs) : interFrame(timeMs)));
			socket.send(message(sound(timeMs)));
		}
	}, FRAME_MS / 2);
	cleanUp.add(() => clearInterval(timer));
}

function isPicture(data: RawData): boolean {
	const bytes = new Uint8Array(data as Buffer);
	return bytes.length > 13 && !isFlvHeader(bytes) && readSingleTag(bytes).type === TAG_TYPE.video;
}

/** When the studio heard that it is live, and when a viewer saw the first of it; by the wall clock, as the schedule goes. */
async function watch(system: LocalSystem, { id, tokens }: Show, cleanUp: CleanUp): Promise<() => Begun> {
	const begun: { liveAtMs?: number; pictureAtMs?: number } = {};
	const studio = await open(system, `${id}/control`, tokens.host, cleanUp);
	studio.on("message", (data) => {
		if ((JSON.parse(String(data)) as { status?: string }).status === "live") {
			begun.liveAtMs ??= Date.now();
		}
	});
	const viewer = await open(system, `${id}/media/program/main?direction=subscribe`, tokens.viewer, cleanUp);
	viewer.on("message", (data, isBinary) => {
		if (isBinary && isPicture(data)) {
			begun.pictureAtMs ??= Date.now();
		}
	});
	publishTo(await open(system, `${id}/media/host?direction=publish`, tokens.host, cleanUp), cleanUp);
	return () => begun;
}

interface Begun {
	readonly liveAtMs?: number;
	readonly pictureAtMs?: number;
}

function summary(valuesMs: readonly number[]): { p50: number; max: number } {
	return { p50: quantile(valuesMs, 0.5), max: quantile(valuesMs, 1) };
}

async function main(cleanUp: CleanUp): Promise<void> {
	const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0 });
	cleanUp.add(() => system.stop());
	const startMs = Date.now() + AHEAD_MS;
	const shows = await Promise.all(Array.from({ length: broadcasts }, () => createShow(system, startMs)));
	const watched: (() => Begun)[] = [];
	for (const [index, show] of shows.entries()) {
		watched.push(await watch(system, show, cleanUp));
		// Key frames of different hosts do not come at the same moment.
		await new Promise((resolve) => setTimeout(resolve, ((index * 7) % 10) * 20));
	}
	const leftMs = startMs - Date.now();
	if (leftMs < 1_000) {
		throw new Error(`schedule: expected the hosts to be there a second before the start, got ${leftMs} ms`);
	}
	const begun = await waitFor("all of them to begin", AHEAD_MS + WITHIN_MS, async () => {
		const each = watched.map((look) => look());
		return each.every(({ liveAtMs, pictureAtMs }) => liveAtMs !== undefined && pictureAtMs !== undefined)
			? each
			: undefined;
	});
	const result = {
		broadcasts,
		keyFrameMs,
		alarmToLiveMs: summary(begun.map(({ liveAtMs = Number.NaN }) => liveAtMs - startMs)),
		alarmToFirstPictureMs: summary(begun.map(({ pictureAtMs = Number.NaN }) => pictureAtMs - startMs)),
	};
	if (values.json) {
		console.log(JSON.stringify(result));
		return;
	}
	const { alarmToLiveMs: live, alarmToFirstPictureMs: picture } = result;
	console.log(`${broadcasts} broadcasts with one start, a key frame each ${keyFrameMs} ms`);
	console.log(`scheduled time to live:           p50 ${live.p50} ms, max ${live.max} ms`);
	console.log(`scheduled time to first picture:  p50 ${picture.p50} ms, max ${picture.max} ms`);
}

const cleanUp = new CleanUp();
await cleanUp.around(() => main(cleanUp));
