import { expect, test } from "vitest";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";
import { HoldPicture } from "../../../../worker/router/splicer/hold-picture.ts";
import { Splicer } from "../../../../worker/router/splicer/splicer.ts";
import type { StreamTag } from "../../../../worker/router/stream-tag.ts";
import {
	configFaults,
	idrFaults,
	lagsMs,
	longestFreezeMs,
	pairs,
	presentMs,
	skew,
	soundGaps,
	timeFaults,
} from "./program-checks.ts";
import { COMPOSITE, HOST, markOf, picture, sound } from "./tags.ts";
import { type CompositeShape, type HostShape, type OutTag, World } from "./world.ts";

/** Three quarters of a frame of AAC at 44.1 kHz, and what rounding adds: a longer hole is filled. */
const SOUND_HOLE_MS = 19;
/** Half a frame, likewise: sound that lies further in what has been heard is left out. */
const SOUND_OVERLAP_MS = 13;

/** A program that has run for a while on the host. */
function onHost(host: Partial<HostShape> = {}, composite: Partial<CompositeShape> = {}): World {
	const world = new World({ host, composite });
	world.host.connect();
	world.run(3_020);
	expect(world.splicer.source).toBe("host");
	return world;
}

function onComposite(host: Partial<HostShape> = {}, composite: Partial<CompositeShape> = {}): World {
	const world = onHost(host, composite);
	world.composite.start();
	world.splicer.prefer("composite");
	world.run(3_000);
	expect(world.splicer.source).toBe("composite");
	return world;
}

const contents = (tags: readonly OutTag[]) =>
	tags.toSorted((a, b) => presentMs(a) - presentMs(b)).map(({ sent }) => sent?.content);
const presentSteps = (tags: readonly OutTag[]) =>
	pairs(tags.map(presentMs).toSorted((a, b) => a - b)).map(([before, after]) => after - before);

function expectWhole(world: World, skewFromMs = 0): void {
	expect(timeFaults(world)).toEqual([]);
	expect(configFaults(world)).toEqual([]);
	expect(idrFaults(world)).toEqual([]);
	const { worstMs, compared } = skew(world.out.filter(({ atMs }) => atMs >= skewFromMs));
	expect(worstMs).toBeLessThanOrEqual(1);
	expect(compared).toBeGreaterThan(50);
}

function expectSoundWithin(world: World, mostMs = SOUND_HOLE_MS, fromMs = 0): void {
	const gaps = soundGaps(world.audio.filter(({ atMs }) => atMs >= fromMs)).map(({ gapMs }) => gapMs);
	expect(gaps.length).toBeGreaterThan(50);
	expect(Math.max(...gaps)).toBeLessThanOrEqual(mostMs);
	expect(Math.min(...gaps)).toBeGreaterThanOrEqual(-Math.min(mostMs, SOUND_OVERLAP_MS));
}

test.each([
	["without pictures out of order", false],
	["with pictures out of order", true],
])(
	"hands over to the composite and back, of a host %s, with every picture of the host once, one frame apart",
	(_name, reorders) => {
		const world = onComposite({ reorders });
		world.splicer.prefer("host");
		world.run(4_000);
		expect(world.splicer.source).toBe("host");
		expect(world.splicer.figures(world.nowMs).switches).toBe(2);
		const shown = contents(world.video);
		expect(shown.slice(0, -3)).toEqual(shown.slice(0, -3).map((_, at) => (shown[0] ?? 0) + at));
		expect(new Set(presentSteps(world.video).slice(0, -3))).toEqual(new Set([40]));
		expect(world.audio.every(({ sent }) => sent !== undefined)).toBe(true);
		expectWhole(world);
		expectSoundWithin(world);
		expect(world.keyFrameRequests).toBe(1);
	},
);

test("cuts a host with pictures out of order at the next place where they are in order, not at its next key frame", () => {
	const world = onHost({ reorders: true, groupMs: 8_000 });
	world.composite.start();
	world.run(500);
	world.splicer.prefer("composite");
	expect(world.runUntil(() => world.keyFrameRequests === 1, 200)).toBe(true);
});

