import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { Signal } from "../../../worker/protocol/signaling.ts";
import type { OutgoingTracks } from "../devices/local-media.ts";
import { TalkLine } from "../peers/talk-line.ts";
import { Alarm } from "../platform/alarm.ts";
import type { Platform, StreamPlay, StreamPlayOptions } from "../platform/platform.ts";
import type { PersonMedia } from "../session/session-state.ts";
import type { TalkState } from "../session-types.ts";

/**
 * A line that works goes on for this long when the other one is not in the call: their signalling may just have been cut off, and they are back by another
 * connection in a moment. Whoever leaves says so themselves.
 */
export const GONE_AFTER_MS = 5_000;
/** Somebody whose stream is there and who is not in the call may be about to be. */
export const STREAM_ONLY_AFTER_MS = 2_000;

/** What holds between this page and another person. */
export interface Relation {
	/** Both may be on air. Otherwise nothing goes between them, at once. */
	readonly mayTalk: boolean;
	/** This page's own connection to the call. */
	readonly self: string;
	/** Theirs; absent while they are not in it. */
	readonly peer?: { readonly connection: string; readonly realTime: boolean };
	/** This page offers first. */
	readonly offers: boolean;
	/** Their stream is published. */
	readonly streams: boolean;
	readonly iceServers: RTCIceServer[];
}

export interface NeighbourOptions {
	readonly platform: Platform;
	readonly person: PersonId;
	readonly videoCodec: string;
	readonly player: Omit<StreamPlayOptions, "person" | "onState">;
	tracks(): OutgoingTracks;
	/** @param connection theirs */
	send(connection: string, signal: Signal): void;
	/** Talk, picture, sound or what they say of it has changed. */
	onChange(): void;
	onProblem(error: unknown): void;
}

interface Line {
	readonly key: string;
	readonly connection: string;
	readonly talk: TalkLine;
}

/** One other person, as they are seen and heard here: directly where that works, by their stream where it does not. */
export class Neighbour {
	readonly #options: NeighbourOptions;
	readonly #stream: MediaStream;
	readonly #alarm: Alarm;
	#relation: Relation | undefined;
	#line: Line | undefined;
	/** Of a connection id before, until the newer line works: so nothing is missed. */
	#before: Line | undefined;
	/** Of a line that they have ended. */
	#endedKey: string | undefined;
	#player: { readonly play: StreamPlay; state: Parameters<StreamPlayOptions["onState"]>[0] } | undefined;
	#media: PersonMedia | undefined;
	#goneSinceMs: number | undefined;
	#streamOnlySinceMs: number | undefined;

	constructor(options: NeighbourOptions) {
		this.#options = options;
		this.#stream = options.platform.newStream([]);
		this.#alarm = new Alarm(options.platform.clock, () => this.#review());
	}

	/** As they say themselves. */
	get media(): PersonMedia | undefined {
		return this.#media;
	}

	/** `undefined` of somebody there is nothing to hear from. */
	get talk(): TalkState | undefined {
		const byStream: TalkState | undefined =
			this.#player === undefined ? undefined : this.#player.state === "playing" ? "stream" : "connecting";
		return this.#line === undefined ? byStream : this.#talkBy(this.#line.talk, byStream);
	}

	/** They hear this page's person by their stream, as far as can be told from here: what does not work does not work both ways. */
	get hearsByStream(): boolean {
		const { peer, mayTalk, streams } = this.#relation ?? {};
		// Without WebRTC and without a stream it is an encoder that speaks WHIP, and hears nobody.
		return this.#line?.talk.state === "lost" || (peer?.realTime === false && mayTalk === true && streams === true);
	}

	/** The same object all the while; `undefined` while nothing is to be seen or heard. */
	get stream(): MediaStream | undefined {
		return this.#stream.getTracks().length === 0 ? undefined : this.#stream;
	}

	relate(relation: Relation): void {
		this.#relation = relation;
		this.#line?.talk.setIceServers(relation.iceServers);
		this.#review();
	}

	/** @param connection theirs, that the signal came from */
	receive(connection: string, signal: Signal): void {
		if (signal.kind === "media") {
			const { camera, microphone, screen } = signal;
			this.#media = { camera, microphone, screen };
			this.#options.onChange();
		} else if (this.#line?.connection === connection) {
			this.#line.talk.receive(signal);
		} else if (this.#before?.connection === connection) {
			this.#before.talk.receive(signal);
		}
	}

	setTracks(tracks: OutgoingTracks): void {
		this.#line?.talk.setTracks(tracks);
		this.#before?.talk.setTracks(tracks);
	}

	signalingResumed(): void {
		this.#line?.talk.signalingResumed();
	}

	networkChanged(): void {
		this.#line?.talk.networkChanged();
	}

	/** May be called twice. */
	close(): void {
		this.#alarm.set(undefined);
		this.#relation = undefined;
		this.#dropLines();
		this.#stopPlayer();
		this.#show();
	}

