import { joinBroadcast } from "../../../web/lib/join-broadcast.ts";
import type { BroadcastSession, JoinOptions, SessionState } from "../../../web/lib/session-types.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";

/** One person's page: the library itself, with Chromium's made-up devices. What each function returns is JSON. */

const NativeConnection = globalThis.RTCPeerConnection;
const connections: RTCPeerConnection[] = [];
// Absent where the test has taken it away.
if (NativeConnection !== undefined) {
	globalThis.RTCPeerConnection = class extends NativeConnection {
		constructor(configuration?: RTCConfiguration) {
			super(configuration);
			connections.push(this);
		}
	};
}
const tracks: MediaStreamTrack[] = [];
const openNative = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (constraints) => {
	const stream = await openNative(constraints);
	tracks.push(...stream.getTracks());
	return stream;
};

const remotes = new Map<PersonId, { readonly video: HTMLVideoElement; readonly stream: MediaStream }>();
const streamsSeen = new Map<PersonId, Set<MediaStream>>();
let session: BroadcastSession | undefined;
let endReason: string | undefined;

export async function join(options: JoinOptions): Promise<SessionState> {
	endReason = undefined;
	session = await joinBroadcast(options);
	session.on("remote", ({ person, stream }) => show(person, stream));
	session.on("ended", ({ reason }) => {
		endReason = reason;
	});
	return session.state;
}

export async function joinRefused(options: JoinOptions): Promise<string> {
	try {
		await joinBroadcast(options);
		return "joined";
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

function show(person: PersonId, stream: MediaStream | undefined): void {
	remotes.get(person)?.video.remove();
	remotes.delete(person);
	if (stream !== undefined) {
		const video = document.createElement("video");
		video.autoplay = true;
		video.srcObject = stream;
		document.body.append(video);
		remotes.set(person, { video, stream });
		streamsSeen.set(person, (streamsSeen.get(person) ?? new Set()).add(stream));
	}
}

export function state(): SessionState | undefined {
	return session?.state;
}

export function ended(): string | undefined {
	return endReason;
}

/** How many stream objects were handed out for that person. */
export function streamCount(person: PersonId): number {
	return streamsSeen.get(person)?.size ?? 0;
}

function joined(): BroadcastSession {
	if (session === undefined) {
		throw new Error("test: expected a session, got none");
	}
	return session;
}

export const setCamera = (on: boolean) => joined().setCamera(on);
export const setMicrophone = (on: boolean) => joined().setMicrophone(on);
export const leave = () => joined().leave();
export const setName = (person: PersonId, name: string) =>
	joined().command({ type: "set-person", personId: person, name });

/** Another camera and microphone than the ones in use. @returns the names of those before, and of these */
export async function useOthers(): Promise<[string[], string[]]> {
	const labels = () =>
		joined()
			.preview.getTracks()
			.map(({ label }) => label)
			.sort();
	const before = labels();
	const devices = await joined().listDevices();
	const inUse = joined()
		.preview.getTracks()
		.map((track) => track.getSettings().deviceId);
	const other = (kind: string) => devices.findLast((device) => device.kind === kind && !inUse.includes(device.id));
	const camera = other("camera");
	const microphone = other("microphone");
	await joined().useDevices({
		...(camera && { cameraId: camera.id }),
		...(microphone && { microphoneId: microphone.id }),
	});
	return [before, labels()];
}

/** The camera goes away as when it is unplugged: its track ends without anyone having stopped it. */
export function unplugCamera(): void {
	const camera = tracks.findLast(({ kind, readyState }) => kind === "video" && readyState === "live");
	camera?.stop();
	camera?.dispatchEvent(new Event("ended"));
}

export const sharePage = () => joined().shareScreen();
export const stopSharing = () => joined().stopSharing();

/** How much the other one's picture changes in half a second, and how bright it is: 0 to 255 a pixel on average. */
export async function look(person: PersonId): Promise<{ moves: number; brightness: number; width: number }> {
	const video = remotes.get(person)?.video;
	if (video === undefined || video.videoWidth === 0) {
		return { moves: 0, brightness: 0, width: 0 };
	}
	const before = pixels(video);
	await new Promise((resolve) => setTimeout(resolve, 500));
	const after = pixels(video);
	const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
	return {
		moves: sum(after.map((value, index) => Math.abs(value - (before[index] ?? 0)))) / after.length,
		brightness: sum(after) / after.length,
		width: video.videoWidth,
	};
}

function pixels(video: HTMLVideoElement): number[] {
	const canvas = new OffscreenCanvas(64, 36);
	const context = canvas.getContext("2d", { willReadFrequently: true });
	context?.drawImage(video, 0, 0, canvas.width, canvas.height);
	const { data } = context?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
	return [...data].filter((_, index) => index % 4 === 1);
}

/** The loudest that is heard of somebody within that time, 0 to 1. */
export async function listen(person: PersonId, ms: number): Promise<number> {
	const stream = remotes.get(person)?.stream;
	if (stream === undefined || stream.getAudioTracks().length === 0) {
		return 0;
	}
	const context = new AudioContext();
	try {
		await context.resume();
		const analyser = new AnalyserNode(context, { fftSize: 2_048 });
		context.createMediaStreamSource(stream).connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		let loudest = 0;
		for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
			await new Promise((resolve) => setTimeout(resolve, 20));
			analyser.getFloatTimeDomainData(samples);
			loudest = Math.max(loudest, ...samples.map(Math.abs));
		}
		return loudest;
	} finally {
		await context.close();
	}
}

/** What is still open of all that ever was. */
export function leftOpen(): { readonly connections: number; readonly tracks: number } {
	return {
		connections: connections.filter(({ connectionState }) => connectionState !== "closed").length,
		tracks: tracks.filter(({ readyState }) => readyState === "live").length,
	};
}

/** Of the newest connection that is open: what ICE goes by, and the codecs that both chose. */
export function connection(): { fragment: string | undefined; codecs: (string | undefined)[] } {
	const open = connections.findLast(({ connectionState }) => connectionState !== "closed");
	const local = open?.localDescription?.sdp ?? "";
	const remote = open?.remoteDescription?.sdp ?? "";
	const codecs = [...remote.matchAll(/^m=\w+ \d+ \S+ (\d+)/gm)].map(
		([, type]) => new RegExp(`^a=rtpmap:${type} (\\w+)`, "m").exec(remote)?.[1],
	);
	return { fragment: /a=ice-ufrag:(\S+)/.exec(local)?.[1], codecs };
}
