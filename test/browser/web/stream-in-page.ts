/** A page that publishes and plays, as the tests run it in a real browser. */

import { ProgramVideoEncoder } from "../../../encoders/avc/program-video-encoder.ts";
import type { Notice, StreamLegState } from "../../../web/lib/session-types.ts";
import { chooseCodecs } from "../../../web/lib/stream-leg/codecs.ts";
import { MediaLine } from "../../../web/lib/stream-leg/media-line.ts";
import {
	type ResolvedNotice,
	StreamPublisher,
	type StreamTracks,
} from "../../../web/lib/stream-leg/stream-publisher.ts";
import { type TrackProcessorConstructor, trackProcessor } from "../../../web/lib/stream-leg/track-processor.ts";
import { StreamPlayer, type StreamPlayState } from "../../../web/lib/stream-play/stream-player.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";

export interface PublishRequest {
	readonly apiUrl: string;
	readonly person?: PersonId;
	readonly sleeps?: boolean;
	/** `camera`: the browser's made-up devices. `flashes`: one flash and one beep a second, at the same moment. `none`: nothing at all. `noise`: much to encode. */
	readonly source: "camera" | "flashes" | "none" | "portrait" | "noise";
	/** Take away ways to get at tracks, as in other browsers. */
	readonly without?: readonly string[];
	/** So many times a video element that has a new picture does not give it yet. */
	readonly refusedPictures?: number;
	/** What is done, and how long after it was first sending. */
	readonly steps?: readonly {
		readonly atMs: number;
		readonly step: "camera-off" | "mute" | "stop" | "no-tracks" | "cap";
	}[];
	/** How long after it was first sending it is closed; it is anyway when it is not sending by then. */
	readonly forMs: number;
}

/** A busy machine takes seconds to start a worker. */
const SENDING_WITHIN_MS = 15_000;

export interface Published {
	readonly states: readonly { readonly atMs: number; readonly state: StreamLegState }[];
	readonly notices: readonly (Notice | ResolvedNotice)[];
	/** `performance.timeOrigin + performance.now()` at the start. */
	readonly startMs: number;
}

export async function publish(request: PublishRequest): Promise<Published> {
	for (const name of request.without ?? []) {
		Reflect.deleteProperty(globalThis, name);
	}
	refusePictures(request.refusedPictures ?? 0);
	const startMs = performance.timeOrigin + performance.now();
	const states: { atMs: number; state: StreamLegState }[] = [];
	const notices: (Notice | ResolvedNotice)[] = [];
	const tracks = await tracksOf(request.source);
	const begunMs = performance.now();
	const publisher = new StreamPublisher({
		apiUrl: request.apiUrl,
		broadcastId: "b1",
		person: request.person ?? "host",
		token: "a.b.c",
		sleeps: request.sleeps ?? true,
		onState: (state) => states.push({ atMs: performance.now() - begunMs, state }),
		onNotice: (notice) => notices.push(notice),
	});
	publisher.setTracks(tracks);
	const isOver = () => states.some(({ state }) => state === "sending") || states.at(-1)?.state === "broken";
	while (!isOver() && performance.now() - begunMs < SENDING_WITHIN_MS) {
		await pause(10);
	}
	const sendingMs = performance.now();
	for (const { atMs, step } of request.steps ?? []) {
		await pause(atMs - (performance.now() - sendingMs));
		take(step, publisher, tracks);
	}
	await pause(request.forMs - (performance.now() - sendingMs));
	await publisher.close();
	await publisher.close();
	for (const track of Object.values(tracks)) {
		track.stop();
	}
	return { states, notices, startMs };
}

function refusePictures(times: number): void {
	let left = times;
	globalThis.VideoFrame = new Proxy(VideoFrame, {
		construct(target, args, newTarget) {
			if (left > 0 && args[0] instanceof HTMLVideoElement) {
				left -= 1;
				throw new DOMException("Invalid source state", "InvalidStateError");
			}
			return Reflect.construct(target, args, newTarget);
		},
	});
}

function take(step: string, publisher: StreamPublisher, tracks: StreamTracks): void {
	switch (step) {
		case "camera-off":
			publisher.setTracks(tracks.audio === undefined ? {} : { audio: tracks.audio });
			break;
		case "mute":
			if (tracks.audio !== undefined) {
				tracks.audio.enabled = false;
			}
			break;
		case "stop":
			tracks.video?.stop();
			tracks.audio?.stop();
			break;
		case "no-tracks":
			publisher.setTracks({});
			break;
		case "cap":
			publisher.setRate({ maxBitrateBps: 400_000, maxFrameRate: 10 });
			break;
		default:
			throw new Error(`expected a known step, got ${step}`);
	}
}

