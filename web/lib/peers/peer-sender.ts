import type { RateAdvice } from "../../../worker/protocol/signaling.ts";
import type { OutgoingTracks } from "../devices/local-media.ts";
import type { LineFigures } from "./line-figures.ts";
import { SendRelief } from "./send-relief.ts";
import { applyVideoLimits, videoLimits } from "./sender-limits.ts";

/** What one connection sends: tracks change places on its senders, and the picture keeps to its limits, never with a new negotiation. */
export class PeerSender {
	readonly #onProblem: (error: unknown) => void;
	readonly #senders = new Map<string, RTCRtpSender>();
	#tracks: OutgoingTracks;
	#advice: RateAdvice | undefined;
	readonly #relief = new SendRelief();
	/** A sender's parameters are read and written as one step. */
	#queue: Promise<void> = Promise.resolve();

	constructor(tracks: OutgoingTracks, onProblem: (error: unknown) => void) {
		this.#tracks = tracks;
		this.#onProblem = onProblem;
	}

	/** @param kind `audio` or `video` */
	take(kind: string, sender: RTCRtpSender): Promise<void> {
		this.#senders.set(kind, sender);
		return this.#inTurn(async () => {
			await sender.replaceTrack(this.#trackOf(kind));
			await this.#limit();
		});
	}

	setTracks(tracks: OutgoingTracks): void {
		this.#tracks = tracks;
		void this.#inTurn(async () => {
			for (const [kind, sender] of this.#senders) {
				const track = this.#trackOf(kind);
				if (sender.track !== track) {
					await sender.replaceTrack(track);
				}
			}
			await this.#limit();
		});
	}

	setAdvice(advice: RateAdvice | undefined): void {
		this.#advice = advice;
		this.refresh();
	}

	/** @param nowMs never goes back */
	note({ packetsSent, waitedMs }: LineFigures, nowMs: number): void {
		if (packetsSent !== undefined && waitedMs !== undefined && this.#relief.note(packetsSent, waitedMs, nowMs)) {
			this.refresh();
		}
	}

	/** Limits put on a sender before its negotiation did not hold. */
	refresh(): void {
		void this.#inTurn(() => this.#limit());
	}

	#trackOf(kind: string): MediaStreamTrack | null {
		return (kind === "video" ? this.#tracks.video : this.#tracks.audio) ?? null;
	}

	async #limit(): Promise<void> {
		const sender = this.#senders.get("video");
		const height = this.#tracks.video.getSettings().height;
		if (sender !== undefined) {
			const { screen } = this.#tracks;
			// Of a smaller screen nothing could be read.
			const divisor = screen ? 1 : this.#relief.divisor;
			await applyVideoLimits(sender, videoLimits({ height, screen }, this.#advice, divisor));
		}
	}

	#inTurn(action: () => Promise<void>): Promise<void> {
		this.#queue = this.#queue.then(action).catch(this.#onProblem);
		return this.#queue;
	}
}