test("follows on where a composite's key frame is shown, not where it is decoded", () => {
	const splicer = new Splicer("host", 0);
	const out: StreamTag[] = [];
	for (let ms = 0; ms <= 400; ms += 40) {
		splicer.prefer(ms < 320 ? "host" : "composite");
		const composite = { timeMs: ms, compositionMs: 80, encoder: COMPOSITE, keyFrame: ms === 200 || ms === 400 };
		if (ms >= 200) {
			out.push(...splicer.push("composite", picture({ ...composite, ...(ms === 400 && { showsHostMs: 320 }) }), ms));
		}
		out.push(...splicer.push("host", picture({ timeMs: ms, keyFrame: ms === 0 }), ms));
	}
	expect(splicer.source).toBe("composite");
	expect(out.filter(({ track }) => track === "video").map((tag) => tag.timeMs + tag.compositionMs)).toEqual([
		0, 40, 80, 120, 160, 200, 240, 280, 320,
	]);
});

test("is not earlier by a host that stalls over and over, and for which the composite steps in", () => {
	const world = onHost({}, { lagMs: 300 });
	world.composite.start();
	world.splicer.prefer("composite");
	world.run(2_000);
	world.splicer.prefer("host");
	world.run(3_000);
	for (let stall = 0; stall < 8; stall++) {
		world.host.stall(2_000);
		world.run(1_500);
		expect(world.splicer.source).toBe("composite");
		world.run(5_000);
		expect(world.splicer.source).toBe("host");
	}
	expect(Math.abs(lagsMs(world).at(-1)?.lagMs ?? 0)).toBeLessThan(200);
	expectWhole(world);
});

test("fills a hole in a source's own sound that can be heard", () => {
	const world = onHost();
	world.host.hasSound = false;
	world.run(400);
	world.host.hasSound = true;
	world.run(1_000);
	expect(world.audio.some(({ sent }) => sent === undefined)).toBe(true);
	expectSoundWithin(world);
});

test("holds behind the latest picture that is to be shown, however late that is", () => {
	const splicer = new Splicer("host", 0);
	splicer.push("host", picture({ timeMs: 0, keyFrame: true }), 0);
	splicer.push("host", picture({ timeMs: 40, compositionMs: 2_000 }), 40);
	const [held] = splicer.tick(540);
	expect(held).toMatchObject({ keyFrame: true, compositionMs: 0, timeMs: 2_041 });
});

test("says all times right when the host's go past what 24, 31 and 32 bits carry in mid-switch", () => {
	for (const end of [2 ** 24, 2 ** 31, 2 ** 32]) {
		const world = onComposite({ startMs: end - 3_080 });
		world.splicer.prefer("host");
		world.run(4_000);
		expect(world.splicer.source).toBe("host");
		expect(new Set(presentSteps(world.video))).toEqual(new Set([40]));
		expectWhole(world);
	}
});

test("falls to the host within half a second when the composite stops, and is not later by it", () => {
	const world = new World({ prefers: "composite", composite: { lagMs: 300 } });
	world.host.connect();
	world.composite.start();
	world.run(5_000);
	expect(world.splicer.source).toBe("composite");
	for (let death = 0; death < 10; death++) {
		world.composite.die();
		world.run(2_500);
		expect(world.splicer.source).toBe("host");
		world.composite.start();
		world.run(3_000);
		expect(world.splicer.source).toBe("composite");
	}
	expect(longestFreezeMs(world)).toBeLessThan(600);
	expect(Math.abs(lagsMs(world).at(-1)?.lagMs ?? 0)).toBeLessThanOrEqual(340);
	expectWhole(world);
	expectSoundWithin(world);
});

