import type { Signal } from "../../../worker/protocol/signaling.ts";
import { Alarm } from "../platform/alarm.ts";
import type { Clock } from "../platform/clock.ts";

/** What of an `RTCPeerConnection` a negotiation needs; one is one. */
export type NegotiationPort = Pick<
	RTCPeerConnection,
	| "signalingState"
	| "localDescription"
	| "remoteDescription"
	| "currentLocalDescription"
	| "setRemoteDescription"
	| "addIceCandidate"
	| "restartIce"
	| "onnegotiationneeded"
	| "onicecandidate"
> & {
	createOffer(): Promise<RTCSessionDescriptionInit>;
	setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
};

export type NegotiationSignal = Extract<Signal, { kind: "description" | "candidate" }>;

export interface NegotiationOptions {
	readonly clock: Clock;
	/** Gives way when both offer at once. */
	readonly polite: boolean;
	send(signal: NegotiationSignal): void;
	/** Ahead of every answer: what is to be sent back. */
	prepareAnswer?(): Promise<void>;
	/** Of our offers, where a description cannot be had as it is wanted. One that is not taken is made again as the platform makes it. */
	mungeOffer?(sdp: string): string;
	/** What is made of the peer's descriptions before they are used. */
	mungeRemote?(sdp: string): string;
	/** What the peer sent cannot be used. The line's health says what to do about it. */
	onProblem(error: unknown): void;
}

/** An offer or its answer may have been lost with a socket. The same offer asked twice is answered twice, which does no harm. */
export const ANSWER_WITHIN_MS = 3_000;
/** Of a peer that trickles for ever without ever describing itself. */
const MAX_WAITING_CANDIDATES = 200;

/**
 * Perfect negotiation (W3C WebRTC §10.7.2). Everything is done in the order it comes, one after the other: so what the specification asks of flags
 * ("making an offer", "setting an answer") is the signalling state alone.
 */
export class Negotiation {
	readonly #port: NegotiationPort;
	readonly #options: NegotiationOptions;
	/** Our offer waits for its answer. */
	readonly #unanswered: Alarm;
	readonly #candidates: RTCIceCandidateInit[] = [];
	#queue: Promise<void> = Promise.resolve();
	/** The peer's last offer and what it was answered with, for when that was lost. */
	#answered: { readonly offer: string; readonly answer: NegotiationSignal } | undefined;
	/** Of all the peer has described itself by. */
	readonly #remoteFragments = new Set<string | undefined>();
	/** The peer's last offer lost against ours: its candidates are of no use. */
	#ignoresOffer = false;
	#isClosed = false;

	constructor(port: NegotiationPort, options: NegotiationOptions) {
		this.#port = port;
		this.#options = options;
		this.#unanswered = new Alarm(options.clock, () => this.#inTurn(async () => this.#remind()));
		port.onnegotiationneeded = () => this.#inTurn(() => this.#offer());
		port.onicecandidate = ({ candidate }) => {
			if (candidate !== null && !this.#isClosed) {
				const { candidate: text, sdpMid, sdpMLineIndex, usernameFragment } = candidate;
				options.send({ kind: "candidate", candidate: text, sdpMid, sdpMLineIndex, usernameFragment });
			}
		};
	}

	receive(signal: NegotiationSignal): void {
		this.#inTurn(() => (signal.kind === "description" ? this.#describe(signal) : this.#addCandidate(signal)));
	}

