import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import type { FlvTag } from "../media/flv/tag.ts";
import { tagKind } from "../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes } from "../media/flv/tag-writer.ts";
import { ApiClient, type CreatedBroadcast } from "../scripts/api.ts";
import { CleanUp } from "../scripts/clean-up.ts";
import { type LocalSystem, startTandem } from "../scripts/local-system.ts";
import { waitFor } from "../scripts/wait-for.ts";
import { makeStillClip } from "../test/support/peers/clips.ts";
import { publishFile } from "../test/support/peers/ffmpeg-publisher.ts";
import { mustRun } from "../test/support/peers/run-tool.ts";
import { TempFolder } from "../test/support/peers/temp-folder.ts";
import { meanColour } from "../test/support/program/picture.ts";
import { decodePictures } from "../test/support/program/pictures.ts";
import { quantile } from "./harness/statistics.ts";

/**
 * `node bench/control.ts [--changes 30] [--json]`: how soon a change of layout is to be seen. The whole system on this machine, two people on air in
 * plain colours, that many changes over HTTP and as many over the control socket; from each request to its answer, to the word that the compositor gets
 * in the same moment as everyone else, and to the arrival at a subscriber of the first picture of the program that shows it.
 */

const SIZE = { width: 640, height: 360 };
const FRAME_RATE = 30;
const COLOUR = { host: "0xa04040", guest: "0x4040a0" } as const;
const ON_AIR_WITHIN_MS = 90_000;
const WITHIN_MS = 10_000;
/** Changes come at any moment of a picture's time: the wait between them is never the same. */
const EVERY_MS = 700;
const JITTER_MS = 300;
const GOLDEN = 0.618034;
const LAYOUTS = ["landscape", "vertical"] as const;
type Layout = (typeof LAYOUTS)[number];
/** The upper right quarter: the guest's in one layout, the host's in the other. */
const TOLD_BY = { x: 400, y: 60, width: 160, height: 60 };
/** Red differs by far more than this between the two. */
const NEUTRAL_V = 128;

interface Change {
	readonly by: "http" | "socket";
	readonly layout: Layout;
	readonly atMs: number;
	readonly answeredMs: number;
	readonly toldMs: number;
}

interface Arrived {
	readonly tag: FlvTag;
	readonly atMs: number;
}

