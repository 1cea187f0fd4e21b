import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import type { Signal } from "../../../worker/protocol/signaling.ts";
import { drawFrameCode } from "../../support/faults/frame-code.ts";

/** A person's page: numbered pictures and a tone, by WebRTC and by a stream, each with the time it was captured. Called by the test, one export at a time. */

declare global {
	/** Put there by the test. */
	var tandemSay: (connection: string, signal: Signal) => Promise<void>;
}

interface HeaderExtensions {
	getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[];
	setHeaderExtensionsToNegotiate(extensions: { uri: string; direction: string }[]): void;
}

type VideoGenerator = MediaStreamTrack & { readonly writable: WritableStream<VideoFrame> };

const RATE = 30;
/** Frames that have passed since the last look; a page in the background may be woken late. */
const CLIP_ID = 7;
const ABS_CAPTURE_TIME = "abs-capture-time";
const DEPENDENCY_DESCRIPTOR = "dependency-descriptor";

export interface SenderOptions {
	readonly width: number;
	readonly height: number;
	readonly toneHz: number;
}

export interface CallOptions {
	readonly connection: string;
	/** Such as `video/VP8`. */
	readonly codec?: string;
	readonly red?: boolean;
	readonly dtx?: boolean;
	readonly captureTime?: boolean;
	readonly dependencies?: boolean;
	readonly tracks?: readonly ("audio" | "video")[];
	/** Says nothing of candidates but in the offer, as WHIP does. */
	readonly complete?: boolean;
	/** What is done to the offer's text. */
	readonly replace?: readonly (readonly [from: string, to: string])[];
}

let size = { width: 640, height: 360 };
let video: VideoGenerator;
let sound: MediaStreamTrack;
let gain: GainNode;
let number = 0;
/** Unix time in ms at which each number was captured. */
const capturedMs: number[] = [];
const connections = new Map<string, RTCPeerConnection>();
let stream: StreamLeg | undefined;

const unixMs = () => performance.timeOrigin + performance.now();

export async function open({ width, height, toneHz }: SenderOptions): Promise<void> {
	size = { width, height };
	const Generator = (globalThis as unknown as { MediaStreamTrackGenerator: new (init: object) => VideoGenerator })
		.MediaStreamTrackGenerator;
	video = new Generator({ kind: "video" });
	const writer = video.writable.getWriter();
	const audio = new AudioContext({ sampleRate: 48_000 });
	const oscillator = audio.createOscillator();
	oscillator.frequency.value = toneHz;
	gain = audio.createGain();
	gain.gain.value = 0.3;
	const destination = audio.createMediaStreamDestination();
	oscillator.connect(gain).connect(destination);
	oscillator.start();
	[sound] = destination.stream.getAudioTracks() as [MediaStreamTrack];
	const startMs = performance.now();
	let made = 0;
	setInterval(() => {
		const due = Math.floor(((performance.now() - startMs) * RATE) / 1_000);
		if (due <= made) {
			return;
		}
		made = due;
		const frame = picture();
		capturedMs[number] = unixMs();
		stream?.takePicture(frame.clone());
		void writer.write(frame);
		number += 1;
	}, 4);
}

export function resize(width: number, height: number): void {
	size = { width, height };
}

export function setTone(level: number): void {
	gain.gain.value = level;
}

export function captured(): (number | null)[] {
	return Array.from(capturedMs, (ms) => ms ?? null);
}

export async function call(options: CallOptions): Promise<void> {
	const { connection: id, tracks = ["audio", "video"] } = options;
	const connection = new RTCPeerConnection();
	connections.set(id, connection);
	if (options.complete !== true) {
		connection.onicecandidate = ({ candidate }) => {
			if (candidate !== null) {
				const { candidate: text = "", sdpMid, sdpMLineIndex, usernameFragment } = candidate.toJSON();
				void tandemSay(id, {
					kind: "candidate",
					candidate: text,
					...{
						sdpMid: sdpMid ?? null,
						sdpMLineIndex: sdpMLineIndex ?? null,
						usernameFragment: usernameFragment ?? null,
					},
				});
			}
		};
	}
	for (const kind of tracks) {
		const transceiver = connection.addTransceiver(kind === "video" ? video : sound, { direction: "sendonly" });
		const control = transceiver as RTCRtpTransceiver & HeaderExtensions;
		const extensions = control.getHeaderExtensionsToNegotiate();
		for (const extension of extensions) {
			if (extension.uri.includes(ABS_CAPTURE_TIME)) {
				extension.direction = options.captureTime === false ? "stopped" : "sendrecv";
			} else if (extension.uri.includes(DEPENDENCY_DESCRIPTOR)) {
				extension.direction = options.dependencies === false ? "stopped" : "sendrecv";
			}
		}
		control.setHeaderExtensionsToNegotiate(extensions);
		const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
		const of = (mime: string) => codecs.filter(({ mimeType }) => mimeType.toLowerCase() === mime.toLowerCase());
		const red = options.red === false ? [] : of("audio/red");
		transceiver.setCodecPreferences(
			kind === "audio" ? [...red, ...of("audio/opus")] : [...of(options.codec ?? "video/VP8"), ...of("video/rtx")],
		);
	}
	await offer(id, options);
}

