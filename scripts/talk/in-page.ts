/**
 * What runs inside people's pages: functions that are handed to the browser as text, so that each holds all it needs. Times are Unix milliseconds of
 * the machine, the same in every page and process on it.
 */

export interface FakeDeviceOptions {
	/** 1 to 255: whose picture it is. */
	readonly id: number;
	/** Of the beep that begins with each second of Unix time. */
	readonly toneHz: number;
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
}

/** A camera whose every picture holds the time at which it was drawn, as blocks of black and white (test/support/faults/frame-code.ts), and a microphone that beeps. */
export function installFakeDevices({ id, toneHz, width, height, frameRate }: FakeDeviceOptions): void {
	const unixMs = () => performance.timeOrigin + performance.now();
	const checkOf = (bytes: readonly number[]) => {
		let crc = 0;
		for (const byte of bytes) {
			crc ^= byte;
			for (let bit = 0; bit < 8; bit += 1) {
				crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
			}
		}
		return crc;
	};
	const draw = (context: CanvasRenderingContext2D) => {
		const now = Math.round(unixMs()) % 0x10000;
		const bytes = [id, now >> 8, now & 0xff];
		const side = height / 12;
		const left = (width - 8 * side) / 2;
		const top = (height - 4 * side) / 2;
		// Something that moves, as people do.
		context.fillStyle = `hsl(${(now / 20) % 360} 60% 45%)`;
		context.fillRect(0, 0, width, height);
		context.fillStyle = `hsl(${(180 + now / 20) % 360} 60% 60%)`;
		context.fillRect(((now / 4) % (width + 80)) - 80, 0, 80, height);
		[...bytes, checkOf(bytes)].forEach((byte, row) => {
			for (let column = 0; column < 8; column += 1) {
				context.fillStyle = (byte >> (7 - column)) & 1 ? "#fff" : "#000";
				context.fillRect(left + column * side, top + row * side, side, side);
			}
		});
	};
	const camera = () => {
		const canvas = document.createElement("canvas");
		Object.assign(canvas, { width, height });
		const context = canvas.getContext("2d", { alpha: false });
		if (context === null) {
			throw new Error("fake devices: expected a canvas, got none");
		}
		const stream = canvas.captureStream(0);
		const [track] = stream.getVideoTracks() as CanvasCaptureMediaStreamTrack[];
		if (track === undefined) {
			throw new Error("fake devices: expected a track, got none");
		}
		const timer = setInterval(() => {
			if (track.readyState === "ended") {
				clearInterval(timer);
				return;
			}
			draw(context);
			track.requestFrame();
		}, 1_000 / frameRate);
		return track;
	};
	const microphone = () => {
		const context = new AudioContext({ sampleRate: 48_000 });
		const out = context.createMediaStreamDestination();
		const gain = context.createGain();
		gain.gain.value = 0;
		const tone = new OscillatorNode(context, { frequency: toneHz });
		const hum = new OscillatorNode(context, { frequency: 180 });
		const humGain = new GainNode(context, { gain: 0.02 });
		tone.connect(gain).connect(out);
		hum.connect(humGain).connect(out);
		tone.start();
		hum.start();
		void context.resume();
		let nextS = Math.ceil(unixMs() / 1_000) + 1;
		const timer = setInterval(() => {
			const [track] = out.stream.getAudioTracks();
			if (track?.readyState === "ended") {
				clearInterval(timer);
				void context.close();
				return;
			}
			// By the sound's own clock, which is what a track made of it goes by.
			if (unixMs() > nextS * 1_000 - 400) {
				const startS = context.currentTime + (nextS * 1_000 - unixMs()) / 1_000;
				if (startS > context.currentTime) {
					gain.gain.setValueAtTime(0.5, startS);
					gain.gain.setValueAtTime(0, startS + 0.1);
				}
				nextS += 1;
			}
		}, 50);
		const [track] = out.stream.getAudioTracks();
		if (track === undefined) {
			throw new Error("fake devices: expected a track, got none");
		}
		return track;
	};
	const devices = (["videoinput", "audioinput"] as const).map((kind) => ({
		kind,
		deviceId: `fake-${kind}`,
		groupId: "fake",
		label: `Fake ${kind}`,
		toJSON: () => ({}),
	}));
	const source = {
		getUserMedia: async (constraints: MediaStreamConstraints = {}) => {
			const tracks = [...(constraints.video ? [camera()] : []), ...(constraints.audio ? [microphone()] : [])];
			return new MediaStream(tracks);
		},
		getDisplayMedia: async () => new MediaStream([camera()]),
		enumerateDevices: async () => devices,
		getSupportedConstraints: () => ({}),
		addEventListener: () => undefined,
		removeEventListener: () => undefined,
	};
	Object.defineProperty(navigator, "mediaDevices", { value: source, configurable: true });
}

