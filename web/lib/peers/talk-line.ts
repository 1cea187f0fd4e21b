import type { Signal } from "../../../worker/protocol/signaling.ts";
import type { OutgoingTracks } from "../devices/local-media.ts";
import type { Clock } from "../platform/clock.ts";
import { preferCodecs } from "./codec-order.ts";
import type { LineFigures } from "./line-figures.ts";
import type { LineState } from "./line-health.ts";
import { PeerLine } from "./peer-line.ts";
import { PeerSender } from "./peer-sender.ts";
import { TALK_RATES, withRateBounds } from "./rate-bounds.ts";

export interface TalkLineOptions {
	readonly clock: Clock;
	readonly connection: RTCPeerConnection;
	/** Of the two, the one who offers first. */
	readonly offers: boolean;
	readonly videoCodec: string;
	readonly tracks: OutgoingTracks;
	/** What sound and picture are announced to belong to; it stays empty. */
	readonly together: MediaStream;
	send(signal: Signal): void;
	/** State, what is to be heard and seen, or the way it goes has changed. */
	onChange(): void;
	onBye(): void;
	onProblem(error: unknown): void;
}

/** Two people see and hear each other by it: both ways, on one connection. */
export class TalkLine {
	readonly #options: TalkLineOptions;
	readonly #line: PeerLine;
	readonly #sender: PeerSender;
	readonly #remote = new Map<string, MediaStreamTrack>();
	#isRelayed = false;

	constructor(options: TalkLineOptions) {
		const { clock, connection, offers, send, onProblem } = options;
		this.#options = options;
		this.#sender = new PeerSender(options.tracks, onProblem);
		connection.ontrack = ({ track }) => {
			this.#remote.set(track.kind, track);
			options.onChange();
		};
		this.#line = new PeerLine({
			clock,
			connection,
			offers,
			send,
			prepareAnswer: () => this.#prepareAnswer(),
			mungeRemote: (sdp) => withRateBounds(sdp, TALK_RATES),
			onState: (state) => this.#stateChanged(state),
			onFigures: (figures) => this.#look(figures),
			onNegotiated: () => this.#sender.refresh(),
			onBye: () => options.onBye(),
			onProblem,
		});
		if (offers) {
			for (const kind of ["audio", "video"]) {
				this.#send(connection.addTransceiver(kind, { direction: "sendrecv", streams: [options.together] }), kind);
			}
		}
	}

	get state(): LineState {
		return this.#line.state;
	}

	get isRelayed(): boolean {
		return this.#isRelayed;
	}

	/** What the other one sends. */
	get tracks(): readonly MediaStreamTrack[] {
		return [...this.#remote.values()];
	}

	receive(signal: Signal): void {
		this.#line.receive(signal);
	}

	setTracks(tracks: OutgoingTracks): void {
		this.#sender.setTracks(tracks);
	}

	signalingResumed(): void {
		this.#line.signalingResumed();
	}

	networkChanged(): void {
		this.#line.networkChanged();
	}

	setIceServers(iceServers: RTCIceServer[]): void {
		this.#line.setIceServers(iceServers);
	}

	/** May be called twice. */
	close(): void {
		this.#line.close();
	}

	#send(transceiver: RTCRtpTransceiver, kind: string): Promise<void> {
		preferCodecs(transceiver, kind, this.#options.videoCodec);
		return this.#sender.take(kind, transceiver.sender);
	}

	/** What was offered to us goes both ways. */
	async #prepareAnswer(): Promise<void> {
		for (const transceiver of this.#options.connection.getTransceivers()) {
			if (transceiver.direction === "recvonly") {
				transceiver.direction = "sendrecv";
				transceiver.sender.setStreams?.(this.#options.together);
				await this.#send(transceiver, transceiver.receiver.track.kind);
			}
		}
	}

	#stateChanged(state: LineState): void {
		this.#options.onChange();
		if (state === "connected") {
			this.#sender.refresh();
		}
	}

	#look(figures: LineFigures): void {
		this.#sender.note(figures, this.#options.clock.nowMs());
		if (figures.isRelayed !== this.#isRelayed) {
			this.#isRelayed = figures.isRelayed;
			this.#options.onChange();
		}
	}
}