/** Another offer of the same connection, which restarts its ICE. */
export async function restart(id: string): Promise<void> {
	connections.get(id)?.restartIce();
	await offer(id, { connection: id });
}

export async function take(id: string, signal: Signal): Promise<void> {
	const connection = connections.get(id);
	if (connection === undefined) {
		return;
	}
	if (signal.kind === "description") {
		await connection.setRemoteDescription({ type: "answer", sdp: signal.sdp });
	} else if (signal.kind === "candidate") {
		const { kind: _, ...candidate } = signal;
		await connection.addIceCandidate(candidate as RTCIceCandidateInit);
	}
}

export function hangUp(id: string): void {
	connections.get(id)?.close();
	connections.delete(id);
}

/** Nothing goes out, and nobody is told. */
export async function mute(id: string, isMuted: boolean): Promise<void> {
	for (const sender of connections.get(id)?.getSenders() ?? []) {
		const parameters = sender.getParameters();
		for (const encoding of parameters.encodings) {
			encoding.active = !isMuted;
		}
		await sender.setParameters(parameters);
	}
}

export interface SenderFigures {
	readonly state: string;
	readonly pli: number;
	readonly keyFrames: number;
	readonly frames: number;
	readonly codec: string;
	readonly height: number;
}

export async function figures(id: string): Promise<SenderFigures> {
	const connection = connections.get(id);
	const reports = [...((await connection?.getStats())?.values() ?? [])] as Record<string, unknown>[];
	const outbound = reports.find(({ type, kind }) => type === "outbound-rtp" && kind === "video");
	const codec = reports.find((report) => report.id === outbound?.codecId);
	return {
		state: connection?.connectionState ?? "closed",
		pli: Number(outbound?.pliCount ?? 0),
		keyFrames: Number(outbound?.keyFramesEncoded ?? 0),
		frames: Number(outbound?.framesEncoded ?? 0),
		codec: String(codec?.mimeType ?? ""),
		height: Number(outbound?.frameHeight ?? 0),
	};
}

/** Publishes H.264 and Opus to that address, with capture times, until told to rest; woken it begins with a key frame. */
export async function openStream(address: string): Promise<void> {
	stream = new StreamLeg(address);
	await stream.opened;
}

export function rest(isResting: boolean): void {
	if (stream !== undefined) {
		stream.isResting = isResting;
	}
}

async function offer(id: string, options: CallOptions): Promise<void> {
	const connection = connections.get(id);
	if (connection === undefined) {
		throw new Error(`sender: expected a connection, got none of id ${id}`);
	}
	await connection.setLocalDescription();
	if (options.complete === true) {
		await new Promise<void>((resolve) => {
			connection.onicegatheringstatechange = () => connection.iceGatheringState === "complete" && resolve();
		});
	}
	let sdp = connection.localDescription?.sdp ?? "";
	if (options.dtx === true) {
		sdp = sdp.replace("useinbandfec=1", "useinbandfec=1;usedtx=1");
	}
	for (const [from, to] of options.replace ?? []) {
		sdp = sdp.replaceAll(from, to);
	}
	const complete = options.complete === true ? { complete: true } : {};
	await tandemSay(id, { kind: "description", type: "offer", sdp, ...complete });
}