	/** New ways are looked for, by a new offer. One that waits for its answer comes first, and may have been lost. */
	restartIce(): void {
		this.#inTurn(async () => {
			// Asks for a negotiation by itself, now or when it is stable again.
			this.#port.restartIce();
			this.#remind();
		});
	}

	/** What was said may have been lost with a socket. */
	signalingResumed(): void {
		this.#inTurn(async () => this.#remind());
	}

	/** May be called twice. The connection itself is its owner's to close. */
	close(): void {
		this.#isClosed = true;
		this.#unanswered.set(undefined);
		this.#port.onnegotiationneeded = null;
		this.#port.onicecandidate = null;
	}

	/** Of another state than stable a negotiation that is still needed is asked for again when it is stable. */
	async #offer(): Promise<void> {
		if (this.#port.signalingState !== "stable") {
			return;
		}
		await this.#setLocalOffer();
		this.#sendLocal();
		this.#expectAnswer();
	}

	async #setLocalOffer(): Promise<void> {
		const { mungeOffer } = this.#options;
		if (mungeOffer === undefined) {
			return this.#port.setLocalDescription();
		}
		const { sdp = "" } = await this.#port.createOffer();
		try {
			await this.#port.setLocalDescription({ type: "offer", sdp: mungeOffer(sdp) });
		} catch (error) {
			this.#options.onProblem(error);
			await this.#port.setLocalDescription();
		}
	}

	#setRemote({ type, sdp }: { readonly type: RTCSdpType; readonly sdp: string }): Promise<void> {
		return this.#port.setRemoteDescription({ type, sdp: this.#options.mungeRemote?.(sdp) ?? sdp });
	}

	async #describe({ type, sdp }: Extract<NegotiationSignal, { kind: "description" }>): Promise<void> {
		const { signalingState } = this.#port;
		switch (type) {
			case "offer":
				if (sdp === this.#answered?.offer) {
					// Asked again before our answer came, or because it never did. What has begun since goes on.
					this.#options.send(this.#answered.answer);
					return;
				}
				this.#ignoresOffer = signalingState !== "stable" && !this.#options.polite;
				if (!this.#ignoresOffer) {
					// Of a polite one's own offer this is the rollback, too.
					this.#unanswered.set(undefined);
					await this.#setRemote({ type, sdp });
					this.#remoteFragments.add(fragmentOf(sdp));
					await this.#answer(sdp);
				}
				return;
			case "answer":
				if (signalingState === "have-local-offer" && !this.#isOfBefore(sdp)) {
					await this.#setRemote({ type, sdp });
					this.#remoteFragments.add(fragmentOf(sdp));
					this.#unanswered.set(undefined);
					this.#ignoresOffer = false;
					await this.#addWaitingCandidates();
				}
				return;
			case "rollback":
				if (signalingState === "have-remote-offer") {
					await this.#port.setRemoteDescription({ type, sdp: "" });
				}
		}
	}

	/** What was offered twice is answered twice, and the second one may come when the next offer is out: of ICE that is the old one still. */
	#isOfBefore(answer: string): boolean {
		const { localDescription, currentLocalDescription } = this.#port;
		const isRestart =
			currentLocalDescription !== null && fragmentOf(localDescription?.sdp) !== fragmentOf(currentLocalDescription.sdp);
		return isRestart && this.#remoteFragments.has(fragmentOf(answer));
	}

	async #answer(offer: string): Promise<void> {
		await this.#addWaitingCandidates();
		await this.#options.prepareAnswer?.();
		await this.#port.setLocalDescription();
		const answer = this.#localSignal();
		if (answer !== undefined) {
			this.#answered = { offer, answer };
			this.#options.send(answer);
		}
	}

	async #addCandidate(signal: Extract<NegotiationSignal, { kind: "candidate" }>): Promise<void> {
		const { candidate: text, sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = signal;
		const candidate: RTCIceCandidateInit = { candidate: text, sdpMid, sdpMLineIndex, usernameFragment };
		if (this.#port.remoteDescription !== null) {
			await this.#add(candidate);
		} else if (!this.#ignoresOffer && this.#candidates.length < MAX_WAITING_CANDIDATES) {
			this.#candidates.push(candidate);
		}
	}

	async #addWaitingCandidates(): Promise<void> {
		for (const candidate of this.#candidates.splice(0)) {
			await this.#add(candidate);
		}
	}

	async #add(candidate: RTCIceCandidateInit): Promise<void> {
		try {
			await this.#port.addIceCandidate(candidate);
		} catch (error) {
			// Of an offer that was passed over, or of ways that a restart has given up.
			if (!this.#ignoresOffer && this.#isCurrent(candidate)) {
				this.#options.onProblem(error);
			}
		}
	}

	#isCurrent({ usernameFragment }: RTCIceCandidateInit): boolean {
		return usernameFragment == null || (this.#port.remoteDescription?.sdp.includes(usernameFragment) ?? false);
	}

	#remind(): void {
		if (this.#port.signalingState === "have-local-offer") {
			this.#sendLocal();
			this.#expectAnswer();
		}
	}

	#expectAnswer(): void {
		this.#unanswered.set(this.#options.clock.nowMs() + ANSWER_WITHIN_MS);
	}

	#sendLocal(): void {
		const signal = this.#localSignal();
		if (signal !== undefined) {
			this.#options.send(signal);
		}
	}

	#localSignal(): NegotiationSignal | undefined {
		const { localDescription } = this.#port;
		if (localDescription === null || localDescription.type === "pranswer" || this.#isClosed) {
			return undefined;
		}
		return { kind: "description", type: localDescription.type, sdp: localDescription.sdp };
	}

	#inTurn(action: () => Promise<void>): void {
		this.#queue = this.#queue.then(async () => {
			if (this.#isClosed) {
				return;
			}
			try {
				await action();
			} catch (error) {
				// Of a connection that was closed meanwhile everything fails.
				if (!this.#isClosed) {
					this.#options.onProblem(error);
				}
			}
		});
	}
}

/** What changes with every ICE restart (RFC 8839 §5.4). */
function fragmentOf(sdp: string | undefined): string | undefined {
	return /^a=ice-ufrag:(\S+)/m.exec(sdp ?? "")?.[1];
}
