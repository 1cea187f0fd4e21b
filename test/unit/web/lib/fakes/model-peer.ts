import type { NegotiationPort } from "../../../../../web/lib/peers/negotiation.ts";

type State = RTCSignalingState;

/**
 * A model of an `RTCPeerConnection` in what a negotiation sees of it (W3C WebRTC §4.4.1, RFC 9429 §4 and §5): signalling states, implicit rollback, ICE
 * credentials that change with a restart, candidates that fit one description only, and the event that asks for a negotiation.
 */
export class ModelPeer implements NegotiationPort {
	readonly name: string;
	signalingState: State = "stable";
	currentLocalDescription: RTCSessionDescription | null = null;
	currentRemoteDescription: RTCSessionDescription | null = null;
	onnegotiationneeded: ((event: Event) => void) | null = null;
	onicecandidate: ((event: RTCPeerConnectionIceEvent) => void) | null = null;
	/** Of the remote description in force when they came. */
	readonly candidates: string[] = [];
	#pendingLocal: RTCSessionDescription | null = null;
	#pendingRemote: RTCSessionDescription | null = null;
	/** Of the credentials in force, and the newest there ever were. */
	#generation = 1;
	#newest = 1;
	/** `[[LocalIceCredentialsToReplace]]`: what a restart wants to be rid of. */
	#toReplace = new Set<number>();
	#isNeeded = false;
	#turns: () => number;

	/** @param turns how many turns the next step takes, for steps of a browser take as long as they like */
	constructor(name: string, turns: () => number = () => 1) {
		this.name = name;
		this.#turns = turns;
	}

	get localDescription(): RTCSessionDescription | null {
		return this.#pendingLocal ?? this.currentLocalDescription;
	}

	get remoteDescription(): RTCSessionDescription | null {
		return this.#pendingRemote ?? this.currentRemoteDescription;
	}

	/** As by `addTransceiver`. */
	needNegotiation(): void {
		this.#isNeeded = true;
		this.#ask();
	}

	restartIce(): void {
		this.#toReplace.add(this.#generation).add(generationOf(this.#pendingLocal));
		this.needNegotiation();
	}

	async createOffer(): Promise<RTCSessionDescriptionInit> {
		return { type: "offer", sdp: this.#sdp("offer", this.#toReplace.size > 0 ? this.#newest + 1 : this.#generation) };
	}

	async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
		await this.#wait();
		if (description?.type === "rollback") {
			this.#pendingLocal = null;
			this.#to("stable");
			return;
		}
		if (this.signalingState === "stable") {
			const sdp = description?.sdp ?? (await this.createOffer()).sdp ?? "";
			this.#isNeeded = false;
			this.#pendingLocal = described("offer", sdp);
			this.#newest = Math.max(this.#newest, generationOf(this.#pendingLocal));
			this.#to("have-local-offer");
		} else if (this.signalingState === "have-remote-offer") {
			const isRestart =
				this.currentRemoteDescription !== null &&
				fragmentOf(this.currentRemoteDescription.sdp) !== fragmentOf(this.#pendingRemote?.sdp);
			if (isRestart) {
				this.#newest += 1;
				this.#generation = this.#newest;
			}
			this.currentLocalDescription = described("answer", this.#sdp("answer", this.#generation));
			this.currentRemoteDescription = this.#pendingRemote;
			this.#pendingRemote = null;
			this.#settle();
		} else {
			throw new DOMException("model: a local description in this state", "InvalidStateError");
		}
		this.onicecandidate?.({
			candidate: {
				candidate: `of ${this.name}`,
				sdpMid: "0",
				sdpMLineIndex: 0,
				usernameFragment: fragmentOf(this.localDescription?.sdp),
			},
		} as RTCPeerConnectionIceEvent);
	}

	async setRemoteDescription({ type, sdp = "" }: RTCSessionDescriptionInit): Promise<void> {
		await this.#wait();
		if (type === "offer") {
			if (this.signalingState === "have-local-offer") {
				this.#pendingLocal = null;
				this.#isNeeded = true;
				this.#to("stable");
			}
			this.#pendingRemote = described("offer", sdp);
			this.#to("have-remote-offer");
		} else if (type === "answer" && this.signalingState === "have-local-offer") {
			this.currentLocalDescription = this.#pendingLocal;
			this.currentRemoteDescription = described("answer", sdp);
			this.#pendingLocal = null;
			this.#generation = generationOf(this.currentLocalDescription);
			this.#settle();
		} else {
			throw new DOMException(`model: ${type} in ${this.signalingState}`, "InvalidStateError");
		}
	}

	async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
		await this.#wait();
		if (this.remoteDescription === null) {
			throw new DOMException("model: a candidate without a remote description", "InvalidStateError");
		}
		if (fragmentOf(this.remoteDescription.sdp) !== candidate?.usernameFragment) {
			throw new DOMException("model: a candidate of another description", "OperationError");
		}
		this.candidates.push(candidate.usernameFragment);
	}

	#sdp(kind: string, generation: number): string {
		return `v=0\r\ns=${kind}\r\na=ice-ufrag:${this.name}${generation}\r\n`;
	}

	/** A negotiation is through. */
	#settle(): void {
		if (!this.#toReplace.has(this.#generation)) {
			this.#toReplace.clear();
		}
		this.#isNeeded = this.#toReplace.size > 0 || this.#isNeeded;
		this.#to("stable");
	}

	#to(state: State): void {
		this.signalingState = state;
		if (state === "stable") {
			this.#ask();
		}
	}

	#ask(): void {
		queueMicrotask(() => {
			if (this.signalingState === "stable" && this.#isNeeded) {
				this.onnegotiationneeded?.({} as Event);
			}
		});
	}

	async #wait(): Promise<void> {
		for (let turn = this.#turns(); turn > 0; turn--) {
			await Promise.resolve();
		}
	}
}

function described(type: "offer" | "answer", sdp: string): RTCSessionDescription {
	return { type, sdp } as RTCSessionDescription;
}

function generationOf(description: RTCSessionDescription | null): number {
	return Number(/\d+$/.exec(fragmentOf(description?.sdp))?.[0] ?? 0);
}

export function fragmentOf(sdp: string | undefined): string {
	return /a=ice-ufrag:(\S+)/.exec(sdp ?? "")?.[1] ?? "";
}
