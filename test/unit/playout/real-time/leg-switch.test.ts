import { beforeEach, describe, expect, test } from "vitest";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { type Leg, LegSwitch, type PathChange } from "../../../../playout/real-time/leg-switch.ts";

const PICTURE_MS = 1_000 / 30;
const SOUND_MS = { stream: 64 / 3, "real-time": 20 };

/** What the two legs of one person do; times are of capture, in ms. */
interface Show {
	readonly seconds: number;
	/** From capture to here. */
	readonly transitMs: Readonly<Record<Leg, number>>;
	/** Whether a frame captured then goes out by that leg. */
	readonly sends: (leg: Leg, track: "audio" | "video", atMs: number) => boolean;
	/** Key frames of a leg, besides the first after a silence. */
	readonly isKey?: (leg: Leg, index: number) => boolean;
	readonly connected?: (nowMs: number) => boolean;
	readonly clocks?: Partial<Record<Leg, "own" | "local" | "capture">>;
}

interface Event {
	readonly atMs: number;
	readonly leg: Leg | undefined;
	readonly frame?: EncodedFrame;
	readonly path?: PathChange;
	readonly keyFrameWanted?: boolean;
}

function run(show: Show): Event[] {
	const arrivals: { leg: Leg; frame: EncodedFrame; arrivalUs: number }[] = [];
	for (const leg of ["stream", "real-time"] as const) {
		for (const track of ["video", "audio"] as const) {
			const stepMs = track === "video" ? PICTURE_MS : SOUND_MS[leg];
			let wasSilent = true;
			let isFirst = true;
			for (let index = 0; index * stepMs < show.seconds * 1_000; index += 1) {
				const atMs = index * stepMs;
				if (!show.sends(leg, track, atMs)) {
					wasSilent = true;
					continue;
				}
				const ptsUs = Math.round(atMs * 1_000) + (show.clocks?.[leg] === "own" ? 9e9 : 0);
				const common = { ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) };
				const keyFrame = wasSilent || (show.isKey?.(leg, index) ?? (leg === "stream" && index % 60 === 0));
				const config = isFirst ? { config: Uint8Array.of(leg.length) } : {};
				wasSilent = false;
				isFirst = false;
				const frame: EncodedFrame =
					track === "video"
						? { ...common, ...config, track, codec: leg === "stream" ? "avc" : "vp8", keyFrame }
						: { ...common, track, codec: leg === "stream" ? "aac" : "opus", keyFrame: true };
				arrivals.push({ leg, frame, arrivalUs: Math.round((atMs + show.transitMs[leg]) * 1_000) });
			}
		}
	}
	const events: Event[] = [];
	let nowUs = 0;
	const note = (event: Omit<Event, "atMs" | "leg">) => events.push({ atMs: nowUs / 1_000, leg: legs.leg, ...event });
	const legs = new LegSwitch({
		onFrame: (frame) => note({ frame }),
		onPath: (path) => note({ path }),
		onKeyFrameWanted: () => note({ keyFrameWanted: true }),
	});
	arrivals.sort((a, b) => a.arrivalUs - b.arrivalUs);
	let next = 0;
	for (; nowUs < show.seconds * 1e6 + 1e6; nowUs += 5_000) {
		legs.setConnected(show.connected?.(nowUs / 1_000) ?? true);
		for (let each = arrivals[next]; each !== undefined && each.arrivalUs <= nowUs; each = arrivals[next]) {
			legs.push(each.leg, each.frame, nowUs, show.clocks?.[each.leg] ?? "capture");
			next += 1;
		}
		legs.tick(nowUs);
	}
	return events;
}

const pathsOf = (events: readonly Event[]) =>
	events.flatMap(({ atMs, path }) => (path === undefined ? [] : [{ atMs, ...path }]));
const framesOf = (events: readonly Event[], track: "audio" | "video") =>
	events.flatMap(({ atMs, frame }) =>
		frame?.track === track && frame.data.byteLength > 0 ? [{ atMs, ptsMs: frame.ptsUs / 1_000, frame }] : [],
	);

/** Pictures that can be shown: later than all before. The others are for the decoder. */
function shown(
	events: readonly Event[],
): { readonly atMs: number; readonly ptsMs: number; readonly frame: EncodedFrame }[] {
	let newest = Number.NEGATIVE_INFINITY;
	return framesOf(events, "video").filter(({ ptsMs }) => {
		const isLater = ptsMs > newest;
		newest = Math.max(newest, ptsMs);
		return isLater;
	});
}

