import type { PersonId } from "../../worker/protocol/roles.ts";
import type { CallPeer, IceServer, Signal } from "../../worker/protocol/signaling.ts";
import { PeerFigures } from "./peer-figures.ts";
import type { FromPeers } from "./peer-messages.ts";

/** An answer that has to hold every candidate waits for them no longer than this: those that are there by then are tried. */
const GATHER_WITHIN_MS = 3_000;
/** Candidates that come ahead of their description; there are some dozens of a large network. */
const MAX_EARLY_CANDIDATES = 64;
const FIGURES_EVERY_MS = 1_000;
/** Said with every frame: when it was captured, and which frames it refers to. */
const WANTED_EXTENSIONS = [
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
];

/** Chromium's, which the standard types do not have yet (W3C WebRTC Extensions, "RTP header extension control"). */
interface HeaderExtensions {
	getHeaderExtensionsToNegotiate?(): { uri: string; direction: string }[];
	setHeaderExtensionsToNegotiate?(extensions: { uri: string; direction: string }[]): void;
}

interface Peer {
	readonly person: PersonId;
	readonly connection: RTCPeerConnection;
	readonly figures: PeerFigures;
	readonly early: RTCIceCandidateInit[];
	/** Descriptions are taken one after the other. */
	lane: Promise<void>;
}

/** The page's end of everybody's WebRTC connection: it answers, and hands each receiver's encoded frames to the worker. */
export class PeerConnections {
	readonly #worker: Worker;
	readonly #post: (message: FromPeers) => void;
	readonly #peers = new Map<string, Peer>();
	#iceServers: readonly IceServer[] = [];
	#timer: ReturnType<typeof setInterval> | undefined;

	constructor(worker: Worker, post: (message: FromPeers) => void) {
		this.#worker = worker;
		this.#post = post;
	}

	/** Who is in the call now: whose connection is not among them is let go. */
	setCall(peers: readonly CallPeer[], iceServers: readonly IceServer[]): void {
		this.#iceServers = iceServers;
		for (const id of this.#peers.keys()) {
			if (!peers.some(({ connection }) => connection === id)) {
				this.#drop(id);
			}
		}
	}

	take(person: PersonId, id: string, signal: Signal): void {
		switch (signal.kind) {
			case "description":
				this.#takeDescription(person, id, signal);
				return;
			case "candidate":
				this.#takeCandidate(id, signal);
				return;
			case "bye":
				this.#drop(id);
				return;
			default:
				// What a sender says of its devices, or to a sender, is nothing to a receiver.
				return;
		}
	}

	close(): void {
		for (const id of [...this.#peers.keys()]) {
			this.#drop(id);
		}
	}

	#takeDescription(person: PersonId, id: string, signal: Extract<Signal, { kind: "description" }>): void {
		if (typeof RTCPeerConnection === "undefined" || typeof RTCRtpScriptTransform === "undefined") {
			const reason = "compositor: expected a browser with RTCPeerConnection and RTCRtpScriptTransform, got one without";
			this.#say(person, id, { kind: "bye", reason });
			return;
		}
		if (signal.type !== "offer") {
			return;
		}
		const peer = this.#peers.get(id) ?? this.#newPeer(person, id);
		peer.lane = peer.lane
			.then(() => this.#answer(peer, id, signal.sdp, signal.complete === true))
			.catch((error: unknown) => {
				const reason = `compositor: expected an offer that can be answered, got ${messageOf(error)}`.slice(0, 200);
				this.#log(`${person}: ${reason}`);
				this.#say(person, id, { kind: "bye", reason });
				this.#drop(id);
			});
	}

	async #answer(peer: Peer, id: string, sdp: string, complete: boolean): Promise<void> {
		const { connection, person } = peer;
		await connection.setRemoteDescription({ type: "offer", sdp });
		for (const transceiver of connection.getTransceivers()) {
			prepare(transceiver);
		}
		for (const candidate of peer.early.splice(0)) {
			await connection.addIceCandidate(candidate);
		}
		await connection.setLocalDescription();
		if (complete) {
			await gathered(connection);
		}
		const answer = connection.localDescription?.sdp;
		if (answer !== undefined && this.#peers.get(id) === peer) {
			this.#say(person, id, { kind: "description", type: "answer", sdp: answer });
		}
	}

