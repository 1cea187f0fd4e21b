import type { Signal } from "../../../worker/protocol/signaling.ts";
import { Alarm } from "../platform/alarm.ts";
import type { Clock } from "../platform/clock.ts";
import { type LineFigures, readLineFigures } from "./line-figures.ts";
import { LineHealth, type LineState } from "./line-health.ts";
import { Negotiation } from "./negotiation.ts";

export interface PeerLineOptions {
	readonly clock: Clock;
	/** The line closes it. */
	readonly connection: RTCPeerConnection;
	/** Makes the first offer, gives way to none, and restarts ICE for both. The other one answers, and asks for a restart. */
	readonly offers: boolean;
	send(signal: Signal): void;
	prepareAnswer?(): Promise<void>;
	mungeOffer?(sdp: string): string;
	mungeRemote?(sdp: string): string;
	onState(state: LineState): void;
	/** Of a connection that works, every {@link LOOK_EVERY_MS}. */
	onFigures(figures: LineFigures): void;
	/** Senders take parameters from now on. */
	onNegotiated(): void;
	/** The peer has said that this connection is over. */
	onBye(reason: string): void;
	onProblem(error: unknown): void;
}

const LOOK_EVERY_MS = 250;

/** One connection to one peer: negotiated, watched, and made to look for new ways when it breaks. */
export class PeerLine {
	readonly #options: PeerLineOptions;
	readonly #negotiation: Negotiation;
	readonly #health: LineHealth;
	readonly #alarm: Alarm;
	readonly #look: Alarm;
	#state: LineState = "connecting";
	#isClosed = false;

	constructor(options: PeerLineOptions) {
		const { clock, connection, offers, prepareAnswer, mungeOffer, mungeRemote } = options;
		this.#options = options;
		this.#health = new LineHealth(clock.nowMs());
		this.#alarm = new Alarm(clock, () => this.#review());
		this.#look = new Alarm(clock, () => void this.#lookAtFigures());
		this.#negotiation = new Negotiation(connection, {
			clock,
			polite: !offers,
			send: options.send,
			...(prepareAnswer === undefined ? {} : { prepareAnswer }),
			...(mungeOffer === undefined ? {} : { mungeOffer }),
			...(mungeRemote === undefined ? {} : { mungeRemote }),
			onProblem: options.onProblem,
		});
		connection.onconnectionstatechange = () => {
			this.#health.changed(connection.connectionState, clock.nowMs());
			this.#review();
			void this.#lookAtFigures();
		};
		connection.onsignalingstatechange = () => {
			if (connection.signalingState === "stable") {
				options.onNegotiated();
			}
		};
		this.#review();
	}

	get state(): LineState {
		return this.#state;
	}

	receive(signal: Signal): void {
		switch (signal.kind) {
			case "description":
			case "candidate":
				this.#negotiation.receive(signal);
				return;
			case "restart":
				if (this.#health.takePeersRestart(this.#options.clock.nowMs())) {
					this.#negotiation.restartIce();
				}
				return;
			case "bye":
				this.#options.onBye(signal.reason);
				return;
			case "rate":
			case "media":
			// For whoever owns the line.
		}
	}

	networkChanged(): void {
		this.#health.networkChanged(this.#options.clock.nowMs());
		this.#review();
	}

	/** Signals may have been lost on their way, ours and theirs: of a line that works nothing was missed. */
	signalingResumed(): void {
		const works = this.#state === "connected" && !this.#health.isSilent;
		if (this.#options.connection.signalingState === "have-local-offer") {
			this.#negotiation.signalingResumed();
		} else if (!works && this.#state !== "connecting") {
			this.#restart();
		}
	}

	/** Servers' credentials are short-lived; a restart wants the newest. */
	setIceServers(iceServers: RTCIceServer[]): void {
		const { connection } = this.#options;
		connection.setConfiguration({ ...connection.getConfiguration(), iceServers });
	}

	/** May be called twice. */
	close(): void {
		if (this.#isClosed) {
			return;
		}
		this.#isClosed = true;
		const { connection } = this.#options;
		this.#alarm.set(undefined);
		this.#look.set(undefined);
		this.#negotiation.close();
		connection.onconnectionstatechange = null;
		connection.onsignalingstatechange = null;
		connection.ontrack = null;
		connection.close();
	}

	#review(): void {
		if (this.#isClosed) {
			return;
		}
		const nowMs = this.#options.clock.nowMs();
		if (this.#health.takeRestart(nowMs)) {
			this.#restart();
		}
		this.#alarm.set(this.#health.nextMs(nowMs));
		const state = this.#health.state(nowMs);
		if (state !== this.#state) {
			this.#state = state;
			this.#options.onState(state);
		}
	}

	/** One look at a time, as long as the connection works. */
	async #lookAtFigures(): Promise<void> {
		const { clock, connection, onFigures } = this.#options;
		this.#look.set(undefined);
		if (this.#isClosed || connection.connectionState !== "connected") {
			return;
		}
		this.#look.set(clock.nowMs() + LOOK_EVERY_MS);
		// Of a connection that was closed meanwhile there is nothing to know.
		const figures = await readLineFigures(connection).catch(() => undefined);
		if (figures === undefined || this.#isClosed || connection.connectionState !== "connected") {
			return;
		}
		if (figures.bytesReceived !== undefined) {
			this.#health.received(figures.bytesReceived, clock.nowMs());
			this.#review();
		}
		onFigures(figures);
	}

	#restart(): void {
		if (this.#options.offers) {
			this.#negotiation.restartIce();
		} else {
			this.#options.send({ kind: "restart" });
		}
	}
}
