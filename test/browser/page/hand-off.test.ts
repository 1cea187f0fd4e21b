import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { type TagKind, tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes, isFlvHeader, readSingleTag } from "../../../media/flv/tag-writer.ts";
import { parseVideoBody } from "../../../media/flv/video-body.ts";
import { wrapMs } from "../../../media/timestamp.ts";
import { waitFor } from "../../../scripts/wait-for.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";
import { controlRequestSchema, type Scene } from "../../../worker/protocol/control-messages.ts";
import { type CompositeShows, compositeShowsSchema } from "../../../worker/protocol/media-socket.ts";
import type { CompositorPageStatus } from "../../../worker/protocol/pool-messages.ts";
import { MAIN_COMPOSITE_STREAM } from "../../../worker/protocol/roles.ts";
import { sendInRealTime, useBuiltPage } from "./built-page.ts";
import { type EdgeConnection, FakeEdge } from "./fake-edge.ts";
import { ffmpeg, flvTags, lumaOf, pictures } from "./made-media.ts";

const ASSIGNMENT = { broadcastId: "b1", fence: 3, token: "a.b.c" };
const PUBLISHED = `/media/${MAIN_COMPOSITE_STREAM}?direction=publish`;
const SCENE: Scene = {
	layout: "landscape",
	width: 640,
	height: 360,
	frameRate: 30,
	videoBitrateBps: 2_000_000,
	audioBitrateBps: 128_000,
	keyFrameIntervalS: 2,
	people: [
		{ id: "host", name: "", gain: 1, expected: true },
		{ id: "guest", name: "", gain: 1, expected: true },
	],
};
const FEED_SECONDS = 30;
/** The host's stream wraps while it is on. */
const HOST_STARTS_MS = 2 ** 32 - 6_000;
const GROUP_MS = 2_000;
const PATIENCE_MS = 60_000;
/** Frames that a loaded machine may leave out, in time. */
const SLACK_MS = 500;

