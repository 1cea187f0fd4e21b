import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { TAG_TYPE } from "../../media/flv/tag.ts";
import { PublishRejection } from "../../rtmp/acceptor.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { DestinationServer, type DestinationSession } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { missingFrames } from "../support/program/frame-steps.ts";
import { readPackets } from "../support/program/packets.ts";
import { startNginxRtmp } from "../support/rtmp/nginx-rtmp.ts";
import { type LiveBroadcast, type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";
import type { Talker } from "../support/system/talkers.ts";

/**
 * One broadcast with a destination that behaves, and beside it, one after another, those that do not. Whatever these do, the first must not notice.
 */

const FRAME_RATE = 30;
const CLIP_SECONDS = 20;
/** The longest of a destination's own limits is 10 s, for a handshake that never comes. */
const STATE_WITHIN_MS = 40_000;
const KEY = "s3cret-key";
/** What the issue asks for of a destination that comes back. */
const BACK_WITHIN_MS = 5_000;
const SERVER_MS = 120_000;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let tandem: SystemUnderTest;
let broadcast: LiveBroadcast;
let good: DestinationServer;

beforeAll(async () => {
	const clip = folder.file("host.flv");
	await makeMovingClip(clip, 440, { width: 640, height: 360, frameRate: FRAME_RATE, seconds: CLIP_SECONDS });
	tandem = undo.use(await startSystem(folder.file("system")));
	good = undo.use(await DestinationServer.listen());
	broadcast = await tandem.goLive({
		title: "Destinations",
		width: 640,
		height: 360,
		frameRate: FRAME_RATE,
		destinations: [{ url: good.url, streamKey: KEY }],
	});
	undo.use(publishFile(clip, broadcast.publishUrl("host"), { loop: true }));
	await broadcast.untilSeen(["host"] satisfies Talker[]);
	await broadcast.untilLive();
});

afterAll(() => undo.disposeAsync());

/** After every test: the destination that behaves has had one session, with every frame in it. */
afterEach(async () => {
	const framesBefore = good.latest.videoFrames;
	await waitFor(
		"the other destination to get more",
		STATE_WITHIN_MS,
		() => good.latest.videoFrames > framesBefore || undefined,
	);
	expect(good.sessions.length).toBe(1);
	await expectNoGap(good.latest);
	expect(await statusOf(undefined)).toMatchObject({ state: "live", reconnects: 0, droppedTags: 0 });
});

/** Every frame that the compositor made, and all sound. */
async function expectNoGap(session: DestinationSession): Promise<void> {
	const missing = missingFrames(session.frameTimesMs(), FRAME_RATE);
	if (missing > 0) {
		// What the machine had no time for was never sent to anybody; the figures tell of it within a second or two.
		const { program } = await broadcast.untilProgramGoesOn(2);
		expect(missing, "missing frames").toBeLessThanOrEqual(program.droppedFrames);
	}
	const sound = session.soundTimesMs();
	const soundSteps = sound.slice(1).map((time, index) => time - (sound[index] ?? Number.NaN));
	expect(soundSteps.filter((step) => step < 21 || step > 22)).toEqual([]);
}

interface Added extends AsyncDisposable {
	readonly id: string;
}

/** Adds a destination live; it is taken off again when the test is over. */
async function add(destination: { readonly url: string }, streamKey = KEY): Promise<Added> {
	const path = `/api/broadcasts/${broadcast.id}/destinations`;
	const answer = await tandem.api.call("POST", path, { url: destination.url, streamKey });
	const { id } = z.object({ id: z.string() }).parse(answer);
	return {
		id,
		[Symbol.asyncDispose]: async () => {
			await tandem.api.call("DELETE", `${path}/${id}`);
		},
	};
}

/** What the broadcast's figures say of a destination; of the one that behaves without an id. */
async function statusOf(id: string | undefined) {
	const { destinations } = await broadcast.stats();
	const found = id === undefined ? destinations[0] : destinations.find((each) => each.id === id);
	return { ...found?.egress, state: found?.state };
}

function untilState(id: string, state: string) {
	return waitFor(`the destination to be ${state}`, STATE_WITHIN_MS, async () => {
		const status = await statusOf(id);
		return status.state === state ? status : undefined;
	});
}

function untilFrames(destination: DestinationServer, session: number, frames: number): Promise<DestinationSession> {
	return waitFor(`${frames} frames in session ${session}`, STATE_WITHIN_MS, () => {
		const found = destination.sessions[session];
		return found !== undefined && found.videoFrames >= frames ? found : undefined;
	});
}

/** Time at a destination less time at the one that behaves, of what they got last. */
function aheadOfGoodMs(destination: DestinationServer): number {
	const lastMs = ({ latest }: DestinationServer) => latest.frameTimesMs().at(-1) ?? Number.NaN;
	return lastMs(destination) - lastMs(good);
}

/** Frames missing right before a key frame, and missing elsewhere. */
function gapsOf(session: DestinationSession): { beforeKeyFrames: number; elsewhere: number } {
	const times = session.frameTimesMs();
	const kinds = session.kinds().filter((kind) => kind === "video-key" || kind === "video-inter");
	const gaps = { beforeKeyFrames: 0, elsewhere: 0 };
	times.slice(1).forEach((time, index) => {
		const missing = missingFrames([times[index] ?? Number.NaN, time], FRAME_RATE);
		gaps[kinds[index + 1] === "video-key" ? "beforeKeyFrames" : "elsewhere"] += missing;
	});
	return gaps;
}

const reportSchema = z.object({
	ok: z.boolean(),
	steps: z.array(z.object({ step: z.string(), ms: z.number() })),
	error: z.string().optional(),
	refused: z.boolean().optional(),
	warnings: z.array(z.object({ code: z.string() })),
});

/** Tests a destination of a broadcast that is still in the lobby: beside the one that is live, and with the same key. */
async function tested(url: string, via: "edge" | "runner" = "edge"): Promise<z.infer<typeof reportSchema>> {
	const path = "/api/broadcasts";
	const body = { title: "In the lobby", width: 640, height: 360, destinations: [{ url, via, streamKey: KEY }] };
	const created = await tandem.api.call("POST", path, body);
	const idSchema = z.object({ id: z.string() });
	const { id, destinations } = idSchema.extend({ destinations: z.array(idSchema) }).parse(created);
	const report = await tandem.api.call("POST", `${path}/${id}/destinations/${destinations[0]?.id}/test`);
	await tandem.api.call("DELETE", `${path}/${id}`);
	return reportSchema.parse(report);
}

it("tests one beforehand: a server of others takes two seconds, and one that refuses says why without the key", async () => {
	using records = new TempFolder();
	const nginx = await startNginxRtmp(records.path, SERVER_MS);
	try {
		const taken = await tested(`rtmp://127.0.0.1:${nginx.port}/live`);
		expect(taken).toMatchObject({ ok: true, warnings: [] });
		expect(taken.steps.map(({ step }) => step)).toEqual(["dial", "handshake", "connect", "publish", "media", "end"]);
		const { video, audio, complaints } = await readPackets(nginx.recordingOf(KEY));
		expect(complaints).toBe("");
		expect(video.map(({ key }) => key)).toEqual([true, true, true, true]);
		expect(audio.length).toBeGreaterThanOrEqual(93);
		const refused = await tested(`rtmp://127.0.0.1:${nginx.port}/closed`);
		expect(refused).toMatchObject({ ok: false, refused: true, error: expect.stringMatching(/./) });
		// It says yes first, as some services do, and closes.
		expect(refused.steps.at(-1)?.step).toBe("publish");
		expect(JSON.stringify(refused)).not.toContain(KEY);
	} finally {
		await nginx.stop();
	}
	await using denying = await DestinationServer.listen({
		onPublish: () => {
			throw new PublishRejection("NetStream.Publish.Denied", `test: expected another key, got ${KEY}`);
		},
	});
	const denied = await tested(denying.url);
	expect(denied).toMatchObject({ ok: false, refused: true });
	expect(denied.steps.at(-1)?.step).toBe("connect");
	expect(JSON.stringify(denied)).not.toContain(KEY);
	expect(await tested("rtmp://127.0.0.1:9/app")).toMatchObject({ ok: false, steps: [] });
});

it("tests one by way of a runner as it does from the edge", async () => {
	await using destination = await DestinationServer.listen();
	const report = await tested(destination.url, "runner");
	expect(report).toMatchObject({ ok: true, warnings: [] });
	expect(report.steps.map(({ step }) => step)).toEqual(["dial", "handshake", "connect", "publish", "media", "end"]);
	expect(destination.sessions.length).toBe(1);
	expect(destination.latest.kinds().slice(0, 2)).toEqual(["video-config", "audio-config"]);
	expect(destination.latest.videoFrames).toBe(4);
});

it("takes one more live, which begins with headers at a key frame, and takes it off again", async () => {
	await using destination = await DestinationServer.listen();
	{
		await using added = await add(destination);
		const session = await untilFrames(destination, 0, FRAME_RATE);
		await untilState(added.id, "live");
		expect(session.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
		await expectNoGap(session);
	}
	await waitFor("the session to end", STATE_WITHIN_MS, () => destination.latest.ended);
	const { destinations } = await broadcast.stats();
	expect(destinations.length).toBe(1);
	expect(destination.sessions.length).toBe(1);
});

it("comes back to one that closes, with headers, at a key frame, and with time going on", async () => {
	await using destination = await DestinationServer.listen({
		onTag: (_tag, session) => {
			if (destination.sessions.length === 1 && session.videoFrames >= 2 * FRAME_RATE) {
				session.drop();
			}
		},
	});
	await using added = await add(destination);
	const again = await untilFrames(destination, 1, 2 * FRAME_RATE);
	const first = destination.sessions[0];
	expect(again.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
	expect(again.tags[0]?.type, "metadata first").toBe(TAG_TYPE.script);
	expect(again.frameTimesMs()[0]).toBeGreaterThan(first?.frameTimesMs().at(-1) ?? Number.NaN);
	await expectNoGap(again);
	expect(await untilState(added.id, "live")).toMatchObject({ reconnects: 1 });
});

it("finds one that was away again within five seconds, with headers and a key frame", async () => {
	const down = await DestinationServer.listen();
	await using added = await add(down);
	await untilFrames(down, 0, FRAME_RATE);
	const lastMs = down.latest.frameTimesMs().at(-1) ?? Number.NaN;
	const aheadBeforeMs = aheadOfGoodMs(down);
	const { port } = down;
	await down[Symbol.asyncDispose]();
	await untilState(added.id, "retrying");
	// By then the waits between attempts are as long as they get.
	await broadcast.untilProgramGoesOn(8);
	expect((await statusOf(added.id)).state).toBe("retrying");
	await using back = await DestinationServer.listen({}, port);
	const backMs = performance.now();
	const session = await untilFrames(back, 0, 1);
	expect(performance.now() - backMs).toBeLessThan(BACK_WITHIN_MS);
	expect(session.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
	expect(session.frameTimesMs()[0]).toBeGreaterThan(lastMs);
	// Time there went on with that at the destination beside it, so that the stream is no later than before.
	await untilFrames(back, 0, 2 * FRAME_RATE);
	expect(Math.abs(aheadOfGoodMs(back) - aheadBeforeMs)).toBeLessThan(500);
});

it("a real server, added live, gets all from a key frame on until it is taken off", async () => {
	const nginx = await startNginxRtmp(folder.path, SERVER_MS);
	try {
		{
			await using added = await add({ url: `rtmp://127.0.0.1:${nginx.port}/live` }, "added");
			await untilState(added.id, "live");
			await broadcast.untilProgramGoesOn(3);
			expect(await statusOf(added.id)).toMatchObject({ reconnects: 0, droppedTags: 0 });
		}
		// The name is free at once: what was taken off has said goodbye.
		await using again = await add({ url: `rtmp://127.0.0.1:${nginx.port}/live` }, "added");
		await untilState(again.id, "live");
		expect(await statusOf(again.id)).toMatchObject({ reconnects: 0, droppedTags: 0 });
	} finally {
		await nginx.stop();
	}
});

it("takes a refusal as final, says why without the key, and does not ask again", async () => {
	await using destination = await DestinationServer.listen({
		onPublish: () => {
			throw new PublishRejection("NetStream.Publish.BadName", "no such stream key");
		},
	});
	await using added = await add(destination, "wrong-s3cret");
	const status = await untilState(added.id, "refused");
	expect(status.lastError).toContain("no such stream key");
	expect(status.lastError).not.toContain("wrong-s3cret");
	// Longer than the first waits between attempts would be, in program time.
	await broadcast.untilProgramGoesOn(4);
	expect(destination.connectedAtMs.length).toBe(1);
	expect((await statusOf(added.id)).state).toBe("refused");
});

it("goes there after all when a refused key is put right, live", async () => {
	await using picky = await DestinationServer.listen({
		onPublish: (attempt) => {
			if (attempt === 1) {
				throw new PublishRejection("NetStream.Publish.BadName", "test: expected another key");
			}
		},
	});
	await using added = await add(picky, "mistyped-key");
	await untilState(added.id, "refused");
	const path = `/api/broadcasts/${broadcast.id}/destinations/${added.id}`;
	await tandem.api.call("PATCH", path, { streamKey: "right-key" });
	await untilState(added.id, "live");
	const session = await untilFrames(picky, 0, FRAME_RATE);
	expect(session.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
});

it("gives up on one that is silent in time, and tries again without a storm", async () => {
	await using destination = await DestinationServer.listen({ silent: true });
	await using added = await add(destination);
	const status = await untilState(added.id, "retrying");
	expect(status.lastError).toContain("handshake");
	expect(destination.connectedAtMs.length).toBeLessThanOrEqual(2);
});

it("skips for one that reads slowly, then goes on there at a key frame", async () => {
	const reading = Promise.withResolvers<void>();
	await using destination = await DestinationServer.listen({
		onTag: (_tag, session) => (session.videoFrames < FRAME_RATE ? undefined : reading.promise),
	});
	await using added = await add(destination);
	const slow = await waitFor("tags to be skipped", STATE_WITHIN_MS, async () => {
		const status = await statusOf(added.id);
		return (status.droppedTags ?? 0) > 0 ? status : undefined;
	});
	expect(slow.queueMs).toBeLessThanOrEqual(2_100);
	reading.resolve();
	// What lay in buffers on the way comes first.
	const { session, skipped } = await waitFor("frames from after the skipped ones", STATE_WITHIN_MS, () => {
		const gaps = gapsOf(destination.latest);
		return gaps.beforeKeyFrames > 0 ? { session: destination.latest, skipped: gaps } : undefined;
	});
	const { program } = await broadcast.untilProgramGoesOn(2);
	// Where another frame than a key frame follows, the compositor had no time for one, which nobody got then.
	expect(skipped.elsewhere).toBeLessThanOrEqual(program.droppedFrames);
	expect(session.ended).toBeUndefined();
	await untilState(added.id, "live");
});
