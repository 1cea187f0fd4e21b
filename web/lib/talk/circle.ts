import type { ControlEvent } from "../../../worker/protocol/control-messages.ts";
import { PERSON_IDS, type PersonId } from "../../../worker/protocol/roles.ts";
import type { Signal } from "../../../worker/protocol/signaling.ts";
import type { OutgoingTracks } from "../devices/local-media.ts";
import { rtcIceServers } from "../peers/rtc-ice-servers.ts";
import type { Acquaintance } from "../session/session-state.ts";
import { Neighbour, type NeighbourOptions } from "./neighbour.ts";

export interface CircleOptions
	extends Pick<NeighbourOptions, "platform" | "videoCodec" | "player" | "tracks" | "onProblem"> {
	/** This page's own. */
	readonly person: PersonId;
	send(to: PersonId, connection: string, signal: Signal): void;
	/** Something between this page and somebody else has changed. */
	onChange(): void;
	/** Of one person the same stream all the while; `undefined` when there is nothing any more. */
	onRemote(person: PersonId, stream: MediaStream | undefined): void;
}

/** What the broadcast says of who is there. */
export interface Company {
	readonly call: Extract<ControlEvent, { type: "call" }>;
	/** Whose streams are published. */
	readonly streams: readonly string[];
	isAdmitted(person: PersonId): boolean;
}

/** Everybody else: each as a neighbour of this page's person, from when there is anything of them. */
export class Circle {
	readonly #options: CircleOptions;
	readonly #neighbours = new Map<PersonId, Neighbour>();
	/** What was handed out of them last. */
	readonly #shown = new Map<PersonId, MediaStream | undefined>();

	constructor(options: CircleOptions) {
		this.#options = options;
	}

	/** Somebody hears this page's person by their stream. */
	get hearsByStream(): boolean {
		return [...this.#neighbours.values()].some(({ hearsByStream }) => hearsByStream);
	}

	get acquaintances(): ReadonlyMap<PersonId, Acquaintance> {
		const known = new Map<PersonId, Acquaintance>();
		for (const [id, { talk, media }] of this.#neighbours) {
			known.set(id, { ...(talk === undefined ? {} : { talk }), ...(media === undefined ? {} : { media }) });
		}
		return known;
	}

	relate({ call, streams, isAdmitted }: Company): void {
		const { person } = this.#options;
		for (const id of PERSON_IDS) {
			const peer = call.peers.find((each) => each.id === id);
			const isToBeMet = this.#neighbours.has(id) || streams.includes(id) || peer !== undefined;
			if (id !== person && isToBeMet) {
				this.#neighbour(id).relate({
					mayTalk: isAdmitted(person) && isAdmitted(id),
					self: call.self.connection,
					...(peer === undefined ? {} : { peer }),
					offers: PERSON_IDS.indexOf(person) < PERSON_IDS.indexOf(id),
					streams: streams.includes(id),
					iceServers: rtcIceServers(call.iceServers),
				});
			}
		}
	}

	receive(from: PersonId, connection: string, signal: Signal): void {
		this.#neighbours.get(from)?.receive(connection, signal);
	}

	setTracks(tracks: OutgoingTracks): void {
		for (const neighbour of this.#neighbours.values()) {
			neighbour.setTracks(tracks);
		}
	}

	signalingResumed(): void {
		for (const neighbour of this.#neighbours.values()) {
			neighbour.signalingResumed();
		}
	}

	networkChanged(): void {
		for (const neighbour of this.#neighbours.values()) {
			neighbour.networkChanged();
		}
	}

	/** Hands out whom there is something of to be seen and heard, where that has changed. */
	show(): void {
		for (const [person, { stream }] of this.#neighbours) {
			if (this.#shown.get(person) !== stream) {
				this.#shown.set(person, stream);
				this.#options.onRemote(person, stream);
			}
		}
	}

	/** May be called twice. */
	close(): void {
		for (const neighbour of this.#neighbours.values()) {
			neighbour.close();
		}
		this.show();
		this.#neighbours.clear();
	}

	#neighbour(id: PersonId): Neighbour {
		const known = this.#neighbours.get(id);
		if (known !== undefined) {
			return known;
		}
		const { platform, videoCodec, player, tracks, send, onChange, onProblem } = this.#options;
		const neighbour = new Neighbour({
			platform,
			person: id,
			videoCodec,
			player,
			tracks,
			send: (connection, signal) => send(id, connection, signal),
			onChange,
			onProblem,
		});
		this.#neighbours.set(id, neighbour);
		return neighbour;
	}
}