/** Pictures that tell by their brightness which one each is, out of order on the wire, with a tone. */
function hostFeed(): FlvTag[] {
	return flvTags(
		ffmpeg(
			...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${FEED_SECONDS}`],
			...pictures({ frames: FEED_SECONDS * 30 }),
			...["-c:v", "libx264", "-preset", "veryfast", "-qp", "16", "-pix_fmt", "yuv420p", "-profile:v", "main"],
			...["-bf", "2", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0"],
			...["-c:a", "aac", "-b:a", "96k", "-flvflags", "no_duration_filesize", "-f", "flv"],
		),
	);
}

/** One white picture, and nothing to hear. */
function guestFeed(): FlvTag[] {
	return flvTags(
		ffmpeg(
			...["-f", "lavfi", "-i", `color=white:size=320x180:rate=25:duration=${FEED_SECONDS}`],
			...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "25"],
			...["-flvflags", "no_duration_filesize", "-f", "flv"],
		),
	);
}

/** Each message that was published on a connection, after the header. */
interface Sent {
	readonly kind: TagKind | "shows";
	readonly timeMs: number;
	/** Of `shows`. */
	readonly shows?: CompositeShows;
	readonly tag?: FlvTag;
}

function sentOn({ messages }: EdgeConnection): Sent[] {
	const [header, ...rest] = messages;
	expect(header === undefined || isFlvHeader(header as Uint8Array)).toBe(true);
	return rest.map((message) => {
		if (typeof message === "string") {
			const shows = compositeShowsSchema.parse(JSON.parse(message));
			return { kind: "shows", timeMs: shows.programMs, shows };
		}
		const tag = readSingleTag(message);
		return { kind: tagKind(tag), timeMs: tag.timestampMs, tag };
	});
}

const keysOf = (sent: readonly Sent[]) => sent.filter(({ kind }) => kind === "video-key");
const kindsOf = (sent: readonly Sent[]) => sent.map(({ kind }) => kind);
const OPENING: readonly Sent["kind"][] = ["audio-config", "video-config", "shows", "video-key"];

describe("a hand-off to the compositor page", () => {
	const built = useBuiltPage();
	let edge: FakeEdge;
	let page: Page;
	let guestIsThere = false;
	let guestTags: FlvTag[] = [];
	/** Presentation time of every picture of the host's that was sent, to its number. */
	const hostPictures = new Map<number, number>();
	let latestHostMs = 0;
	/** Presentation time of the feed's first picture: what its pictures out of order take. */
	let firstPtsMs = 0;

	afterAll(async () => {
		await edge?.close();
	});

	const status = () => page.evaluate("tandemStatus()") as Promise<CompositorPageStatus>;
	const connectionsTo = (path: string) => edge.connections.filter((each) => each.path.includes(path));
	const published = () => connectionsTo(PUBLISHED).at(-1) as EdgeConnection;
	const reports = (): CompositorStats[] =>
		connectionsTo("/control").flatMap(({ messages }) =>
			messages.flatMap((message) => {
				const request = controlRequestSchema.parse(JSON.parse(String(message)));
				return request.type === "compositor-stats" ? [request.stats] : [];
			}),
		);

	function noteHost(tag: FlvTag): void {
		const kind = tagKind(tag);
		if (kind === "video-key" || kind === "video-inter") {
			const body = parseVideoBody(tag.body);
			const compositionMs = "compositionTimeMs" in body ? body.compositionTimeMs : 0;
			latestHostMs = wrapMs(tag.timestampMs + compositionMs);
			const sinceStartMs = wrapMs(latestHostMs - HOST_STARTS_MS) - firstPtsMs;
			hostPictures.set(latestHostMs, Math.round((sinceStartMs * 30) / 1_000));
		}
	}

	beforeAll(async () => {
		guestTags = guestFeed();
		const hostTags = hostFeed();
		const first = hostTags.find((tag) => tagKind(tag) === "video-key");
		const body = first === undefined ? undefined : parseVideoBody(first.body);
		firstPtsMs =
			(first?.timestampMs ?? 0) + (body !== undefined && "compositionTimeMs" in body ? body.compositionTimeMs : 0);
		expect(firstPtsMs).toBeGreaterThan(0);
		edge = await FakeEdge.open({
			onConnection: (connection) => {
				if (connection.path.includes("/media/host?")) {
					sendInRealTime(connection, hostTags, (timeMs) => wrapMs(HOST_STARTS_MS + timeMs), noteHost);
				} else if (connection.path.includes("/media/guest?") && guestIsThere) {
					sendInRealTime(connection, guestTags);
				} else if (connection.path.endsWith("/control")) {
					connection.socket.send(JSON.stringify({ type: "scene", scene: SCENE }));
				}
			},
		});
		page = await built.newPage();
		await page.evaluate(`tandemStart(${JSON.stringify({ apiUrl: edge.origin, ...ASSIGNMENT })})`);
	});

	test("publishes nothing while somebody expected is not there, and is seen to live meanwhile", async () => {
		const isWaiting = () => {
			const last = reports().at(-1);
			return last?.people.some(({ id, picture }) => id === "host" && picture === "live") ? last : undefined;
		};
		const last = await waitFor("the host's picture in the figures", PATIENCE_MS, isWaiting);
		expect(last).toMatchObject({ ready: false, waitingFor: ["guest"] });
		expect(last.program.frames).toBeGreaterThan(0);
		const before = await status();
		await waitFor("30 more frames", PATIENCE_MS, async () => {
			const { state, programFrames } = await status();
			return (state === "running" && programFrames > before.programFrames + 30) || undefined;
		});
		expect(connectionsTo(PUBLISHED)).toEqual([]);
	});

	test("begins with a key frame that shows everyone, once they are there, though one of them is silent", async () => {
		guestIsThere = true;
		sendInRealTime(connectionsTo("/media/guest?").at(-1) as EdgeConnection, guestTags);
		const connection = await waitFor("a publisher", PATIENCE_MS, () => published());
		await waitFor("10 messages", PATIENCE_MS, () => connection.messages.length > 10 || undefined);
		const sent = sentOn(connection);
		expect(kindsOf(sent).slice(0, 4)).toEqual(OPENING);
		const last = await waitFor("figures of a ready program", PATIENCE_MS, () => {
			const report = reports().at(-1);
			return report?.ready === true ? report : undefined;
		});
		expect(last).toMatchObject({ ready: true, waitingFor: [] });
		const [first] = await lumas(sent, "opening");
		expect(first?.guest).toBeGreaterThan(220);
		expect(first?.host).toBeLessThan(230);
	});

	test("makes the key frame that is asked for at the host's moment, and the regular ones from there", async () => {
		const connection = published();
		const keysBefore = keysOf(sentOn(connection)).length;
		await waitFor(
			"a regular key frame",
			PATIENCE_MS,
			() => keysOf(sentOn(connection)).length > keysBefore || undefined,
		);
		const from = sentOn(connection).length;
		const afterHostMs = wrapMs(latestHostMs + 400);
		connection.socket.send(JSON.stringify({ type: "key-frame", afterHostMs }));
		const sent = await waitFor("two key frames", PATIENCE_MS, () => {
			const since = sentOn(connection).slice(from);
			return keysOf(since).length >= 2 ? since : undefined;
		});
		const [ordered, regular] = keysOf(sent) as [Sent, Sent];
		const shows = sent[sent.indexOf(ordered) - 1]?.shows;
		const laterMs = wrapMs((shows?.hostMs ?? 0) - afterHostMs);
		expect(laterMs).toBeGreaterThan(0);
		expect(laterMs).toBeLessThan(SLACK_MS);
		expect(regular.timeMs - ordered.timeMs).toBeGreaterThanOrEqual(GROUP_MS);
		expect(regular.timeMs - ordered.timeMs).toBeLessThan(GROUP_MS + SLACK_MS);
	});

	test("makes one at once that is asked for without a time, and one within a second for a time that never comes", async () => {
		const connection = published();
		for (const [afterHostMs, withinMs] of [
			[undefined, 0],
			[wrapMs(latestHostMs + 60_000), 1_000],
		] as const) {
			const from = sentOn(connection).length;
			const askedMs = sentOn(connection).at(-1)?.timeMs ?? 0;
			connection.socket.send(JSON.stringify({ type: "key-frame", afterHostMs }));
			const [key] = await waitFor("a key frame", PATIENCE_MS, () => {
				const keys = keysOf(sentOn(connection).slice(from));
				return keys.length > 0 ? keys : undefined;
			});
			const tookMs = (key as Sent).timeMs - askedMs;
			expect(tookMs).toBeGreaterThan(withinMs - 100);
			expect(tookMs).toBeLessThan(withinMs + SLACK_MS);
		}
	});

	test("begins again with configurations and a key frame after a broken line", async () => {
		published().cut();
		const second = await waitFor("another publisher", PATIENCE_MS, () => connectionsTo(PUBLISHED)[1]);
		await waitFor("its first messages", PATIENCE_MS, () => second.messages.length > 6 || undefined);
		expect(kindsOf(sentOn(second)).slice(0, 4)).toEqual(OPENING);
	});

	test("says of each key frame, and not of every picture besides, which of the host's pictures it shows", async () => {
		const wrapped = () => sentOn(published()).some(({ shows }) => shows !== undefined && shows.hostMs < HOST_STARTS_MS);
		await waitFor("a key frame after the wrap of the host's time", PATIENCE_MS, () => wrapped() || undefined);
		let told = 0;
		for (const [index, connection] of connectionsTo(PUBLISHED).entries()) {
			const sent = sentOn(connection);
			for (const [at, { kind, timeMs }] of sent.entries()) {
				const next = sent[at + 1];
				if (kind === "shows" && next !== undefined) {
					expect(["video-key", "video-inter"]).toContain(next.kind);
					expect(next.timeMs).toBe(timeMs);
				} else if (next?.kind === "video-key") {
					expect.fail(`expected "shows" before the key frame at ${next.timeMs} ms, got ${kind}`);
				}
			}
			const showing = sent.filter(({ kind }) => kind === "shows");
			// Where the machine makes the play-out delay move, that is by 100 ms a second: a message each 10 ms of it.
			const seconds = ((sent.at(-1)?.timeMs ?? 0) - (sent[0]?.timeMs ?? 0)) / 1_000;
			expect(showing.length).toBeLessThanOrEqual(keysOf(sent).length + 3 + 12 * seconds);
			const seen = await lumas(sent, `connection-${index}`);
			for (const { shows } of showing) {
				const picture = hostPictures.get(shows?.hostMs ?? -1);
				expect(picture, `host's picture at ${shows?.hostMs} ms`).toBeDefined();
				const shown = seen.find(({ timeMs }) => timeMs === shows?.programMs);
				if (shown !== undefined && picture !== undefined) {
					expect(Math.abs(shown.host - lumaOf(picture)), `picture ${picture} at ${timeOf(shows)}`).toBeLessThan(2);
					told += 1;
				}
			}
		}
		expect(told).toBeGreaterThanOrEqual(5);
	});

	test("sends nothing more once another has taken over", async () => {
		const connection = published();
		connection.socket.close(CLOSE.takenOver.code, "a newer compositor took over");
		await connection.closed;
		const { length } = connection.messages;
		await waitFor("the page to close", PATIENCE_MS, async () => (await status()).state === "closed" || undefined);
		expect(await status()).toMatchObject({ reason: "program: a newer compositor took over" });
		const connections = edge.connections.length;
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		expect([connection.messages.length, edge.connections.length]).toEqual([length, connections]);
	});

	/** Brightness in the middle of both places, of each picture sent. */
	async function lumas(
		sent: readonly Sent[],
		name: string,
	): Promise<{ readonly timeMs: number; readonly host: number; readonly guest: number }[]> {
		const tags = sent.flatMap(({ tag }) => tag ?? []);
		const file = join(built.folder, `${name}.flv`);
		await writeFile(file, Buffer.concat([flvHeader(), ...tags.map(flvTagBytes)]));
		const raw = ffmpeg(...["-i", file, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p"]);
		const { width, height } = SCENE;
		const pictureBytes = (width * height * 3) / 2;
		const at = (index: number, x: number) => raw[index * pictureBytes + (height / 2) * width + x] ?? Number.NaN;
		const pictures = sent.filter(({ kind }) => kind === "video-key" || kind === "video-inter");
		expect(raw.length).toBe(pictures.length * pictureBytes);
		return pictures.map(({ timeMs }, index) => ({
			timeMs,
			host: at(index, width / 4),
			guest: at(index, (width * 3) / 4),
		}));
	}
});

function timeOf(shows: CompositeShows | undefined): string {
	return `${shows?.programMs} ms`;
}
