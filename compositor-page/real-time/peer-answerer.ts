import type { Signal } from "../../worker/protocol/signaling.ts";
import { codecsToAnswer, offeredCodecs } from "./offered-codecs.ts";
import { PeerFigures } from "./peer-figures.ts";
import type { PeerFiguresRead } from "./peer-messages.ts";

/** An answer that has to hold every candidate waits for them no longer than this: those that are there by then are tried. */
const GATHER_WITHIN_MS = 3_000;
/** Candidates that come ahead of their description; there are some dozens of a large network. */
const MAX_EARLY_CANDIDATES = 64;
/** Reasons go on the wire with a limit (`signalSchema`). */
const MAX_REASON = 200;

/** Said with every frame: when it was captured, and which frames it refers to. */
const WANTED_EXTENSIONS: ReadonlySet<string> = new Set([
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
	// An offer without it has Chromium list it as stopped, and refuse to be told the same.
	"urn:ietf:params:rtp-hdrext:sdes:mid",
]);
/** A transform is not told which way up a picture is: without this the sender turns it itself. */
const REFUSED_EXTENSIONS: ReadonlySet<string> = new Set(["urn:3gpp:video-orientation"]);

/** Chromium's, which the standard types do not have yet (W3C WebRTC Extensions, "RTP header extension control"). */
interface HeaderExtensions {
	getHeaderExtensionsToNegotiate?(): { uri: string; direction: string }[];
	setHeaderExtensionsToNegotiate?(extensions: { uri: string; direction: string }[]): void;
}

type Description = Extract<Signal, { kind: "description" }>;
type Candidate = Extract<Signal, { kind: "candidate" }>;

export interface PeerAnswererOptions {
	readonly iceServers: RTCIceServer[];
	/** The transform that takes a receiver's frames. */
	transform(track: "audio" | "video"): RTCRtpScriptTransform;
	say(signal: Signal): void;
	onState(connected: boolean): void;
	/** It cannot be: whoever is at the other end has been told. */
	onFailed(): void;
	onProblem(reason: string): void;
}

/** Why this browser cannot take anybody's media by WebRTC; `undefined` where it can. */
export function whyNoRealTime(): string | undefined {
	const missing = [
		...(typeof RTCPeerConnection === "undefined" ? ["RTCPeerConnection"] : []),
		...(typeof RTCRtpScriptTransform === "undefined" ? ["RTCRtpScriptTransform"] : []),
	];
	return missing.length === 0
		? undefined
		: `compositor: expected a browser with WebRTC, got one without ${missing.join(" and ")}`;
}

/** The receiving end of one person's connection: it answers offers, the first and every later one, and hands on what comes. */
export class PeerAnswerer {
	readonly #options: PeerAnswererOptions;
	readonly #connection: RTCPeerConnection;
	readonly #figures = new PeerFigures();
	#early: RTCIceCandidateInit[] = [];
	/** Descriptions are taken one after the other. */
	#lane: Promise<void> = Promise.resolve();
	/** The other end takes candidates with the answer only. */
	#isComplete = false;
	#isClosed = false;

	constructor(options: PeerAnswererOptions) {
		this.#options = options;
		// Not "max-bundle": that cannot turn down the first section of an offer and keep another.
		const connection = new RTCPeerConnection({ iceServers: options.iceServers });
		this.#connection = connection;
		connection.ontrack = ({ receiver, track }) => {
			// Here, or the first frames pass it by.
			receiver.transform = options.transform(track.kind === "video" ? "video" : "audio");
		};
		connection.onicecandidate = ({ candidate }) => {
			if (candidate !== null && !this.#isComplete) {
				options.say(toSignal(candidate.toJSON()));
			}
		};
		connection.onconnectionstatechange = () => {
			options.onState(connection.connectionState === "connected");
			if (connection.connectionState === "failed") {
				options.say({ kind: "restart" });
			}
		};
	}

