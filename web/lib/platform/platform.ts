import type { SocketEvents } from "../../../sockets/reconnecting-socket.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { RateAdvice } from "../../../worker/protocol/signaling.ts";
import type { ControlSocket } from "../control/control-connection.ts";
import type { BlackPicture } from "../devices/black-picture.ts";
import type { BroadcastAddress } from "../session/broadcast-address.ts";
import type { MediaSource, Notice, StreamLegState } from "../session-types.ts";
import type { StreamPlayState } from "../stream-play/stream-player.ts";
import type { Clock } from "./clock.ts";

export interface StreamLeg {
	setTracks(tracks: { readonly video?: MediaStreamTrack; readonly audio?: MediaStreamTrack }): void;
	setRate(advice?: RateAdvice): void;
	close(): Promise<void>;
}

export interface StreamLegOptions extends BroadcastAddress {
	readonly person: PersonId;
	readonly token: string;
	readonly sleeps: boolean;
	onState(state: StreamLegState): void;
	onNotice(notice: Notice | { readonly code: Notice["code"]; readonly resolved: true }): void;
}

export interface StreamPlay {
	readonly stream: MediaStream;
	/** Whether their media is said to be coming. */
	setExpected(expected: boolean): void;
	close(): void;
}

export interface StreamPlayOptions extends BroadcastAddress {
	readonly person: PersonId;
	readonly token: string;
	onState(state: StreamPlayState): void;
}

/** What a session needs of the browser it runs in. */
export interface Platform {
	readonly clock: Clock;
	/** `undefined` where the browser gives no devices. */
	readonly devices: MediaSource | undefined;
	openControl(url: string, token: string, events: SocketEvents): ControlSocket;
	/** Absent in a browser without WebRTC. */
	readonly newPeerConnection?: (configuration: RTCConfiguration) => RTCPeerConnection;
	/** Absent in a browser that cannot encode a stream. */
	readonly newStreamLeg?: (options: StreamLegOptions) => StreamLeg;
	/** Absent in a browser that cannot decode one. */
	readonly newStreamPlay?: (options: StreamPlayOptions) => StreamPlay;
	newStream(tracks: readonly MediaStreamTrack[]): MediaStream;
	blackPicture(): BlackPicture;
	/** @returns the MIME type to send pictures as */
	preferredVideoCodec(): Promise<string>;
	/** The network is another, or back; or the page was suspended and goes on. @returns what takes the listener away again */
	onNetworkChange(listener: () => void): () => void;
	/** The page is about to be gone. @returns what takes the listener away again */
	onPageGone(listener: () => void): () => void;
}
