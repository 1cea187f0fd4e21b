import { readFile, rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BroadcastStats } from "../../scripts/api.ts";
import { makeStillClip } from "../support/peers/clips.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { receiveWithFfmpeg } from "../support/peers/ffmpeg-receiver.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { GUEST_CARD, HOST_CARD, writeTestCard } from "../support/peers/test-card.ts";
import { discShape } from "../support/program/disc-shape.ts";
import { type ExpectedLayout, expectedLayout, likeness } from "../support/program/expected-place.ts";
import { NGINX_RECORDING } from "../support/program/flvmeta.ts";
import { decodePictures } from "../support/program/pictures.ts";
import { decodeSound, soundBetween } from "../support/program/sound.ts";
import { toneLevel } from "../support/program/tone.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { startNginxRtmp } from "../support/rtmp/nginx-rtmp.ts";
import { type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import { heldShare, type Take, takeUndisturbed } from "../support/system/take.ts";
import type { Talker } from "../support/system/talkers.ts";

/** Two people over real RTMP, composited, into two servers that we did not write; what they received is decoded and looked at. */

const SIZE = { width: 1_280, height: 720 };
const FRAME_RATE = 30;
const TONES_HZ = { host: 440, guest: 1_000 } as const;
const CLIP_SECONDS = 90;
const LAYOUTS = ["landscape", "pip", "vertical", "solo"] as const;
const SECONDS_EACH = 3;
/** The same picture through one more encoder at 3 Mb/s; a wrong crop or a shift by a few pixels is below 0.8. */
const ALIKE = 0.93;
/** Of every so many pictures one is compared in full. */
const COMPARE_EVERY = 5;
/** A disc keeps its shape to a pixel or two of its edge, which scaling blurs. */
const ROUND_WITHIN = 0.03;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const clips: Record<Talker, string> = { host: folder.file("host.flv"), guest: folder.file("guest.flv") };
interface SpineTake extends Take {
	readonly received: Readonly<Record<string, string>>;
	readonly stats: BroadcastStats;
	/** Sessions that nginx saw. */
	readonly publishings: number;
}
let take: SpineTake;

beforeAll(async () => {
	await makeClips();
	const tandem = undo.use(await startSystem(folder.file("system")));
	take = await takeUndisturbed(() => record(tandem));
});

async function record(tandem: SystemUnderTest): Promise<SpineTake> {
	await using peers = new AsyncDisposableStack();
	await rm(folder.file("error.log"), { force: true });
	const nginx = await startNginxRtmp(folder.path, 240_000);
	peers.defer(() => nginx.stop());
	const ffmpeg = peers.use(await receiveWithFfmpeg(folder.file("ffmpeg.flv")));
	const broadcast = await tandem.goLive({
		title: "Spine",
		...SIZE,
		frameRate: FRAME_RATE,
		layout: LAYOUTS[0],
		destinations: [
			{ url: `rtmp://127.0.0.1:${nginx.port}/live`, streamKey: "program" },
			{ url: ffmpeg.url, streamKey: ffmpeg.streamKey },
		],
	});
	peers.use(publishFile(clips.host, broadcast.publishUrl("host")));
	peers.use(publishFile(clips.guest, broadcast.publishUrl("guest")));
	await broadcast.untilSeen(["host", "guest"]);
	await broadcast.untilLive();
	const first = await broadcast.compositorStats();
	let last = first;
	for (const layout of LAYOUTS) {
		await tandem.api.setLayout(broadcast.id, layout);
		last = await broadcast.untilProgramGoesOn(SECONDS_EACH);
	}
	const stats = await broadcast.stats();
	await broadcast.end();
	await ffmpeg.program.ended;
	const file = nginx.recordingOf("program");
	const log = await readFile(folder.file("error.log"), "utf8");
	const publishings = log.split("publish: name='program'").length - 1;
	return { file, first, last, received: { nginx: file, ffmpeg: ffmpeg.file }, stats, publishings };
}

afterAll(() => undo.disposeAsync());

async function makeClips(): Promise<void> {
	const cards = { host: folder.file("host.ppm"), guest: folder.file("guest.ppm") };
	const shape = { frameRate: FRAME_RATE, seconds: CLIP_SECONDS };
	writeTestCard(cards.host, { ...SIZE, ...HOST_CARD });
	writeTestCard(cards.guest, { width: 640, height: 360, ...GUEST_CARD });
	await Promise.all([
		makeStillClip(clips.host, cards.host, TONES_HZ.host, { ...SIZE, ...shape }),
		makeStillClip(clips.guest, cards.guest, TONES_HZ.guest, { width: 640, height: 360, ...shape }),
	]);
}

function fileOf(receiver: string): string {
	return take.received[receiver] ?? "";
}

describe.each(["nginx", "ffmpeg"])("what %s received", (receiver) => {
	it("is whole: every frame at its time, a key frame every 2 s, clean to ffprobe and flvmeta", async () => {
		const { durationMs } = await expectUnbroken(fileOf(receiver), {
			frameRate: FRAME_RATE,
			// Two people who come into the picture, and the changes of layout.
			cuts: 2 + LAYOUTS.length - 1,
			...(receiver === "nginx" ? { knownWarnings: NGINX_RECORDING } : {}),
		});
		expect(durationMs).toBeGreaterThan(LAYOUTS.length * SECONDS_EACH * 1_000);
	});

	it("shows each person in the place of each layout in turn, never stretched", async ({ annotate }) => {
		const expected = new Map<string, ExpectedLayout>();
		for (const layout of LAYOUTS) {
			expected.set(layout, await expectedLayout(layout, SIZE, clips));
		}
		const shown: string[] = [];
		let leastAlike = 1;
		for await (const { index, ptsMs, picture } of decodePictures(fileOf(receiver))) {
			if (index % COMPARE_EVERY !== 0) {
				continue;
			}
			const compared = [...expected].map(([layout, places]) => ({ layout, places, alike: likeness(picture, places) }));
			// The one that says most about the picture: where `pip` is right, `solo` is too.
			const right = compared.filter(({ alike }) => alike > ALIKE).sort((a, b) => b.places.length - a.places.length);
			const best = right[0] ?? compared.sort((a, b) => b.alike - a.alike)[0];
			// Until both people are there it shows cards.
			if (best === undefined || (shown.length === 0 && (best.alike < ALIKE || best.layout !== LAYOUTS[0]))) {
				continue;
			}
			expect(best.alike, `picture at ${ptsMs} ms, most like ${best.layout}`).toBeGreaterThan(ALIKE);
			leastAlike = Math.min(leastAlike, best.alike);
			if (shown.at(-1) !== best.layout) {
				shown.push(best.layout);
				for (const { id, rect } of best.places) {
					const disc = discShape(picture, rect, (id === "host" ? HOST_CARD : GUEST_CARD).disc);
					expect(Math.abs(disc.width / disc.height - 1), `${id} in ${best.layout}`).toBeLessThan(ROUND_WITHIN);
				}
			}
		}
		expect(shown).toEqual([...LAYOUTS]);
		await annotate(`least alike: SSIM ${leastAlike.toFixed(3)}`);
	});

	it("sounds of both people to the end, whatever the layout", async () => {
		const sound = await decodeSound(fileOf(receiver));
		const endMs = sound.startMs + (sound.samples.length / 48_000) * 1_000;
		for (let back = 1; back <= LAYOUTS.length * SECONDS_EACH; back++) {
			const second = soundBetween(sound, endMs - back * 1_000, endMs - (back - 1) * 1_000);
			for (const [person, toneHz] of Object.entries(TONES_HZ)) {
				expect(toneLevel(second, toneHz), `${person}, ${back} s before the end`).toBeGreaterThan(0.1);
			}
			expect(toneLevel(second, 700), "a tone that nobody made").toBeLessThan(0.005);
		}
	});
});

describe("the broadcast", () => {
	it("kept one session with each destination through every change", () => {
		expect(take.publishings).toBe(1);
		expect(
			take.stats.destinations.map(({ state, egress }) => [state, egress?.reconnects, egress?.droppedTags]),
		).toEqual([
			["live", 0, 0],
			["live", 0, 0],
		]);
	});

	it("held at most 1 % of its frames and left none out", async ({ annotate }) => {
		const { first, last } = take;
		const frames = last.program.frames - first.program.frames;
		await annotate(`${frames} frames, held ${(heldShare(take) * 100).toFixed(1)} %; skew ${last.avSkewMs} ms`);
		await annotate(`latency ${JSON.stringify(last.latencyMs)}`);
		expect(heldShare(take)).toBeLessThanOrEqual(0.01);
		expect(last.program.droppedFrames - first.program.droppedFrames).toBe(0);
	});
});