test("goes back to the host when the composite dies in mid-cut, with every picture that was kept", () => {
	const world = onHost({}, { lagMs: 400 });
	world.composite.start();
	world.run(1_000);
	world.splicer.prefer("composite");
	expect(world.runUntil(() => world.keyFrameRequests === 1, 500)).toBe(true);
	world.run(200);
	const withheldFrom = world.video.at(-1)?.sent?.content ?? 0;
	world.composite.die();
	world.run(1_500);
	expect(world.splicer.source).toBe("host");
	expect(longestFreezeMs(world)).toBeLessThan(700);
	const shown = contents(world.video);
	expect(shown).toEqual(shown.map((_, at) => (shown[0] ?? 0) + at));
	expect(shown.at(-1)).toBeGreaterThan(withheldFrom + 20);
	expect(new Set(presentSteps(world.video))).toEqual(new Set([40]));
	expectWhole(world);
	expectSoundWithin(world);
});

test("gives a cut up when the key frame never comes, loses nothing by it, and tries again later", () => {
	const world = onHost({}, { groupMs: 20_000 });
	world.composite.isDeaf = true;
	world.composite.start();
	world.run(1_000);
	world.splicer.prefer("composite");
	world.run(1_100);
	expect(world.splicer.source).toBe("host");
	expect(world.keyFrameRequests).toBe(1);
	const shown = contents(world.video);
	expect(shown).toEqual(shown.map((_, at) => (shown[0] ?? 0) + at));
	expectWhole(world);
	expectSoundWithin(world);
	world.run(1_800);
	expect(world.keyFrameRequests).toBe(1);
	world.composite.isDeaf = false;
	world.run(1_500);
	expect(world.keyFrameRequests).toBe(2);
	expect(world.splicer.source).toBe("composite");
});

test("does not switch at a key frame that shows what the host has shown", () => {
	const world = onHost({}, { lagMs: 400, groupMs: 200 });
	world.composite.start();
	world.run(1_000);
	world.splicer.prefer("composite");
	world.run(1_500);
	expect(world.splicer.source).toBe("composite");
	const shown = contents(world.video);
	expect(shown).toEqual(shown.map((_, at) => (shown[0] ?? 0) + at));
});

test("asks a compositor that takes over in mid-cut for the key frame again", () => {
	const world = onHost({}, { lagMs: 400 });
	world.composite.start();
	world.run(1_000);
	world.splicer.prefer("composite");
	expect(world.runUntil(() => world.keyFrameRequests === 1, 500)).toBe(true);
	world.composite.start();
	world.run(600);
	expect(world.keyFrameRequests).toBe(2);
	expect(world.splicer.source).toBe("composite");
	const shown = contents(world.video);
	expect(shown).toEqual(shown.map((_, at) => (shown[0] ?? 0) + at));
	expectWhole(world);
});

test("takes the composite at once when the host dies in mid-cut", () => {
	const world = onHost({}, { lagMs: 400 });
	world.composite.start();
	world.run(1_000);
	world.splicer.prefer("composite");
	expect(world.runUntil(() => world.keyFrameRequests === 1, 500)).toBe(true);
	world.host.disconnect();
	world.run(1_000);
	expect(world.splicer.source).toBe("composite");
	expect(longestFreezeMs(world)).toBeLessThan(500);
	expectWhole(world);
});

test("stays with the composite when the host dies in mid-drain, and drains again when it is back", () => {
	const world = onComposite({}, { lagMs: 400 });
	world.splicer.prefer("host");
	const wasAt = world.sent.length;
	const drainsFromMs = world.nowMs;
	const keyCame = () => world.sent.slice(wasAt).some(({ id, keyFrame }) => id === "host" && keyFrame);
	expect(world.runUntil(keyCame, 3_000)).toBe(true);
	world.host.disconnect();
	world.run(2_500);
	expect(world.splicer.source).toBe("composite");
	world.host.connect(0);
	world.run(4_000);
	expect(world.splicer.source).toBe("host");
	expect(longestFreezeMs(world, drainsFromMs)).toBeLessThan(100);
	expectWhole(world);
});