	#takeCandidate(id: string, { candidate, sdpMid, sdpMLineIndex, usernameFragment }: CandidateSignal): void {
		const peer = this.#peers.get(id);
		if (peer === undefined) {
			return;
		}
		const init = {
			candidate,
			...(sdpMid === undefined ? {} : { sdpMid }),
			...(sdpMLineIndex === undefined ? {} : { sdpMLineIndex }),
			...(usernameFragment === undefined ? {} : { usernameFragment }),
		};
		if (peer.connection.remoteDescription === null) {
			if (peer.early.length < MAX_EARLY_CANDIDATES) {
				peer.early.push(init);
			}
			return;
		}
		// One of a generation that is over is refused: nothing is lost by it.
		peer.connection.addIceCandidate(init).catch((error: unknown) => this.#log(`${peer.person}: ${messageOf(error)}`));
	}

	#newPeer(person: PersonId, id: string): Peer {
		const connection = new RTCPeerConnection({
			iceServers: this.#iceServers.map(toRtcIceServer),
			bundlePolicy: "max-bundle",
		});
		const peer: Peer = { person, connection, figures: new PeerFigures(), early: [], lane: Promise.resolve() };
		this.#peers.set(id, peer);
		connection.ontrack = ({ receiver, track }) => {
			// Here, or the first frames pass it by.
			receiver.transform = new RTCRtpScriptTransform(this.#worker, { person, connection: id, track: track.kind });
		};
		connection.onicecandidate = ({ candidate }) => {
			if (candidate !== null) {
				const { candidate: text, sdpMid, sdpMLineIndex, usernameFragment } = candidate.toJSON();
				this.#say(person, id, {
					kind: "candidate",
					candidate: text ?? "",
					...(sdpMid === undefined ? {} : { sdpMid }),
					...(sdpMLineIndex === undefined ? {} : { sdpMLineIndex }),
					...(usernameFragment === undefined ? {} : { usernameFragment }),
				});
			}
		};
		connection.onconnectionstatechange = () => {
			const { connectionState } = connection;
			this.#post({ type: "peer-state", person, connection: id, connected: connectionState === "connected" });
			if (connectionState === "failed") {
				this.#say(person, id, { kind: "restart" });
			}
		};
		this.#timer ??= setInterval(() => this.#report(), FIGURES_EVERY_MS);
		return peer;
	}

	#report(): void {
		for (const [id, { person, connection, figures }] of this.#peers) {
			figures
				.read(connection)
				.then((read) => this.#post({ type: "peer-figures", person, connection: id, figures: read }))
				.catch(() => undefined);
		}
	}

	#drop(id: string): void {
		const peer = this.#peers.get(id);
		if (peer === undefined) {
			return;
		}
		this.#peers.delete(id);
		peer.connection.ontrack = null;
		peer.connection.onicecandidate = null;
		peer.connection.onconnectionstatechange = null;
		peer.connection.close();
		this.#post({ type: "peer-gone", person: peer.person, connection: id });
		if (this.#peers.size === 0) {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}

	#say(person: PersonId, connection: string, signal: Signal): void {
		this.#post({ type: "peer-signal", to: person, connection, signal });
	}

	#log(text: string): void {
		this.#post({ type: "peer-problem", text });
	}
}

type CandidateSignal = Extract<Signal, { kind: "candidate" }>;

/** We only listen; sound comes with each packet's predecessor in it where the sender can, and frames say when they were captured. */
function prepare(transceiver: RTCRtpTransceiver): void {
	if (transceiver.direction === "stopped") {
		return;
	}
	transceiver.direction = "recvonly";
	const { kind } = transceiver.receiver.track;
	if (kind === "audio") {
		const codecs = RTCRtpReceiver.getCapabilities("audio")?.codecs ?? [];
		const wanted = ["audio/red", "audio/opus"].flatMap((mime) =>
			codecs.filter((codec) => codec.mimeType.toLowerCase() === mime),
		);
		transceiver.setCodecPreferences(wanted);
	}
	const control = transceiver as RTCRtpTransceiver & HeaderExtensions;
	const extensions = control.getHeaderExtensionsToNegotiate?.() ?? [];
	control.setHeaderExtensionsToNegotiate?.(
		extensions.map(({ uri, direction }) => ({
			uri,
			direction: WANTED_EXTENSIONS.includes(uri) ? "sendrecv" : direction,
		})),
	);
}

function toRtcIceServer({ urls, username, credential }: IceServer): RTCIceServer {
	return {
		urls,
		...(username === undefined ? {} : { username }),
		...(credential === undefined ? {} : { credential }),
	};
}

function gathered(connection: RTCPeerConnection): Promise<void> {
	return new Promise((resolve) => {
		const look = () => {
			if (connection.iceGatheringState === "complete") {
				resolve();
			}
		};
		connection.addEventListener("icegatheringstatechange", look);
		setTimeout(resolve, GATHER_WITHIN_MS);
		look();
	});
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