export interface SeenSample {
	readonly atMs: number;
	/** From capture to here. */
	readonly latencyMs: number;
}

export interface PersonReadings {
	readonly seen: readonly SeenSample[];
	/** Moments at which a beep began. */
	readonly heardAtMs: readonly number[];
}

/** Reads the clock out of what a `<video>` shows of somebody, and hears the beeps of its sound. */
export function installReader({ selector, id, toneHz }: { selector: string; id: number; toneHz: number }): void {
	const unixMs = () => performance.timeOrigin + performance.now();
	const seen: { atMs: number; latencyMs: number }[] = [];
	const heardAtMs: number[] = [];
	const peers: RTCPeerConnection[] = [];
	Object.assign(globalThis, { tandemTalk: { seen, heardAtMs, peers } });
	globalThis.RTCPeerConnection = class extends RTCPeerConnection {
		constructor(...args: ConstructorParameters<typeof RTCPeerConnection>) {
			super(...args);
			peers.push(this);
		}
	};
	const canvas = new OffscreenCanvas(8 * 10, 4 * 10);
	const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
	const read = (video: HTMLVideoElement): number | undefined => {
		const side = video.videoHeight / 12;
		if (context === null || side === 0) {
			return undefined;
		}
		const left = (video.videoWidth - 8 * side) / 2;
		const top = (video.videoHeight - 4 * side) / 2;
		context.drawImage(video, left, top, 8 * side, 4 * side, 0, 0, 80, 40);
		const { data } = context.getImageData(0, 0, 80, 40);
		const bytes = [0, 1, 2, 3].map((row) => {
			let byte = 0;
			for (let column = 0; column < 8; column += 1) {
				const at = ((row * 10 + 5) * 80 + column * 10 + 5) * 4;
				byte = (byte << 1) | ((data[at + 1] ?? 0) > 128 ? 1 : 0);
			}
			return byte;
		});
		const [whose = 0, high = 0, low = 0, check = 0] = bytes;
		let crc = 0;
		for (const byte of [whose, high, low]) {
			crc ^= byte;
			for (let bit = 0; bit < 8; bit += 1) {
				crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1;
			}
		}
		return whose === id && crc === check ? high * 0x100 + low : undefined;
	};
	let hearing: AudioContext | undefined;
	const listen = (stream: MediaStream) => {
		void hearing?.close();
		const audio = new AudioContext({ sampleRate: 48_000 });
		hearing = audio;
		void audio.resume();
		const node = audio.createMediaStreamSource(stream);
		const filter = new BiquadFilterNode(audio, { type: "bandpass", frequency: toneHz, Q: 8 });
		const code = `registerProcessor("onsets", class extends AudioWorkletProcessor {
			constructor() { super(); this.loud = false; this.quiet = 0; }
			process([[samples]]) {
				if (samples) {
					for (let i = 0; i < samples.length; i += 1) {
						if (Math.abs(samples[i]) > 0.05) {
							if (!this.loud && this.quiet > 9600) this.port.postMessage(currentTime + i / sampleRate);
							this.loud = true; this.quiet = 0;
						} else { this.quiet += 1; if (this.quiet > 480) this.loud = false; }
					}
				}
				return true;
			}
		});`;
		void audio.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: "text/javascript" }))).then(() => {
			const onsets = new AudioWorkletNode(audio, "onsets");
			onsets.port.onmessage = ({ data }: MessageEvent<number>) => {
				// The graph runs ahead of what is played, and of nothing else: what it has now came now.
				heardAtMs.push(unixMs() - (audio.currentTime - data) * 1_000);
			};
			node.connect(filter).connect(onsets);
		});
	};
	let watched: HTMLVideoElement | undefined;
	let heard: MediaStreamTrack | undefined;
	setInterval(() => {
		const video = document.querySelector<HTMLVideoElement>(selector) ?? undefined;
		const stream = video?.srcObject instanceof MediaStream ? video.srcObject : undefined;
		const [track] = stream?.getAudioTracks() ?? [];
		if (track !== undefined && track !== heard) {
			heard = track;
			listen(new MediaStream([track]));
		}
		if (video !== undefined && video !== watched) {
			watched = video;
			const look = () => {
				const code = read(video);
				const atMs = unixMs();
				if (code !== undefined) {
					seen.push({ atMs, latencyMs: (((Math.round(atMs) - code) % 0x10000) + 0x10000) % 0x10000 });
				}
				if (watched === video) {
					video.requestVideoFrameCallback(look);
				}
			};
			video.requestVideoFrameCallback(look);
		}
	}, 200);
}

/**
 * Puts a proxy between this page and its peers: every candidate it is told of becomes the proxy's, and it tells none of its own to those named, who then
 * know it by what comes through the proxy only.
 */