async function tracksOf(source: PublishRequest["source"]): Promise<StreamTracks> {
	if (source === "none") {
		return {};
	}
	if (source === "flashes") {
		return flashesAndBeeps();
	}
	if (source === "portrait") {
		return { video: still(() => grey(720, 1_280, 200, performance.now() * 1_000)) };
	}
	if (source === "noise") {
		return { video: still(noise) };
	}
	const stream = await navigator.mediaDevices.getUserMedia({
		audio: true,
		video: { width: 640, height: 480, frameRate: 30 },
	});
	const [video] = stream.getVideoTracks();
	const [audio] = stream.getAudioTracks();
	return { ...(video && { video }), ...(audio && { audio }) };
}

const MADE_FRAME_BYTES = 96 * 1024;
const MADE_GROUP = 15;

/** Sends made-up pictures that begin with their number, many megabytes a second, for a while. @returns how many key frames the line asked for */
export async function sendMade(apiUrl: string, forMs: number): Promise<number> {
	const nowUs = () => (performance.timeOrigin + performance.now()) * 1_000;
	const baseMs = Math.floor(performance.timeOrigin);
	let wanted = 0;
	let keyFrameNext = false;
	let awake = false;
	const line = new MediaLine({
		...{ apiUrl, broadcastId: "b1", person: "host", token: "a.b.c", sleeps: true, session: "made", baseMs, nowUs },
		onState: (state) => {
			awake = state === "awake";
		},
		onKeyFrameWanted: () => {
			wanted += 1;
			keyFrameNext = true;
		},
		onSending: () => {},
		onBroken: () => {},
		onRefused: () => {},
	});
	const startMs = performance.now();
	for (let number = 0; performance.now() - startMs < forMs; ) {
		await pause(5);
		line.look(nowUs());
		if (awake) {
			const data = new Uint8Array(MADE_FRAME_BYTES);
			new DataView(data.buffer).setUint32(0, number);
			const ptsUs = nowUs() - baseMs * 1_000;
			const keyFrame = keyFrameNext || number % MADE_GROUP === 0;
			keyFrameNext = false;
			line.sendPicture({ track: "video", codec: "vp8", keyFrame, ptsUs, dtsUs: ptsUs, data });
			number += 1;
		}
	}
	line.close();
	line.close();
	return wanted;
}

/** What an encoder gives for 75 pictures at the pace of live, whose rate is lowered on the way: "key" or "inter" and the codec of each. */
export async function encodeAs(codec: string): Promise<string[]> {
	const given: string[] = [];
	const encoder = new ProgramVideoEncoder({
		...{ width: 640, height: 360, frameRate: 30, bitrateBps: 800_000, keyFrameEvery: 60, codec },
		nowUs: () => performance.now() * 1_000,
		onFrame: ({ codec: made, keyFrame, config }) =>
			given.push(`${keyFrame ? "key" : "inter"} ${made}${config === undefined ? "" : " with its configuration"}`),
		onProblem: (reason) => given.push(reason),
		onFailed: (reason) => given.push(reason),
	});
	for (let index = 0; index < 75; index += 1) {
		if (index === 30) {
			encoder.setRate(300_000, 15);
		}
		encoder.encode(grey(640, 360, 40 + index * 2, (index * 1e6) / 30), index);
		await pause(33);
	}
	encoder.close();
	return given;
}