	/** An offer is answered in its turn; candidates may come ahead of theirs. */
	take(signal: Signal): void {
		if (signal.kind === "candidate") {
			this.#takeCandidate(signal);
		} else if (signal.kind === "description" && signal.type === "offer") {
			this.#lane = this.#lane
				.then(() => this.#answer(signal))
				.catch((error: unknown) => {
					const reason = `compositor: expected an offer that can be answered, got ${messageOf(error)}`;
					this.#fail(reason.slice(0, MAX_REASON));
				});
		}
		// What a sender says of its devices is nothing to a receiver.
	}

	setIceServers(iceServers: RTCIceServer[]): void {
		if (!this.#isClosed) {
			this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
		}
	}

	figures(): Promise<PeerFiguresRead> {
		return this.#figures.read(this.#connection);
	}

	/** Says nothing more; may be called twice. */
	close(): void {
		if (!this.#isClosed) {
			this.#isClosed = true;
			this.#connection.ontrack = null;
			this.#connection.onicecandidate = null;
			this.#connection.onconnectionstatechange = null;
			this.#connection.close();
		}
	}

	async #answer({ sdp, complete }: Description): Promise<void> {
		const connection = this.#connection;
		if (this.#isClosed) {
			return;
		}
		this.#isComplete = complete === true;
		await connection.setRemoteDescription({ type: "offer", sdp });
		const offered = offeredCodecs(sdp);
		for (const transceiver of connection.getTransceivers()) {
			this.#prepare(transceiver, offered.get(transceiver.mid ?? "") ?? []);
		}
		for (const candidate of this.#early.splice(0)) {
			await this.#addCandidate(candidate);
		}
		await connection.setLocalDescription();
		if (complete === true) {
			await gathered(connection);
		}
		const answer = connection.localDescription?.sdp;
		if (answer !== undefined && !this.#isClosed) {
			this.#options.say({ kind: "description", type: "answer", sdp: answer });
		}
	}

	/** We only listen. A section with nothing in it that we know is turned down, and the others are not. */
	#prepare(transceiver: RTCRtpTransceiver, offered: readonly string[]): void {
		if (transceiver.currentDirection === "stopped" || transceiver.direction === "stopped") {
			return;
		}
		const { kind } = transceiver.receiver.track;
		const receivable = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
		const codecs = codecsToAnswer(kind, offered, receivable);
		if (!codecs.some(({ mimeType }) => offered.includes(mimeType.toLowerCase()))) {
			this.#options.onProblem(
				`offer: expected ${kind} in VP8, H.264, VP9, AV1 or Opus, got ${[...new Set(offered)].join(", ") || "none"}`,
			);
		}
		transceiver.direction = "recvonly";
		transceiver.setCodecPreferences(codecs);
		const control = transceiver as RTCRtpTransceiver & HeaderExtensions;
		const extensions = control.getHeaderExtensionsToNegotiate?.() ?? [];
		control.setHeaderExtensionsToNegotiate?.(
			extensions.map(({ uri, direction }) => ({ uri, direction: extensionDirection(uri, direction) })),
		);
	}

	#takeCandidate(signal: Candidate): void {
		const { kind: _, ...candidate } = signal;
		if (this.#connection.remoteDescription !== null) {
			void this.#addCandidate(candidate);
		} else if (this.#early.length < MAX_EARLY_CANDIDATES) {
			this.#early.push(candidate as RTCIceCandidateInit);
		}
	}

	/** One that cannot be taken is one fewer; the others may do. */
	async #addCandidate(candidate: object): Promise<void> {
		try {
			if (!this.#isClosed) {
				await this.#connection.addIceCandidate(candidate as RTCIceCandidateInit);
			}
		} catch (error) {
			this.#options.onProblem(`candidate: ${messageOf(error)}`);
		}
	}

	#fail(reason: string): void {
		if (!this.#isClosed) {
			this.#options.onProblem(reason);
			this.#options.say({ kind: "bye", reason });
			this.close();
			this.#options.onFailed();
		}
	}
}

function extensionDirection(uri: string, direction: string): string {
	if (WANTED_EXTENSIONS.has(uri)) {
		return "sendrecv";
	}
	return REFUSED_EXTENSIONS.has(uri) ? "stopped" : direction;
}

function toSignal({ candidate = "", sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidateInit): Signal {
	return {
		kind: "candidate",
		candidate,
		...(sdpMid === undefined ? {} : { sdpMid }),
		...(sdpMLineIndex === undefined ? {} : { sdpMLineIndex }),
		...(usernameFragment === undefined ? {} : { usernameFragment }),
	};
}

function gathered(connection: RTCPeerConnection): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(done, GATHER_WITHIN_MS);
		connection.addEventListener("icegatheringstatechange", look);
		look();
		function look(): void {
			if (connection.iceGatheringState === "complete") {
				done();
			}
		}
		function done(): void {
			clearTimeout(timer);
			connection.removeEventListener("icegatheringstatechange", look);
			resolve();
		}
	});
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
