import type { RateAdvice, Signal } from "../../../worker/protocol/signaling.ts";
import type { OutgoingTracks } from "../devices/local-media.ts";
import type { Clock } from "../platform/clock.ts";
import { preferCodecs } from "./codec-order.ts";
import { offerHeaderExtensions, withCaptureTime } from "./header-extensions.ts";
import type { LineState } from "./line-health.ts";
import { PeerLine } from "./peer-line.ts";
import { PeerSender } from "./peer-sender.ts";
import { UPLINK_RATES, withRateBounds } from "./rate-bounds.ts";

export interface UplinkOptions {
	readonly clock: Clock;
	readonly connection: RTCPeerConnection;
	readonly videoCodec: string;
	readonly tracks: OutgoingTracks;
	/** What sound and picture are announced to belong to; it stays empty. */
	readonly together: MediaStream;
	readonly advice: RateAdvice | undefined;
	send(signal: Signal): void;
	onState(state: LineState): void;
	onBye(): void;
	onProblem(error: unknown): void;
}

/**
 * What this page sends to the compositor: one way, for what is tapped there is never called on lines that go both ways, and with the time it was captured at.
 */
export class Uplink {
	readonly #line: PeerLine;
	readonly #sender: PeerSender;

	constructor(options: UplinkOptions) {
		const { clock, connection, send, onProblem } = options;
		this.#sender = new PeerSender(options.tracks, onProblem);
		this.#sender.setAdvice(options.advice);
		let asksForCaptureTime = true;
		for (const kind of ["audio", "video"]) {
			const transceiver = connection.addTransceiver(kind, { direction: "sendonly", streams: [options.together] });
			preferCodecs(transceiver, kind, options.videoCodec);
			asksForCaptureTime = offerHeaderExtensions(transceiver) && asksForCaptureTime;
			void this.#sender.take(kind, transceiver.sender);
		}
		this.#line = new PeerLine({
			clock,
			connection,
			offers: true,
			send,
			...(asksForCaptureTime ? {} : { mungeOffer: withCaptureTime }),
			mungeRemote: (sdp) => withRateBounds(sdp, UPLINK_RATES),
			onFigures: (figures) => this.#sender.note(figures, clock.nowMs()),
			onState: (state) => {
				this.#sender.refresh();
				options.onState(state);
			},
			onNegotiated: () => this.#sender.refresh(),
			onBye: () => options.onBye(),
			onProblem,
		});
	}

	get state(): LineState {
		return this.#line.state;
	}

	receive(signal: Signal): void {
		this.#line.receive(signal);
	}

	setTracks(tracks: OutgoingTracks): void {
		this.#sender.setTracks(tracks);
	}

	setAdvice(advice: RateAdvice | undefined): void {
		this.#sender.setAdvice(advice);
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
}