const { values } = parseArgs({
	options: { changes: { type: "string", default: "30" }, json: { type: "boolean", default: false } },
	strict: true,
});
const changes = Number(values.changes);
if (!(Number.isInteger(changes) && changes >= 1 && changes <= 500)) {
	throw new Error(`control: expected --changes from 1 to 500, got ${values.changes}`);
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

async function publish(
	id: "host" | "guest",
	broadcast: CreatedBroadcast,
	folder: TempFolder,
): Promise<() => Promise<void>> {
	const [picture, clip] = [folder.file(`${id}.png`), folder.file(`${id}.flv`)];
	const ground = `color=c=${COLOUR[id]}:s=${SIZE.width}x${SIZE.height}`;
	await mustRun("ffmpeg", ["-y", "-v", "error", "-f", "lavfi", "-i", ground, "-frames:v", "1", picture]);
	await makeStillClip(clip, picture, 440, { ...SIZE, frameRate: FRAME_RATE, seconds: 60 });
	const { url, streamKey } = broadcast.ingest[id].rtmp;
	const publisher = publishFile(clip, `${url}/${streamKey}`, { loop: true });
	return () => publisher.stop();
}

/** Asks for a layout and waits for the answer and for everyone's being told. */
async function change(
	by: Change["by"],
	layout: Layout,
	{ api, broadcast, control }: { api: ApiClient; broadcast: CreatedBroadcast; control: WebSocket },
): Promise<Change> {
	let toldAtMs: number | undefined;
	let doneAtMs: number | undefined;
	const listen = (data: unknown) => {
		const event = JSON.parse(String(data)) as { type: string; layout?: string };
		toldAtMs ??= event.type === "status" && event.layout === layout ? performance.now() : undefined;
		doneAtMs ??= event.type === "done" ? performance.now() : undefined;
	};
	control.on("message", listen);
	const atMs = performance.now();
	if (by === "http") {
		await api.call("PUT", `/api/broadcasts/${broadcast.id}/scene`, { layout });
		doneAtMs = performance.now();
	} else {
		control.send(JSON.stringify({ type: "command", command: { type: "set-scene", layout } }));
	}
	const [toldMs, answeredMs] = await waitFor(`word of ${layout}`, WITHIN_MS, () =>
		toldAtMs === undefined || doneAtMs === undefined ? undefined : ([toldAtMs - atMs, doneAtMs - atMs] as const),
	);
	control.off("message", listen);
	return { by, layout, atMs, answeredMs, toldMs };
}

/** When each change was first seen by whoever watches. */
async function shownMs(made: readonly Change[], arrived: readonly Arrived[], file: string): Promise<number[]> {
	await writeFile(file, Buffer.concat([flvHeader(), ...arrived.map(({ tag }) => flvTagBytes(tag))]));
	const pictures = arrived.filter(({ tag }) => ["video-key", "video-inter"].includes(tagKind(tag) ?? ""));
	const seen: { readonly layout: Layout; readonly atMs: number }[] = [];
	for await (const { index, picture } of decodePictures(file, { size: SIZE })) {
		const layout = meanColour(picture, TOLD_BY).v > NEUTRAL_V ? "vertical" : "landscape";
		seen.push({ layout, atMs: pictures[index]?.atMs ?? Number.NaN });
	}
	if (seen.length !== pictures.length) {
		throw new Error(`control: expected ${pictures.length} pictures, got ${seen.length}`);
	}
	return made.map(({ layout, atMs }) => {
		const first = seen.find((picture) => picture.atMs > atMs && picture.layout === layout);
		return (first?.atMs ?? Number.NaN) - atMs;
	});
}

function summary(valuesMs: readonly number[]): { p50: number; p95: number; max: number } {
	const at = (share: number) => Math.round(quantile(valuesMs, share) * 10) / 10;
	return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

async function main(cleanUp: CleanUp): Promise<void> {
	const folder = new TempFolder();
	cleanUp.add(() => folder[Symbol.dispose]());
	const system = await startTandem({ port: 0, rtmpPort: 0 });
	cleanUp.add(() => system.stop());
	const api = new ApiClient(system.apiUrl, system.adminToken);
	const broadcast = await api.create({ title: "Measured", ...SIZE, frameRate: FRAME_RATE, alwaysCompose: true });
	await api.call("PUT", `/api/broadcasts/${broadcast.id}/scene`, { layout: "landscape", labels: false });
	await api.start(broadcast.id);
	for (const id of ["host", "guest"] as const) {
		cleanUp.add(await publish(id, broadcast, folder));
	}
	await waitFor("two people on air", ON_AIR_WITHIN_MS, async () => {
		const people = (await api.stats(broadcast.id)).compositor.reported?.stats.people ?? [];
		return people.filter(({ picture }) => picture === "live").length === 2 || undefined;
	});
	const control = await open(system, `${broadcast.id}/control`, broadcast.tokens.host, cleanUp);
	const program = await open(
		system,
		`${broadcast.id}/media/program/main?direction=subscribe`,
		broadcast.tokens.host,
		cleanUp,
	);
	const arrived: Arrived[] = [];
	program.on("message", (data, isBinary) => {
		const bytes = new Uint8Array(data as Buffer);
		if (isBinary && !isFlvHeader(bytes)) {
			arrived.push({ tag: readSingleTag(bytes), atMs: performance.now() });
		}
	});
	await waitFor("the program", WITHIN_MS, () => arrived.length > FRAME_RATE * 2 || undefined);
	const made: Change[] = [];
	for (let number = 0; number < changes * 2; number++) {
		await new Promise((resolve) => setTimeout(resolve, EVERY_MS + JITTER_MS * ((number * GOLDEN) % 1)));
		// Each way gets as many of the one layout as of the other.
		const by = number % 4 < 2 ? "http" : "socket";
		made.push(await change(by, LAYOUTS[(number + 1) % 2] ?? "landscape", { api, broadcast, control }));
	}
	await new Promise((resolve) => setTimeout(resolve, EVERY_MS * 2));
	const shown = await shownMs(made, arrived.slice(), folder.file("program.flv"));
	await api.end(broadcast.id);
	const figures = (["http", "socket"] as const).map((by) => {
		const mine = made
			.map((each, index) => ({ ...each, shown: shown[index] ?? Number.NaN }))
			.filter((each) => each.by === by);
		return {
			by,
			changes: mine.length,
			toldMs: summary(mine.map(({ toldMs }) => toldMs)),
			answeredMs: summary(mine.map(({ answeredMs }) => answeredMs)),
			shownMs: summary(mine.map((each) => each.shown)),
		};
	});
	if (values.json) {
		console.log(JSON.stringify(figures, undefined, "\t"));
		return;
	}
	for (const { by, toldMs, answeredMs, shownMs: seen, ...rest } of figures) {
		const line = (name: string, { p50, p95, max }: typeof toldMs) => `  ${name}: p50 ${p50}, p95 ${p95}, max ${max} ms`;
		console.log(`${rest.changes} changes of layout by ${by}`);
		console.log(
			[line("compositor told", toldMs), line("answered", answeredMs), line("first picture", seen)].join("\n"),
		);
	}
}

const cleanUp = new CleanUp();
await cleanUp.around(() => main(cleanUp));