	#talkBy({ state, isRelayed }: TalkLine, byStream: TalkState | undefined): TalkState {
		switch (state) {
			case "connected":
				return isRelayed ? "relayed" : "connected";
			case "connecting":
				return this.#before?.talk.state === "connected" ? "connected" : "connecting";
			case "interrupted":
				return "broken";
			case "lost":
				return byStream === "stream" ? "stream" : "broken";
		}
	}

	#review(): void {
		const relation = this.#relation;
		if (relation === undefined) {
			return;
		}
		const nowMs = this.#options.platform.clock.nowMs();
		this.#reviewLine(relation, nowMs);
		this.#reviewPlayer(relation, nowMs);
		const moments = [
			this.#goneSinceMs === undefined ? undefined : this.#goneSinceMs + GONE_AFTER_MS,
			this.#streamOnlySinceMs === undefined ? undefined : this.#streamOnlySinceMs + STREAM_ONLY_AFTER_MS,
		].filter((atMs) => atMs !== undefined && atMs > nowMs) as number[];
		this.#alarm.set(moments.length === 0 ? undefined : Math.min(...moments));
		this.#show();
		this.#options.onChange();
	}

	#reviewLine(relation: Relation, nowMs: number): void {
		const { newPeerConnection } = this.#options.platform;
		const { mayTalk, peer, self } = relation;
		const isGone = peer === undefined;
		this.#goneSinceMs = isGone ? (this.#goneSinceMs ?? nowMs) : undefined;
		if (isGone) {
			this.#media = this.#line === undefined ? undefined : this.#media;
		}
		if (!mayTalk || peer?.realTime === false || newPeerConnection === undefined) {
			this.#dropLines();
			return;
		}
		if (isGone) {
			const isOver = nowMs >= (this.#goneSinceMs ?? nowMs) + GONE_AFTER_MS;
			if (isOver || this.#line?.talk.state !== "connected") {
				this.#dropLines();
			}
			return;
		}
		const key = `${self}/${peer.connection}`;
		if (key !== this.#line?.key && key !== this.#endedKey) {
			this.#openLine(newPeerConnection, key, peer.connection, relation);
		}
	}

	#openLine(
		newPeerConnection: NonNullable<Platform["newPeerConnection"]>,
		key: string,
		connection: string,
		{ offers, iceServers }: Relation,
	): void {
		const { platform, videoCodec, tracks, send, onProblem } = this.#options;
		this.#before?.talk.close();
		this.#before = this.#line;
		const talk = new TalkLine({
			clock: platform.clock,
			connection: newPeerConnection({ iceServers }),
			offers,
			videoCodec,
			tracks: tracks(),
			together: platform.newStream([]),
			send: (signal) => send(connection, signal),
			onChange: () => this.#lineChanged(key),
			onBye: () => this.#lineEnded(key),
			onProblem,
		});
		this.#line = { key, connection, talk };
	}

	#lineChanged(key: string): void {
		const { state } = (this.#line?.key === key ? this.#line.talk : undefined) ?? {};
		if (state === "connected" || state === "lost") {
			this.#before?.talk.close();
			this.#before = undefined;
		}
		this.#review();
	}

	/** They will not have it any more; by another connection they may be back. */
	#lineEnded(key: string): void {
		if (this.#before?.key === key) {
			this.#before.talk.close();
			this.#before = undefined;
		} else if (this.#line?.key === key) {
			this.#endedKey = key;
			this.#dropLines();
		}
		this.#review();
	}

	#dropLines(): void {
		this.#line?.talk.close();
		this.#before?.talk.close();
		this.#line = undefined;
		this.#before = undefined;
	}

	#reviewPlayer({ mayTalk, peer, streams }: Relation, nowMs: number): void {
		const isStreamOnly = mayTalk && streams && peer?.realTime !== true && this.#line === undefined;
		this.#streamOnlySinceMs = isStreamOnly ? (this.#streamOnlySinceMs ?? nowMs) : undefined;
		const sinceMs = this.#streamOnlySinceMs;
		const isForSure =
			isStreamOnly && (peer !== undefined || (sinceMs !== undefined && nowMs >= sinceMs + STREAM_ONLY_AFTER_MS));
		if (mayTalk && (isForSure || this.#line?.talk.state === "lost")) {
			this.#startPlayer();
			this.#player?.play.setExpected(streams);
		} else {
			this.#stopPlayer();
		}
	}

	#startPlayer(): void {
		const { platform, person, player: options } = this.#options;
		if (this.#player !== undefined || platform.newStreamPlay === undefined) {
			return;
		}
		const play = platform.newStreamPlay({
			...options,
			person,
			onState: (state) => {
				if (this.#player?.play === play) {
					this.#player.state = state;
					this.#show();
					this.#options.onChange();
				}
			},
		});
		this.#player = { play, state: "connecting" };
	}

	#stopPlayer(): void {
		this.#player?.play.close();
		this.#player = undefined;
	}

	/** Puts in the stream what works best at the moment. A line that is interrupted goes on showing its last picture. */
	#show(): void {
		const tracks = this.#best();
		for (const track of this.#stream.getTracks()) {
			if (!tracks.includes(track)) {
				this.#stream.removeTrack(track);
			}
		}
		for (const track of tracks) {
			if (!this.#stream.getTracks().includes(track)) {
				this.#stream.addTrack(track);
			}
		}
	}

	#best(): readonly MediaStreamTrack[] {
		const line = this.#line?.talk;
		if (this.#before !== undefined && line?.state !== "connected") {
			return this.#before.talk.tracks;
		}
		if (
			this.#player !== undefined &&
			line?.state !== "connected" &&
			(line === undefined || this.#player.state === "playing")
		) {
			return this.#player.play.stream.getTracks();
		}
		return line?.tracks ?? [];
	}
}