export function installProxiedPeers({ hidesFrom }: { hidesFrom: readonly string[] }): void {
	const portFor = (globalThis as unknown as { tandemProxyPort(address: string, port: number): Promise<number> })
		.tandemProxyPort;
	const rewritten = async (candidate: string): Promise<string | undefined> => {
		const parts = candidate.split(" ");
		const [, , protocol = "", , address = "", port = ""] = parts;
		if (protocol.toLowerCase() !== "udp" || !/^\d+\.\d+\.\d+\.\d+$/.test(address)) {
			return undefined;
		}
		parts[4] = "127.0.0.1";
		parts[5] = String(await portFor(address, Number(port)));
		return parts.join(" ");
	};
	const add = RTCPeerConnection.prototype.addIceCandidate as (candidate?: RTCIceCandidateInit) => Promise<void>;
	RTCPeerConnection.prototype.addIceCandidate = async function (this: RTCPeerConnection, candidate?: unknown) {
		const init = candidate as RTCIceCandidateInit | undefined;
		if (init?.candidate) {
			const text = await rewritten(init.candidate);
			if (text === undefined) {
				return;
			}
			return add.call(this, { ...init, candidate: text });
		}
		return add.call(this, init);
	} as RTCPeerConnection["addIceCandidate"];
	const set = RTCPeerConnection.prototype.setRemoteDescription as (to: RTCSessionDescriptionInit) => Promise<void>;
	RTCPeerConnection.prototype.setRemoteDescription = async function (
		this: RTCPeerConnection,
		description: RTCSessionDescriptionInit,
	) {
		const lines: string[] = [];
		for (const line of (description.sdp ?? "").split("\r\n")) {
			if (!line.startsWith("a=candidate:")) {
				lines.push(line);
				continue;
			}
			const text = await rewritten(line.slice(2));
			if (text !== undefined) {
				lines.push(`a=${text}`);
			}
		}
		return set.call(this, { type: description.type, sdp: lines.join("\r\n") });
	} as RTCPeerConnection["setRemoteDescription"];
	const send = WebSocket.prototype.send;
	WebSocket.prototype.send = function (this: WebSocket, data: Parameters<WebSocket["send"]>[0]) {
		if (typeof data !== "string" || !data.includes('"signal"')) {
			return send.call(this, data);
		}
		const message = JSON.parse(data) as { type: string; to?: string; signal?: { kind: string; sdp?: string } };
		if (message.type !== "signal" || !hidesFrom.includes(message.to ?? "")) {
			return send.call(this, data);
		}
		if (message.signal?.kind === "candidate") {
			return;
		}
		if (message.signal?.sdp !== undefined) {
			message.signal.sdp = message.signal.sdp
				.split("\r\n")
				.filter((line) => !line.startsWith("a=candidate:"))
				.join("\r\n");
		}
		return send.call(this, JSON.stringify(message));
	};
}

export interface HeardFigures {
	readonly concealedSamples: number;
	readonly samples: number;
	readonly keyFrameRequests: number;
	/** How long all samples that were played waited in the jitter buffer, together. */
	readonly bufferedS: number;
	readonly playedSamples: number;
}

/** How much of the sound that this page has received over WebRTC was made up, and how often it asked for a key frame. */
export async function readHeardFigures(): Promise<HeardFigures> {
	const { peers } = (globalThis as unknown as { tandemTalk: { peers: readonly RTCPeerConnection[] } }).tandemTalk;
	let concealedSamples = 0;
	let samples = 0;
	let keyFrameRequests = 0;
	let bufferedS = 0;
	let playedSamples = 0;
	for (const peer of peers) {
		if (peer.connectionState === "closed") {
			continue;
		}
		for (const report of (await peer.getStats()).values()) {
			const {
				type,
				kind,
				concealedSamples: concealed = 0,
				totalSamplesReceived = 0,
				jitterBufferDelay = 0,
				jitterBufferEmittedCount = 0,
				pliCount = 0,
				firCount = 0,
			} = report as RTCInboundRtpStreamStats;
			if (type === "inbound-rtp" && kind === "audio") {
				concealedSamples += concealed;
				samples += totalSamplesReceived;
				bufferedS += jitterBufferDelay;
				playedSamples += jitterBufferEmittedCount;
			} else if (type === "inbound-rtp" && kind === "video") {
				keyFrameRequests += pliCount + firCount;
			}
		}
	}
	return { concealedSamples, samples, keyFrameRequests, bufferedS, playedSamples };
}

/** Takes what was read since it was last taken. */
export function takeReadings(): PersonReadings {
	const { seen, heardAtMs } = (globalThis as unknown as { tandemTalk: { seen: SeenSample[]; heardAtMs: number[] } })
		.tandemTalk;
	return { seen: seen.splice(0), heardAtMs: heardAtMs.splice(0) };
}