test("drains without waiting when the composite has never said what it shows", () => {
	const world = onHost();
	world.composite.isMute = true;
	world.composite.start();
	world.splicer.prefer("composite");
	world.run(3_000);
	expect(world.splicer.source).toBe("composite");
	world.splicer.prefer("host");
	world.run(2_500);
	expect(world.splicer.source).toBe("host");
	expect(longestFreezeMs(world)).toBeLessThan(250);
	expectWhole(world);
});

test("shows nothing more of a host that is unfit from one picture to the next", () => {
	const world = onHost();
	world.splicer.setHostFit(false);
	const before = world.video.length;
	world.run(3_000);
	expect(world.splicer.source).toBe("hold");
	expect(world.video.slice(before).every(({ sent, keyFrame }) => sent === undefined && keyFrame)).toBe(true);
	world.composite.start();
	world.run(500);
	expect(world.splicer.source).toBe("composite");
	world.splicer.setHostFit(true);
	world.run(3_000);
	expect(world.splicer.source).toBe("host");
	expectWhole(world);
});

test("never begins with a host that must wait for the composite, but does when it has waited", () => {
	const waits = (hostWaitsMs: number) => {
		const splicer = new Splicer("composite", 0, hostWaitsMs);
		const out: StreamTag[] = [];
		for (let ms = 0; ms < 3_000; ms += 40) {
			out.push(...splicer.push("host", picture({ timeMs: ms, keyFrame: ms === 0 }), ms));
		}
		return { splicer, out };
	};
	expect(waits(3_000).out).toEqual([]);
	expect(waits(3_000).splicer.source).toBe("none");
	expect(waits(3_000).splicer.withoutSourceMs(2_000)).toBe(2_000);
	expect(waits(2_000).splicer.source).toBe("host");
	const { splicer } = waits(3_000);
	expect(splicer.push("composite", picture({ timeMs: 0, keyFrame: true, encoder: COMPOSITE }), 2_990)).toHaveLength(1);
});

test("holds with the picture of an earlier life, and lets the host wait all the same", () => {
	const splicer = new Splicer("composite", 10_000, 1_500);
	const restored = splicer.restore(
		new HoldPicture(picture({ timeMs: 77_000, keyFrame: true, compositionMs: 80 })),
		10_000,
	);
	expect(splicer.source).toBe("hold");
	expect(restored.filter(({ track }) => track === "video")).toHaveLength(1);
	expect(restored[0]).toMatchObject({ keyFrame: true, compositionMs: 80, configs: HOST.configs });
	const out = [...restored];
	const step = (ms: number) => {
		out.push(...splicer.push("host", picture({ timeMs: ms, keyFrame: ms % 400 === 0 }), ms));
		out.push(...splicer.push("host", sound({ timeMs: ms }), ms));
		out.push(...splicer.tick(ms));
	};
	for (let ms = 10_000; ms < 11_500; ms += 40) {
		step(ms);
	}
	expect(splicer.source).toBe("hold");
	expect(out.filter(({ track }) => track === "video")).toHaveLength(3);
	for (let ms = 11_520; ms < 13_000; ms += 40) {
		step(ms);
	}
	expect(splicer.source).toBe("host");
	const video = out.filter(({ track }) => track === "video");
	expect(pairs(video).every(([before, tag]) => tag.timeMs > before.timeMs)).toBe(true);
	expect(video.at(-1)?.timeMs).toBeGreaterThan(2_900);
	expect(video.at(-1)?.timeMs).toBeLessThan(3_100);
});

