import puppeteer from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layOut } from "../../compositor-page/layouts/lay-out.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../support/browser/chromium.ts";
import { serveFiles } from "../support/browser/file-server.ts";
import { busyBrowserOf, signalAll } from "../support/faults/processes-of.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { clearPart } from "../support/program/expected-place.ts";
import { type Colour, colourDistance, meanColour } from "../support/program/picture.ts";
import { decodePictures } from "../support/program/pictures.ts";
import { decodeSound } from "../support/program/sound.ts";
import { toneLevel } from "../support/program/tone.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { type LiveBroadcast, type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { TALKERS, type Talker } from "../support/system/talkers.ts";
import { restartIce, whipFromBrowser } from "../support/whip/browser-whip.ts";
import { whipWithGStreamer } from "../support/whip/gstreamer-whip.ts";
import { publishWithWerift } from "../support/whip/werift-publisher.ts";

/** Three WebRTC stacks come in by WHIP: werift, GStreamer's webrtcbin, and a browser with `fetch`. */

const SIZE = { width: 640, height: 360 };
const FRAME_RATE = 30;
const ON_AIR_SECONDS = 5;
const PATIENCE_MS = 60_000;
/** Y, Cb and Cr of the two colours; senders differ in whether they take BT.601 or BT.709. */
const COLOURS: Readonly<Record<Talker, Colour>> = {
	host: { y: 75, u: 192, v: 96 },
	guest: { y: 95, u: 84, v: 187 },
};
const MAX_COLOUR_DISTANCE = 24;
const TONES_HZ: Readonly<Record<Talker, number>> = { host: 600, guest: 1_500 };

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let tandem: SystemUnderTest;

beforeAll(async () => {
	tandem = undo.use(await startSystem(folder.file("system")));
});

afterAll(() => undo.disposeAsync());

const endpoint = () => `${tandem.system.apiUrl}/api/whip`;

/** Who of the people is live, by the API. */
async function livePeople({ id }: LiveBroadcast): Promise<string[]> {
	const response = await fetch(`${tandem.system.apiUrl}/api/broadcasts/${id}`, {
		headers: { Authorization: `Bearer ${tandem.system.adminToken}` },
	});
	const { people } = (await response.json()) as { people: { id: string; live: boolean }[] };
	return people.filter(({ live }) => live).map((person) => person.id);
}

describe("werift and GStreamer", () => {
	const program = folder.file("program.flv");
	let last: CompositorStats;
	let afterwards: string[];

	beforeAll(async () => {
		await using peers = new AsyncDisposableStack();
		const destination = peers.use(await DestinationServer.listen());
		const broadcast = await tandem.goLive({
			title: "WHIP",
			...SIZE,
			frameRate: FRAME_RATE,
			alwaysCompose: false,
			destinations: [{ url: destination.url, streamKey: "program" }],
		});
		const { ingest, tokens } = broadcast.created;
		const picture = { colour: "0x2050b0", toneHz: TONES_HZ.host, ...SIZE };
		const host = peers.use(await publishWithWerift(picture, endpoint(), tokens.host));
		const guest = peers.use(
			whipWithGStreamer(
				{ colour: "0xffd04030", toneHz: TONES_HZ.guest, ...SIZE },
				`${endpoint()}/${ingest.guest.rtmp.streamKey}`,
			),
		);
		await broadcast.untilSeen(TALKERS).catch((error: unknown) => {
			throw new Error(`GStreamer said: ${guest.said.slice(-2_000)}`, { cause: error });
		});
		last = await broadcast.untilProgramGoesOn(ON_AIR_SECONDS);
		await destination.latest.writeTo(program);
		await guest.stop();
		expect(await host.client.end()).toBe(200);
		afterwards = await waitFor("both to have left", PATIENCE_MS, async () => {
			const live = await livePeople(broadcast);
			return live.length === 0 ? live : undefined;
		});
		expect(await host.client.end()).toBe(404);
		await broadcast.end();
	});

	it.each(TALKERS)("the %s is seen in their place", async (id) => {
		const place = layOut("landscape", SIZE, TALKERS).places.find((each) => each.id === id);
		if (place === undefined) {
			throw new Error(`expected a place for ${id}`);
		}
		const colours: Colour[] = [];
		for await (const { picture } of decodePictures(program)) {
			colours.push(meanColour(picture, clearPart(place.rect)));
		}
		const shown = colours.slice(-(ON_AIR_SECONDS - 1) * FRAME_RATE);
		const furthest = Math.max(...shown.map((colour) => colourDistance(colour, COLOURS[id])));
		expect(furthest, JSON.stringify(shown.at(-1))).toBeLessThan(MAX_COLOUR_DISTANCE);
	});

	it.each(TALKERS)("the %s is heard", async (id) => {
		const { samples } = await decodeSound(program);
		for (let back = 1; back < ON_AIR_SECONDS; back++) {
			const second = samples.subarray(samples.length - back * 48_000, samples.length - (back - 1) * 48_000);
			expect(toneLevel(second, TONES_HZ[id]), `${back} s before the end`).toBeGreaterThan(0.05);
		}
	});

	it("come by WHIP, say the figures", () => {
		expect(last.people.map(({ id, leg, realTime }) => [id, leg, realTime?.state])).toEqual([
			["host", "whip", "connected"],
			["guest", "whip", "connected"],
		]);
	});

	it("make a program that is whole", async () => {
		await expectUnbroken(program, { frameRate: FRAME_RATE, cuts: 3 });
	});

	it("are gone when their sessions are deleted", () => {
		expect(afterwards).toEqual([]);
	});
});