/** Every delta has its predecessor of the same leg right before it, or a key frame starts over. */
function expectDecodable(events: readonly Event[]): void {
	let before: EncodedFrame | undefined;
	for (const { frame } of framesOf(events, "video")) {
		if (!(frame.track === "video" && frame.keyFrame)) {
			expect(frame.codec).toBe(before?.codec);
			expect(frame.ptsUs - (before?.ptsUs ?? 0)).toBeCloseTo(PICTURE_MS * 1_000, -2);
		}
		before = frame;
	}
}

const largestStep = (times: readonly { readonly ptsMs: number }[]) =>
	times.reduce((most, { ptsMs }, index) => Math.max(most, ptsMs - (times[index - 1]?.ptsMs ?? ptsMs)), 0);
const BOTH = { stream: 90, "real-time": 40 };
const JOINS_AT_MS = 3_000;
const DIES_AT_MS = 7_000;

/** Stream first; real-time from 3 s to 7 s; the stream rests from 4.5 s and is woken 600 ms after the other has died. */
const HAND_OFF: Show = {
	seconds: 12,
	transitMs: BOTH,
	sends: (leg, _track, atMs) =>
		leg === "stream" ? atMs < 4_500 || atMs > DIES_AT_MS + 600 : atMs >= JOINS_AT_MS && atMs < DIES_AT_MS,
};

describe("from the stream to WebRTC and back", () => {
	let events: Event[];
	beforeEach(() => {
		events = run(HAND_OFF);
	});

	test("changes once each way, on one clock", () => {
		expect(pathsOf(events)).toMatchObject([
			{ leg: "real-time", sameClock: true },
			{ leg: "stream", sameClock: true },
		]);
		const [to, back] = pathsOf(events);
		expect(to?.atMs).toBeGreaterThan(JOINS_AT_MS);
		expect(to?.atMs).toBeLessThan(JOINS_AT_MS + BOTH.stream + 60);
		expect(to?.transitUs).toBeGreaterThan(39_000);
		expect(to?.transitUs).toBeLessThan(50_000);
		expect(back?.atMs).toBeLessThan(DIES_AT_MS + 600 + BOTH.stream + 60);
	});

	test("leaves no picture out and shows none twice where both legs flow", () => {
		const pictures = shown(events);
		expect(pictures).toHaveLength(framesOf(events, "video").length);
		expect(largestStep(pictures.filter(({ ptsMs }) => ptsMs < DIES_AT_MS))).toBeLessThan(PICTURE_MS + 1);
		expect(largestStep(pictures)).toBeLessThan(700);
		expectDecodable(events);
	});

	test("goes on with sound where the other leg ended, within half a frame", () => {
		const sound = framesOf(events, "audio").filter(({ ptsMs }) => ptsMs < DIES_AT_MS);
		for (const [index, { ptsMs, frame }] of sound.entries()) {
			const before = sound[index - 1];
			if (before !== undefined) {
				const endsMs = before.ptsMs + (before.frame.codec === "aac" ? SOUND_MS.stream : SOUND_MS["real-time"]);
				expect(Math.abs(ptsMs - endsMs), `${before.frame.codec} → ${frame.codec} at ${ptsMs}`).toBeLessThan(10.1);
			}
		}
		expect(new Set(sound.map(({ frame }) => frame.codec))).toEqual(new Set(["aac", "opus"]));
	});

	test("has each leg begin with its configuration", () => {
		for (const { leg } of pathsOf(events)) {
			const at = events.findIndex(({ path }) => path?.leg === leg);
			expect(events[at + 1]?.frame).toMatchObject({ track: "video", config: Uint8Array.of(leg.length) });
		}
	});
});

test("waits for a microphone that is announced by nothing but its silence, for a second, and goes on from the key frame before", () => {
	const events = run({
		...HAND_OFF,
		sends: (leg, track, atMs) => (leg === "stream" ? true : atMs >= JOINS_AT_MS && track === "video"),
	});
	const [to] = pathsOf(events);
	expect(to?.leg).toBe("real-time");
	expect(to?.atMs).toBeGreaterThan(JOINS_AT_MS + 900);
	expect(to?.atMs).toBeLessThan(JOINS_AT_MS + 1_300);
	expect(largestStep(shown(events))).toBeLessThan(PICTURE_MS + 1);
	expectDecodable(events);
});