test("holds the last key frame twice a second with silence, and goes on live when the host is back", () => {
	const world = onHost({ reorders: true });
	const lastKey = world.video.findLast(({ keyFrame }) => keyFrame);
	world.host.vanish();
	const before = world.video.length;
	world.run(10_000);
	expect(world.splicer.source).toBe("hold");
	const held = world.video.slice(before);
	expect(held.length).toBeGreaterThanOrEqual(18);
	for (const [first, second] of pairs(held)) {
		expect(second.atMs - first.atMs).toBeGreaterThanOrEqual(500);
		expect(second.atMs - first.atMs).toBeLessThanOrEqual(550);
		expect(second.timeMs - first.timeMs).toBe(second.atMs - first.atMs);
	}
	expect(held.every((tag) => tag.keyFrame && tag.compositionMs === lastKey?.compositionMs)).toBe(true);
	expect(new Set(held.map(({ message }) => message.byteLength)).size).toBe(1);
	const earlier = Math.max(...world.video.slice(0, before).map(presentMs));
	expect(presentMs(held[0] as OutTag)).toBeGreaterThan(earlier);
	const quietMs = held.map(
		({ timeMs }, at) => timeMs - (world.audio.findLast(({ atMs }) => atMs <= (held[at]?.atMs ?? 0))?.timeMs ?? 0),
	);
	expect(Math.max(...quietMs)).toBeLessThan(50);
	// Silence is of the host's own kind.
	expect(world.sink.tags.filter(({ type, body }) => type === TAG_TYPE.audio && body[1] === 0)).toHaveLength(1);
	world.host.connect(0);
	world.run(4_000);
	expect(world.splicer.source).toBe("host");
	expectWhole(world);
	expectSoundWithin(world);
	const { heldMs } = world.splicer.figures(world.nowMs);
	expect(heldMs).toBeGreaterThan(9_000);
	expect(heldMs).toBeLessThan(10_600);
});

test("a hold that ends in a burst shows none of what is late in real time, and the program is not later or earlier by it", () => {
	const world = onHost({ groupMs: 4_000 });
	for (let stall = 0; stall < 10; stall++) {
		world.host.stall(2_000);
		world.run(2_001);
		expect(world.splicer.source).toBe("host");
		world.run(4_000);
	}
	const lags = lagsMs(world).filter(({ atMs }) => atMs > 3_000);
	expect(Math.min(...lags.map(({ lagMs }) => lagMs))).toBeGreaterThan(-100);
	expect(Math.abs(lags.at(-1)?.lagMs ?? 0)).toBeLessThan(50);
	expect(longestFreezeMs(world)).toBeLessThan(600);
	expectWhole(world);
	expectSoundWithin(world);
});

test("a host that comes back with what it had queued is not shown later for it", () => {
	const world = onHost();
	for (let time = 0; time < 10; time++) {
		world.host.disconnect();
		world.run(1_000);
		world.host.connect(time * 100_000);
		world.host.stall(2_000);
		world.run(6_000);
	}
	expect(Math.abs(lagsMs(world).at(-1)?.lagMs ?? 0)).toBeLessThan(300);
	expectWhole(world, world.nowMs - 3_000);
	expectSoundWithin(world);
});

test("a host without sound gets silence in step with its pictures", () => {
	const world = onHost({ soundRate: undefined });
	world.run(5_000);
	const lastMs = world.video.at(-1)?.timeMs ?? 0;
	expect(world.audio.at(-1)?.timeMs).toBeGreaterThan(lastMs - 600);
	expect(world.audio.at(-1)?.timeMs).toBeLessThan(lastMs);
	expect(world.audio.every(({ sent }) => sent === undefined)).toBe(true);
	expect(world.audio[0]?.timeMs).toBeLessThan(25);
	expectSoundWithin(world, 1);
	expect(configFaults(world)).toEqual([]);
	world.composite.start();
	world.splicer.prefer("composite");
	world.run(3_000);
	expect(world.audio.at(-1)?.sent?.id).toBe("composite");
	expectSoundWithin(world);
});

test("sound that stops for three seconds is silence, and is heard again when it comes", () => {
	const world = onHost();
	world.host.hasSound = false;
	world.run(3_000);
	expect(world.audio.at(-1)?.sent).toBeUndefined();
	world.host.hasSound = true;
	world.run(500);
	expect(world.audio.at(-1)?.sent?.id).toBe("host");
	expectWhole(world);
	expectSoundWithin(world);
});

