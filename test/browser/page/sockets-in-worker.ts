/** The page's three sockets, as their tests run them in a dedicated worker of a real browser. */

import { ControlClient } from "../../../compositor-page/control/control-client.ts";
import { ProgramPublisher } from "../../../compositor-page/program/program-publisher.ts";
import type { EncodedAudioFrame, EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { MediaSubscription } from "../../../playout/sources/media-subscription.ts";
import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";
import type { KeyFrameRequest } from "../../../worker/protocol/media-socket.ts";
import { until } from "./decoders-in-worker.ts";

const BROADCAST = { broadcastId: "b1", token: "a.b.c" } as const;

/** What a subscription reports until it has given `frames` or was refused for good, and what came in `afterwardsMs` more. */
export async function subscribe(apiUrl: string, frames: number, afterwardsMs: number): Promise<string[]> {
	const events: string[] = [];
	let taken = 0;
	let refused = false;
	const subscription = new MediaSubscription({
		apiUrl,
		...BROADCAST,
		stream: "host",
		nowUs: () => 5_000,
		onFrame: (frame, arrivalUs) => {
			taken += 1;
			const what = `${frame.keyFrame ? "key" : "inter"} ${frame.data.byteLength}`;
			events.push(`${frame.track} ${what} at ${frame.dtsUs} of ${arrivalUs}`);
		},
		onConnected: (connected) => events.push(connected ? "connected" : "disconnected"),
		onRefused: (reason) => {
			refused = true;
			events.push(`refused: ${reason}`);
		},
		onProblem: (reason) => events.push(`problem: ${reason}`),
	});
	await until(`${frames} frames`, () => taken >= frames || refused);
	await new Promise((resolve) => setTimeout(resolve, afterwardsMs));
	subscription.close();
	subscription.close();
	return events;
}

export interface Published {
	readonly framesSent: number;
	readonly framesDropped: number;
	readonly videoBytesSent: number;
	readonly keyFramesWanted: number;
	readonly requests: readonly KeyFrameRequest[];
	readonly problems: readonly string[];
	readonly refused: string | undefined;
}

/** Earlier frames were made before the program was ready. */
export const FROM = 100;
export const HOST_AHEAD_MS = 5_000;
const GROUP = 15;
const CONFIG = Uint8Array.of(1, 77, 64, 31, 255, 225, 0);
const SOUND_CONFIG = Uint8Array.of(0x11, 0x90);

/**
 * Publishes made-up frames, from {@link FROM} on, of `frameBytes`, which begin with their number, until it is refused or `frames` were sent. Each
 * 5th comes with a frame of sound; each shows a new picture of the host's, {@link HOST_AHEAD_MS} ahead of it in time; a key frame when one is
 * wanted, else each 15th. Once frames were lost it asks `/resume`, and then ends when 40 more were sent.
 * After a refusal it waits `afterwardsMs`.
 */
export async function publish(
	apiUrl: string,
	frames: number,
	frameBytes: number,
	afterwardsMs: number,
): Promise<Published> {
	let keyFrameWanted = false;
	let keyFramesWanted = 0;
	let refused: string | undefined;
	const requests: KeyFrameRequest[] = [];
	const problems: string[] = [];
	const publisher = new ProgramPublisher({
		apiUrl,
		...BROADCAST,
		onKeyFrameWanted: () => {
			keyFrameWanted = true;
			keyFramesWanted += 1;
		},
		onKeyFrameRequest: (request) => requests.push(request),
		onProblem: (reason) => problems.push(reason),
		onRefused: (reason) => {
			refused = reason;
		},
		nowUs: () => performance.now() * 1_000,
	});
	let target = frames;
	let resumed = false;
	for (let number = 0; refused === undefined && publisher.framesSent < target; number += 1) {
		if (number === 1) {
			publisher.start(timeUs(FROM));
			publisher.start(0);
		}
		const keyFrame = keyFrameWanted || number % GROUP === 0;
		keyFrameWanted = false;
		const frame = videoFrame(number, keyFrame, frameBytes);
		publisher.sendVideo(frame, { hostMs: Math.round(frame.ptsUs / 1_000) + HOST_AHEAD_MS, isNew: true });
		if (number % 5 === 0) {
			publisher.sendAudio(soundFrame(number));
		}
		if (publisher.framesDropped > 0 && !resumed) {
			resumed = true;
			target = publisher.framesSent + 40;
			await fetch(`${apiUrl}/resume`, { mode: "no-cors" });
		}
		await new Promise((resolve) => setTimeout(resolve, 1));
	}
	if (refused !== undefined) {
		await new Promise((resolve) => setTimeout(resolve, afterwardsMs));
	}
	const { framesSent, framesDropped, videoBytesSent } = publisher;
	publisher.close();
	publisher.close();
	publisher.start(0);
	publisher.sendVideo(videoFrame(0, true, frameBytes), undefined);
	return { framesSent, framesDropped, videoBytesSent, keyFramesWanted, requests, problems, refused };
}

function timeUs(number: number): number {
	return Math.round((number * 1_000_000) / 30);
}

function videoFrame(number: number, keyFrame: boolean, bytes: number): EncodedVideoFrame {
	const data = new Uint8Array(bytes);
	new DataView(data.buffer).setUint32(0, number);
	const ptsUs = timeUs(number);
	const frame = { track: "video", codec: "avc", keyFrame, ptsUs, dtsUs: ptsUs, data } as const;
	return number === 0 ? { ...frame, config: CONFIG } : frame;
}

function soundFrame(number: number): EncodedAudioFrame {
	const ptsUs = timeUs(number);
	const data = Uint8Array.of(0x21, number & 0xff);
	const frame = { track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs, data } as const;
	return number === 0 ? { ...frame, config: SOUND_CONFIG } : frame;
}

/** What a control client reports until it has `scenes`, or was refused; it answers each scene with figures. */
export async function control(apiUrl: string, scenes: number, stats: CompositorStats): Promise<string[]> {
	const events: string[] = [];
	const count = (start: string) => events.filter((event) => event.startsWith(start)).length;
	const client = new ControlClient({
		apiUrl,
		...BROADCAST,
		onCall: () => {},
		onSignal: () => {},
		onOpen: () => {},
		onScene: (scene) => {
			events.push(`scene ${scene.layout}`);
			client.sendStats(stats);
		},
		onRefused: (reason) => events.push(`refused: ${reason}`),
		onProblem: (reason) => events.push(`problem: ${reason}`),
	});
	client.sendStats(stats); // Not connected yet: left out.
	await until(`${scenes} scenes`, () => count("scene") >= scenes || count("refused") > 0);
	client.close();
	client.close();
	client.sendStats(stats);
	return events;
}