/** Which codecs are chosen where the browser says no to those that begin so; or the words it is refused with. */
export async function codecsWithout(person: PersonId, without: readonly string[]): Promise<unknown> {
	for (const Encoder of [VideoEncoder, AudioEncoder]) {
		const isSupported = Encoder.isConfigSupported.bind(Encoder) as (config: { codec: string }) => Promise<unknown>;
		Object.assign(Encoder, {
			isConfigSupported: (config: { codec: string }) =>
				without.some((start) => config.codec.startsWith(start)) ? { supported: false } : isSupported(config),
		});
	}
	try {
		const { video, audio } = await chooseCodecs(person, {
			width: 1280,
			height: 720,
			frameRate: 30,
			videoBitrateBps: 3e6,
		});
		return { video, audio: audio.codec };
	} catch (error) {
		return String(error);
	}
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Chromium's way to make a track of frames. */
interface TrackGenerator extends MediaStreamTrack {
	readonly writable: WritableStream<VideoFrame>;
}
const Generator = (
	globalThis as unknown as { MediaStreamTrackGenerator: new (init: { kind: "video" }) => TrackGenerator }
).MediaStreamTrackGenerator;

const FRAMES_A_SECOND = 30;
/** Of each second's frames the first are bright, and sound the while. */
const FLASH_FRAMES = 6;
const BEEP_HZ = 1_000;
/** In the upper third of each picture: its time in milliseconds, a bit a block. */
const CODE_BITS = 16;
const FLASH_LUMA = 235;
const DARK_LUMA = 40;

/**
 * Pictures of 960 × 540 that are white while the beep sounds, and dark else; 30 a second, by the clock of the sound. Their upper third says when they
 * were made.
 */
function flashesAndBeeps(): StreamTracks {
	const context = new AudioContext({ sampleRate: 48_000 });
	const oscillator = new OscillatorNode(context, { frequency: BEEP_HZ });
	const gain = new GainNode(context, { gain: 0 });
	const heard = new MediaStreamAudioDestinationNode(context);
	oscillator.connect(gain).connect(heard);
	oscillator.start();
	const video = new Generator({ kind: "video" });
	const writer = video.writable.getWriter();
	const startS = context.currentTime + 0.2;
	let next = 0;
	let planned = 0;
	const timer = setInterval(() => {
		if (video.readyState === "ended") {
			clearInterval(timer);
			void context.close();
			return;
		}
		const index = Math.floor((context.currentTime - startS) * FRAMES_A_SECOND);
		if (index < next) {
			return;
		}
		next = index + 1;
		if (index % FRAMES_A_SECOND >= FRAMES_A_SECOND - 10 && planned <= index) {
			// The beep of the coming second, well ahead.
			planned = (Math.floor(index / FRAMES_A_SECOND) + 1) * FRAMES_A_SECOND;
			gain.gain.setValueAtTime(0.5, startS + planned / FRAMES_A_SECOND);
			gain.gain.setValueAtTime(0, startS + (planned + FLASH_FRAMES) / FRAMES_A_SECOND);
		}
		const bright = index >= FRAMES_A_SECOND && index % FRAMES_A_SECOND < FLASH_FRAMES;
		const nowMs = performance.now();
		void writer.write(coded(Math.round(nowMs), bright ? FLASH_LUMA : DARK_LUMA, nowMs * 1_000));
	}, 2);
	return { video, audio: heard.stream.getAudioTracks()[0] as MediaStreamTrack };
}

function coded(code: number, luma: number, timestampUs: number): VideoFrame {
	const [width, height] = [960, 540];
	const data = new Uint8Array((width * height * 3) / 2).fill(128);
	data.fill(luma, 0, width * height);
	for (let bit = 0; bit < CODE_BITS; bit += 1) {
		const value = (code >> bit) & 1 ? 220 : 30;
		for (let row = 0; row < height / 3; row += 1) {
			const at = row * width + bit * (width / CODE_BITS);
			data.fill(value, at, at + width / CODE_BITS);
		}
	}
	return yuvFrame(data, width, height, timestampUs);
}

/** What a picture says, by its brightness. */
async function decoded(frame: VideoFrame): Promise<{ readonly code: number; readonly bright: boolean }> {
	const { codedWidth: width, codedHeight: height, format } = frame;
	const data = new Uint8Array(frame.allocationSize());
	await frame.copyTo(data);
	// A canvas' frames have four bytes a pixel, the second of which is green; all others begin with their brightness.
	const pixelBytes = format === "I420" || format === "NV12" ? 1 : 4;
	const lumaAt = (x: number, y: number) =>
		data[(Math.floor(y) * width + Math.floor(x)) * pixelBytes + (pixelBytes === 1 ? 0 : 1)] ?? 0;
	let code = 0;
	for (let bit = 0; bit < CODE_BITS; bit += 1) {
		code |= lumaAt(((bit + 0.5) * width) / CODE_BITS, height / 6) > 125 ? 1 << bit : 0;
	}
	return { code, bright: lumaAt(width / 2, height * 0.7) > 140 };
}

export interface Played {
	readonly states: readonly StreamPlayState[];
	/** From a picture's making to its coming out of the player's track. */
	readonly pictureMs: readonly number[];
	/** From a beep's beginning to its coming out. */
	readonly soundMs: readonly number[];
	/** Beep less flash, as they come out; positive when sound is late. */
	readonly skewsMs: readonly number[];
	/** Steps between pictures that came out. */
	readonly stepsMs: readonly number[];
}

/** Publishes flashes and beeps, plays them by the edge, and compares. */
export async function publishAndPlay(
	apiUrl: string,
	person: PersonId,
	forMs: number,
	without: readonly string[],
): Promise<Played> {
	for (const name of without) {
		Reflect.deleteProperty(globalThis, name);
	}
	const tracks = flashesAndBeeps();
	const made = { apiUrl, broadcastId: "b1", person, token: "a.b.c" };
	const publisher = new StreamPublisher({ ...made, sleeps: false, onState: () => {}, onNotice: () => {} });
	publisher.setTracks(tracks);
	const states: StreamPlayState[] = [];
	const player = new StreamPlayer({ ...made, onState: (state) => states.push(state) });
	const pictures: { atMs: number; code: number; bright: boolean }[] = [];
	const beeps: number[] = [];
	const watching = watchPictures(player.stream, async (frame) => {
		const atMs = performance.now();
		pictures.push({ atMs, ...(await decoded(frame)) });
	});
	listenForBeeps(player.stream, (atMs) => beeps.push(atMs));
	await pause(forMs);
	await publisher.close();
	player.close();
	player.close();
	await watching;
	const flashes = pictures.filter(({ bright }, index) => bright && pictures[index - 1]?.bright === false);
	const pairs = flashes.flatMap((flash) => {
		const beep = beeps.find((atMs) => Math.abs(atMs - flash.atMs) < 400);
		return beep === undefined ? [] : [{ flash, beep }];
	});
	return {
		states,
		pictureMs: pictures.map(({ atMs, code }) => since(code, atMs)),
		// A flash's first picture is made when its beep begins.
		soundMs: pairs.map(({ flash, beep }) => since(flash.code, beep)),
		skewsMs: pairs.map(({ flash, beep }) => beep - flash.atMs),
		stepsMs: pictures.slice(1).map(({ atMs }, index) => atMs - (pictures[index]?.atMs ?? 0)),
	};
}

function since(code: number, atMs: number): number {
	const span = 2 ** CODE_BITS;
	return (((atMs - code) % span) + span) % span;
}

/** Kept for the test's own use where it is taken away from what is tested. */
const Processor = trackProcessor() as TrackProcessorConstructor;

async function watchPictures(stream: MediaStream, take: (frame: VideoFrame) => Promise<void>): Promise<void> {
	const [track] = stream.getVideoTracks() as [MediaStreamTrack];
	for await (const frame of new Processor<VideoFrame>({ track }).readable) {
		await take(frame);
		frame.close();
	}
}

function listenForBeeps(stream: MediaStream, onBeep: (atMs: number) => void): void {
	const [track] = stream.getAudioTracks() as [MediaStreamTrack];
	let silent = 0;
	const listen = async () => {
		for await (const data of new Processor<AudioData>({ track }).readable) {
			const nowMs = performance.now();
			const samples = new Float32Array(data.numberOfFrames);
			data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
			samples.forEach((sample, index) => {
				if (Math.abs(sample) < 0.1) {
					silent += 1;
					return;
				}
				if (silent > 9_600) {
					onBeep(nowMs - (samples.length - index) / 48);
				}
				silent = 0;
			});
			data.close();
		}
	};
	void listen();
}

function still(frame: () => VideoFrame): MediaStreamTrack {
	const video = new Generator({ kind: "video" });
	const writer = video.writable.getWriter();
	const timer = setInterval(() => {
		if (video.readyState === "ended") {
			clearInterval(timer);
		} else {
			void writer.write(frame());
		}
	}, 33);
	return video;
}

function noise(): VideoFrame {
	const [width, height] = [640, 360];
	const data = new Uint8Array((width * height * 3) / 2).fill(128);
	for (let at = 0; at < width * height; at += 65_536) {
		crypto.getRandomValues(data.subarray(at, Math.min(at + 65_536, width * height)));
	}
	return yuvFrame(data, width, height, performance.now() * 1_000);
}

function grey(width: number, height: number, luma: number, timestampUs: number): VideoFrame {
	const data = new Uint8Array((width * height * 3) / 2).fill(128);
	data.fill(luma, 0, width * height);
	return yuvFrame(data, width, height, timestampUs);
}

function yuvFrame(data: Uint8Array<ArrayBuffer>, width: number, height: number, timestampUs: number): VideoFrame {
	return new VideoFrame(data, {
		...{ format: "I420", codedWidth: width, codedHeight: height, timestamp: Math.round(timestampUs) },
		colorSpace: { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false },
	});
}