test("finds sound again that comes back eight tenths of a second behind its pictures", () => {
	const splicer = new Splicer("host", 0);
	const out: StreamTag[] = [];
	for (let ms = 0; ms < 12_000; ms += 20) {
		if (ms % 40 === 0) {
			out.push(...splicer.push("host", picture({ timeMs: ms, keyFrame: ms % 2_000 === 0 }), ms));
		}
		if (ms < 3_000 || (ms > 6_000 && ms % 20 === 0)) {
			out.push(...splicer.push("host", sound({ timeMs: ms < 3_000 ? ms : ms - 800, mark: 7 }), ms));
		}
	}
	const heard = out.filter(({ track }) => track === "audio");
	// Silence is frames of 23 ms, this sound tags of 20 ms: nothing is said twice.
	expect(Math.min(...pairs(heard).map(([before, tag]) => tag.timeMs - before.timeMs))).toBeGreaterThan(10);
	const last = heard.slice(-100);
	expect(last.every(({ message }) => markOf(message) === 7)).toBe(true);
});

test.each([
	["negative", -80],
	["large", 3_000],
])("takes %s composition times as they are, and holds and hands over behind them", (_name, compositionMs) => {
	const splicer = new Splicer("host", 0);
	const out: StreamTag[] = [];
	for (let ms = 0; ms < 4_000; ms += 40) {
		out.push(...splicer.push("host", picture({ timeMs: ms, keyFrame: ms % 1_000 === 0, compositionMs }), ms));
	}
	expect(out.every((tag) => tag.track === "audio" || tag.compositionMs === compositionMs)).toBe(true);
	const before = Math.max(...out.map((tag) => tag.timeMs + tag.compositionMs));
	for (let ms = 4_000; ms < 6_000; ms += 50) {
		const held = splicer.tick(ms).filter(({ track }) => track === "video");
		expect(held.every((tag) => tag.timeMs + tag.compositionMs > before)).toBe(true);
		out.push(...held);
	}
	const video = out.filter(({ track }) => track === "video");
	expect(video.length).toBeGreaterThan(102);
	expect(pairs(video).every(([first, second]) => second.timeMs > first.timeMs)).toBe(true);
});

test("a newer publisher of the host's stream is followed from its first key frame at the clock's pace", () => {
	const world = onHost();
	for (let time = 0; time < 4; time++) {
		// Its own time says nothing of the pause.
		world.host.vanish();
		world.run(400);
		world.host.connect(123_456_789 * time);
		world.run(3_000);
	}
	expect(world.splicer.source).toBe("host");
	expect(longestFreezeMs(world)).toBeLessThan(500);
	expect(Math.abs(lagsMs(world).at(-1)?.lagMs ?? 0)).toBeLessThan(60);
	expectWhole(world);
	expectSoundWithin(world);
});

test("a source that stays late for good is followed again after a few seconds of hold", () => {
	const world = onHost();
	world.host.stall(1_500);
	world.run(1_499);
	// From here on everything comes 1.5 s later than it did.
	world.host.jump(-1_500);
	world.run(6_000);
	expect(world.splicer.source).toBe("host");
	expect(timeFaults(world)).toEqual([]);
});

test("only a configuration whose bytes differ goes out, however often the source changes", () => {
	const world = onComposite();
	for (let turn = 0; turn < 6; turn++) {
		world.splicer.prefer(turn % 2 === 0 ? "host" : "composite");
		world.run(3_000);
	}
	expect(world.splicer.figures(world.nowMs).switches).toBe(7);
	const configs = world.sink.tags.filter(({ body }) => body[1] === 0);
	expect(configs.filter(({ type }) => type === TAG_TYPE.video)).toHaveLength(8);
	expect(configs.filter(({ type }) => type === TAG_TYPE.audio)).toHaveLength(8);
	expectWhole(world);
});