function picture(): VideoFrame {
	const { width, height } = size;
	const data = new Uint8Array((width * height * 3) / 2).fill(128);
	const samples = data.subarray(0, width * height).fill(90);
	drawFrameCode({ samples, width, height }, { id: CLIP_ID, number: number & 0xffff });
	return new VideoFrame(data, {
		...{ format: "I420", codedWidth: width, codedHeight: height },
		timestamp: performance.now() * 1_000,
	});
}

class StreamLeg {
	readonly opened: Promise<void>;
	isResting = false;
	readonly #socket: WebSocket;
	readonly #writer = new FlvFrameWriter();
	readonly #startMs = performance.now();
	readonly #pictures: VideoEncoder;
	readonly #sound: AudioEncoder;
	#wantsKey = true;
	#frames = 0;

	constructor(address: string) {
		this.#socket = new WebSocket(address, ["tandem"]);
		this.opened = new Promise((resolve) => {
			this.#socket.onopen = () => {
				this.#socket.send(flvHeader() as Uint8Array<ArrayBuffer>);
				const startUnixMs = performance.timeOrigin + this.#startMs;
				this.#socket.send(JSON.stringify({ type: "clock", tagMs: 1_000, captureMs: startUnixMs + 1_000 }));
				resolve();
			};
		});
		this.#pictures = new VideoEncoder({
			output: (chunk, metadata) => {
				const data = new Uint8Array(chunk.byteLength);
				chunk.copyTo(data);
				const description = metadata?.decoderConfig?.description as ArrayBuffer | undefined;
				const timing = { ptsUs: chunk.timestamp, dtsUs: chunk.timestamp };
				const config = description === undefined ? {} : { config: new Uint8Array(description) };
				this.#send({ track: "video", codec: "avc", keyFrame: chunk.type === "key", data, ...timing, ...config });
			},
			error: (error) => console.error(String(error)),
		});
		this.#pictures.configure({
			...{ codec: "avc1.42001f", width: size.width, height: size.height, bitrate: 1_500_000, framerate: RATE },
			...{ latencyMode: "realtime", avc: { format: "avc" } },
		});
		this.#sound = new AudioEncoder({
			output: (chunk) => {
				const data = new Uint8Array(chunk.byteLength);
				chunk.copyTo(data);
				this.#send({
					track: "audio",
					codec: "opus",
					keyFrame: true,
					data,
					ptsUs: chunk.timestamp,
					dtsUs: chunk.timestamp,
				});
			},
			error: (error) => console.error(String(error)),
		});
		this.#sound.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 1, bitrate: 64_000 });
		void this.#readSound();
	}

	takePicture(frame: VideoFrame): void {
		const timestamp = this.#sinceStartUs();
		if (this.isResting) {
			this.#wantsKey = true;
		} else {
			const stamped = new VideoFrame(frame, { timestamp });
			this.#pictures.encode(stamped, { keyFrame: this.#wantsKey || this.#frames % (2 * RATE) === 0 });
			stamped.close();
			this.#wantsKey = false;
			this.#frames += 1;
		}
		frame.close();
	}

	async #readSound(): Promise<void> {
		const Processor = (
			globalThis as unknown as {
				MediaStreamTrackProcessor: new (init: object) => { readonly readable: ReadableStream<AudioData> };
			}
		).MediaStreamTrackProcessor;
		const reader = new Processor({ track: sound.clone() }).readable.getReader();
		// The audio's clock is another: what came fastest was captured one block before it came.
		let offsetUs = Number.POSITIVE_INFINITY;
		for (;;) {
			const { value, done } = await reader.read();
			if (done) {
				return;
			}
			offsetUs = Math.min(offsetUs, this.#sinceStartUs() - value.duration - value.timestamp);
			if (!this.isResting) {
				const samples = new Float32Array(value.numberOfFrames);
				value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
				const { sampleRate, numberOfFrames } = value;
				this.#sound.encode(
					new AudioData({
						...{ format: "f32-planar", sampleRate, numberOfFrames, numberOfChannels: 1, data: samples },
						timestamp: value.timestamp + offsetUs,
					}),
				);
			}
			value.close();
		}
	}

	#sinceStartUs(): number {
		return (performance.now() - this.#startMs) * 1_000;
	}

	#send(frame: EncodedFrame): void {
		if (this.isResting) {
			return;
		}
		for (const tag of this.#writer.push(frame)) {
			this.#socket.send(flvTagBytes(tag) as Uint8Array<ArrayBuffer>);
		}
	}
}
