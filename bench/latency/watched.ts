import { setTimeout as sleep } from "node:timers/promises";
import type { Rect } from "../../media/layout.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { decodeReceived } from "../../test/support/faults/decode-received.ts";
import { freshFrames } from "../../test/support/faults/fresh-frames.ts";
import type { ReceivedTag } from "../../test/support/faults/received.ts";
import type { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import type { Talker } from "../../test/support/system/talkers.ts";
import type { ClockedPublisher } from "./clocked-publisher.ts";
import { CODE_IDS, PROGRAM } from "./feeds.ts";
import { type FrameDelay, frameDelays, type Window } from "./frame-delays.ts";
import { measuredPart, picturesOf } from "./measured-part.ts";

/** A browser, or a decoder that looks for its streams, on two loaded cores. */
export const ON_AIR_WITHIN_MS = 90_000;
/** The first seconds are not counted: delays find their length, and the runner starts its next spare browser 4 s after it gave one away. */
const SETTLE_MS = 10_000;
const MEASURE_MS = 15_000;
/** A stream flows when it has had most of its pictures for so long. */
const FLOWS_MS = 2_000;
const FLOWS_SHARE = 0.8;

export type Publishers = Partial<Readonly<Record<Talker, ClockedPublisher>>>;

/** What the receiver got of one person in the time that is measured. */
export interface SeenPerson {
	readonly talker: Talker;
	readonly delays: readonly FrameDelay[];
	/** The receiver's tag behind each delay. */
	readonly tags: readonly ReceivedTag[];
}

/** Resolves when the receiver gets the program at its rate. */
export async function untilFlows(receiver: RecordingDestination): Promise<void> {
	const wanted = ((PROGRAM.frameRate * FLOWS_MS) / 1_000) * FLOWS_SHARE;
	await waitFor("the program to flow to its receiver", ON_AIR_WITHIN_MS, () =>
		receiver.framesWithin(FLOWS_MS) >= wanted ? true : undefined,
	);
}

/** Lets a program that flows settle and then be, for as long as is measured. Throws when a publisher ends meanwhile. */
export async function measuredWindow(publishers: Publishers): Promise<Window> {
	await sleep(SETTLE_MS);
	const fromMs = performance.now();
	await sleep(MEASURE_MS);
	for (const publisher of Object.values(publishers)) {
		publisher.mustGoOn();
	}
	return { fromMs, toMs: performance.now() };
}

/** Decodes what the receiver got, after the fact, and finds each picture of each publisher's where it was shown first. */
export async function seenPeople(
	receiver: RecordingDestination,
	publishers: Publishers,
	places: readonly Rect[],
	window: Window,
): Promise<SeenPerson[]> {
	const [session, ...others] = receiver.sessions;
	if (session === undefined || others.length > 0) {
		throw new Error(`latency: expected one session at the receiver, got ${receiver.sessions.length}`);
	}
	const part = measuredPart(session, window.fromMs, window.toMs);
	const { frames } = await decodeReceived([part], { ...PROGRAM, places, tonesHz: [] });
	const tagOf = new Map(picturesOf(part).map((tag, index) => [frames[index], tag]));
	return (Object.entries(publishers) as [Talker, ClockedPublisher][]).map(([talker, { sentAtMs }]) => {
		const { fresh } = freshFrames(frames, [CODE_IDS[talker]], []);
		const delays = frameDelays(fresh, sentAtMs, window);
		return { talker, delays, tags: delays.flatMap(({ frame }) => tagOf.get(frame) ?? []) };
	});
}
