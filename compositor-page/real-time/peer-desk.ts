import type { PersonId } from "../../worker/protocol/roles.ts";
import type { IceServer, Signal } from "../../worker/protocol/signaling.ts";
import { PeerAnswerer, whyNoRealTime } from "./peer-answerer.ts";
import type { FromPeers, TapTicket, ToPeers } from "./peer-messages.ts";

const FIGURES_EVERY_MS = 1_000;

/** The page's end of everybody's WebRTC connection: who is heard, and for how long, is the worker's to say. */
export class PeerDesk {
	readonly #worker: Worker;
	readonly #post: (message: FromPeers) => void;
	readonly #peers = new Map<string, PeerAnswerer>();
	#iceServers: RTCIceServer[] = [];
	#timer: ReturnType<typeof setInterval> | undefined;

	/** @param worker to which each receiver's frames go */
	constructor(worker: Worker, post: (message: FromPeers) => void) {
		this.#worker = worker;
		this.#post = post;
	}

	take(message: ToPeers): void {
		switch (message.type) {
			case "ice-servers":
				this.#iceServers = message.iceServers.map(toRtcIceServer);
				for (const peer of this.#peers.values()) {
					peer.setIceServers(this.#iceServers);
				}
				return;
			case "signal":
				this.#signal(message.person, message.connection, message.signal);
				return;
			case "close":
				this.#drop(message.connection);
				return;
			default:
				message satisfies never;
		}
	}

	/** May be called twice. */
	close(): void {
		for (const connection of [...this.#peers.keys()]) {
			this.#drop(connection);
		}
	}

	#signal(person: PersonId, connection: string, signal: Signal): void {
		const isOffer = signal.kind === "description" && signal.type === "offer";
		const reason = isOffer ? whyNoRealTime() : undefined;
		if (reason !== undefined) {
			this.#post({ type: "peer-signal", to: person, connection, signal: { kind: "bye", reason } });
			this.#post({ type: "peer-gone", connection });
			return;
		}
		const known = this.#peers.get(connection);
		if (known !== undefined || isOffer) {
			(known ?? this.#open(person, connection)).take(signal);
		}
	}

	#open(person: PersonId, connection: string): PeerAnswerer {
		const peer = new PeerAnswerer({
			iceServers: this.#iceServers,
			transform: (track) => {
				const ticket: TapTicket = { person, connection, track };
				return new RTCRtpScriptTransform(this.#worker, ticket);
			},
			say: (signal) => this.#post({ type: "peer-signal", to: person, connection, signal }),
			onState: (connected) => this.#post({ type: "peer-state", connection, connected }),
			onFailed: () => {
				this.#drop(connection);
				this.#post({ type: "peer-gone", connection });
			},
			onProblem: (reason) => this.#post({ type: "peer-problem", text: `${person}: ${reason}` }),
		});
		this.#peers.set(connection, peer);
		this.#timer ??= setInterval(() => this.#report(), FIGURES_EVERY_MS);
		return peer;
	}

	#report(): void {
		for (const [connection, peer] of this.#peers) {
			peer.figures().then(
				(figures) => this.#post({ type: "peer-figures", connection, figures }),
				(error: unknown) => this.#post({ type: "peer-problem", text: `figures: ${String(error)}` }),
			);
		}
	}

	#drop(connection: string): void {
		this.#peers.get(connection)?.close();
		this.#peers.delete(connection);
		if (this.#peers.size === 0) {
			clearInterval(this.#timer);
			this.#timer = undefined;
		}
	}
}

function toRtcIceServer({ urls, username, credential }: IceServer): RTCIceServer {
	return {
		urls,
		...(username === undefined ? {} : { username }),
		...(credential === undefined ? {} : { credential }),
	};
}