describe("a browser with fetch alone", () => {
	it("comes in, restarts ICE, and comes again in its own place", async () => {
		await using peers = new AsyncDisposableStack();
		const destination = peers.use(await DestinationServer.listen());
		const broadcast = await tandem.goLive({
			title: "WHIP from a page",
			...SIZE,
			frameRate: FRAME_RATE,
			alwaysCompose: false,
			destinations: [{ url: destination.url, streamKey: "program" }],
		});
		const browser = await puppeteer.launch({
			executablePath: CHROMIUM_PATH,
			headless: true,
			args: [...CHROMIUM_FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
		});
		peers.defer(() => browser.close());
		const page = await browser.newPage();
		// Another origin than the API's.
		const site = await serveFiles(folder.file("system"));
		peers.defer(() => site.close());
		await page.goto(site.origin);
		const { host } = broadcast.created.tokens;
		await whipFromBrowser(page, endpoint(), host);
		await broadcast.untilSeen(["host"]);
		expect(await restartIce(page)).toEqual({ state: "connected", isNew: true });
		const before = await broadcast.untilProgramGoesOn(2);
		expect(before.people[0]).toMatchObject({ id: "host", leg: "whip", picture: "live" });
		const { fence } = (await broadcast.stats()).compositor;

		await whipFromBrowser(page, endpoint(), host);
		const after = await broadcast.untilProgramGoesOn(2);
		expect(after.people[0]).toMatchObject({ id: "host", leg: "whip", picture: "live" });
		expect((await broadcast.stats()).compositor.fence).toBe(fence);
		expect(destination.sessions).toHaveLength(1);
		await broadcast.end();
	});
});

describe("an encoder whose compositor dies", () => {
	it("has no session any more, comes again, and is on air in the same RTMP session", async () => {
		await using peers = new AsyncDisposableStack();
		const destination = peers.use(await DestinationServer.listen());
		const broadcast = await tandem.goLive({
			title: "WHIP and a compositor that dies",
			...SIZE,
			frameRate: FRAME_RATE,
			alwaysCompose: false,
			destinations: [{ url: destination.url, streamKey: "program" }],
		});
		const picture = { colour: "0x2050b0", toneHz: TONES_HZ.host, ...SIZE };
		const { host } = broadcast.created.tokens;
		const first = peers.use(await publishWithWerift(picture, endpoint(), host));
		await broadcast.untilSeen(["host"]);
		await broadcast.untilProgramGoesOn(1);
		const { fence = Number.NaN } = (await broadcast.stats()).compositor;
		const { pids } = await busyBrowserOf([tandem.system.pids().runner]);
		signalAll(pids, "SIGKILL");
		await waitFor("the session to be over", PATIENCE_MS, async () =>
			(await livePeople(broadcast)).length === 0 ? true : undefined,
		);
		expect(await first.client.end()).toBe(404);

		peers.use(await publishWithWerift(picture, endpoint(), host));
		await waitFor("another compositor", PATIENCE_MS, async () => {
			const { compositor } = await broadcast.stats();
			return (compositor.reported?.stats.fence ?? 0) > fence || undefined;
		});
		await broadcast.untilSeen(["host"]);
		await broadcast.untilProgramGoesOn(2);
		expect(destination.sessions).toHaveLength(1);
		const times = destination.latest.frameTimesMs();
		expect(times.every((ms, at) => at === 0 || ms > (times[at - 1] ?? Number.NaN))).toBe(true);
		await broadcast.end();
	});
});