test("asks for a key frame when none has come by the real-time leg, and stays with the stream until then", () => {
	const events = run({
		...HAND_OFF,
		sends: (leg, _track, atMs) => leg === "stream" || atMs >= JOINS_AT_MS,
		isKey: (leg, index) => (leg === "stream" ? index % 60 === 0 : index === 150),
	});
	// Its first frame after a silence is one in this rig; without it:
	const late = run({
		...HAND_OFF,
		sends: (leg, track, atMs) => leg === "stream" || (atMs >= JOINS_AT_MS && track === "audio"),
	});
	expect(pathsOf(events)).toHaveLength(1);
	expect(pathsOf(late)).toHaveLength(0);
});

test("takes a real-time leg of another clock as it is, and says that all starts over", () => {
	for (const clocks of [{ stream: "own" }, { "real-time": "local" }] as const) {
		const paths = pathsOf(run({ ...HAND_OFF, clocks }));
		expect(paths).toMatchObject([
			{ leg: "real-time", sameClock: false },
			{ leg: "stream", sameClock: false },
		]);
	}
});

test("stays with a dead real-time leg for want of anything else, and goes on with it when it lives again", () => {
	const events = run({
		...HAND_OFF,
		sends: (leg, _track, atMs) => leg === "real-time" && (atMs < 4_000 || atMs > 8_000),
	});
	expect(pathsOf(events)).toEqual([]);
	expect(shown(events).at(-1)?.ptsMs).toBeGreaterThan(11_900);
});

test("does not trust a real-time leg that died again before it has flowed for a second", () => {
	const events = run({
		seconds: 12,
		transitMs: BOTH,
		// It comes back for 300 ms in every second.
		sends: (leg, _track, atMs) => leg === "stream" || atMs < 3_000 || (atMs > 4_000 && atMs % 1_000 < 300),
	});
	expect(pathsOf(events).map(({ leg }) => leg)).toEqual(["stream"]);
	expectDecodable(events);
});

test("takes a quiet leg for dead later than a busy one, and one whose line is broken at once", () => {
	const diesAt = (sends: (atMs: number) => boolean, connected: boolean) => {
		const events = run({
			seconds: 12,
			transitMs: BOTH,
			sends: (leg, track, atMs) => leg === "stream" || (atMs < 6_000 && track === "audio" ? sends(atMs) : atMs < 3_000),
			connected: (nowMs) => connected || nowMs < 6_000,
		});
		return pathsOf(events).find(({ leg }) => leg === "stream")?.atMs ?? Number.NaN;
	};
	// Comfort noise, a packet each 400 ms: what came last came at 5.6 s.
	const isNoise = (atMs: number) => atMs < 3_000 || atMs % 400 === 0;
	expect(diesAt(isNoise, true)).toBeGreaterThan(7_000);
	expect(diesAt(isNoise, false)).toBeLessThan(6_400);
	expect(diesAt(() => true, true)).toBeLessThan(6_700);
});

test("goes on at the next key frame of another connection of the same leg, without anything twice", () => {
	const events: Event[] = [];
	const legs = new LegSwitch({
		onFrame: (frame) => events.push({ atMs: 0, leg: legs.leg, frame }),
		onPath: (path) => events.push({ atMs: 0, leg: legs.leg, path }),
		onKeyFrameWanted: () => undefined,
	});
	const push = (index: number, keyFrame: boolean) => {
		const ptsUs = Math.round(index * PICTURE_MS * 1_000);
		const frame = { track: "video", codec: "vp8", keyFrame, ptsUs, dtsUs: ptsUs, data: Uint8Array.of(1) } as const;
		legs.push("real-time", frame, ptsUs + 40_000, "capture");
	};
	for (let index = 0; index < 30; index += 1) {
		push(index, index === 0);
	}
	legs.realTimeReplaced();
	push(28, true);
	push(29, false);
	push(30, false);
	expect(pathsOf(events)).toMatchObject([
		{ leg: "real-time", sameClock: true, fromUs: Math.round(28 * PICTURE_MS * 1_000) },
	]);
	expect(shown(events).map(({ ptsMs }) => Math.round(ptsMs / PICTURE_MS))).toEqual(
		Array.from({ length: 31 }, (_, index) => index),
	);
});
