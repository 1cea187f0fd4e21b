import type { LiveCommand } from "../../worker/protocol/live-commands.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { RateAdvice } from "../../worker/protocol/signaling.ts";

/** What a page needs of the browser to get at cameras and microphones; `navigator.mediaDevices` is one. */
export type MediaSource = Pick<
	MediaDevices,
	"getUserMedia" | "getDisplayMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

export interface DeviceChoice {
	readonly cameraId?: string;
	readonly microphoneId?: string;
}

export interface DeviceInfo {
	readonly id: string;
	readonly kind: "camera" | "microphone" | "speaker";
	/** Empty until the person has given leave. */
	readonly label: string;
}

/** Something a person should know, in words they can act on. */
export interface Notice {
	/** Of one kind there is at most one at a time; a newer one takes its place, and `resolved` ends it. */
	readonly code:
		| "devices"
		| "device-lost"
		| "control-broken"
		| "real-time-unavailable"
		| "real-time-broken"
		| "stream-broken"
		| "sound-broken"
		| "rate-lowered"
		| "refused";
	readonly level: "info" | "warning" | "error";
	readonly text: string;
}

/** `asleep`: ready to go on at once when it is wanted. */
export type StreamLegState = "off" | "connecting" | "sending" | "asleep" | "broken";
export type RealTimeLegState = "off" | "waiting" | "connecting" | "connected" | "broken" | "unavailable";
/** How one hears and sees another person. `stream`: by way of the edge, with more delay, since a direct line does not come about. */
export type TalkState = "connecting" | "connected" | "relayed" | "stream" | "broken";

export interface SessionPerson {
	readonly id: PersonId;
	readonly name: string;
	/** Their media is coming. */
	readonly live: boolean;
	readonly admitted: boolean;
	readonly muted: boolean;
	/** Between them and this page; absent of this page's own person, and of people there is nothing to hear from. */
	readonly talk?: TalkState;
	/** As they say themselves; absent until they do. */
	readonly media?: { readonly camera: boolean; readonly microphone: boolean; readonly screen: boolean };
}

/** Everything there is to show; replaced as a whole on every change. */
export interface SessionState {
	readonly person: PersonId;
	readonly connection: "connecting" | "open" | "broken" | "closed";
	readonly status: "unknown" | "scheduled" | "lobby" | "live" | "ended" | "cancelled";
	/** What the program is made of now. */
	readonly program: "none" | "composite" | "host" | "hold";
	readonly layout: string;
	readonly labels: boolean;
	readonly people: readonly SessionPerson[];
	readonly media: { readonly camera: boolean; readonly microphone: boolean; readonly screen: boolean };
	readonly legs: { readonly stream: StreamLegState; readonly realTime: RealTimeLegState };
	/** What the compositor asked this sender for last, while something is wrong. */
	readonly advice?: RateAdvice;
	readonly notices: readonly Notice[];
	/** Why it is over, when `connection` is "closed". */
	readonly endReason?: string;
}

export interface SessionEvents {
	state: SessionState;
	/** What is to be seen and heard of somebody else; `undefined` when there is nothing any more. The stream stays the same while its tracks change. */
	remote: { readonly person: PersonId; readonly stream: MediaStream | undefined };
	/** This page's own picture and sound, anew after a change of device. */
	preview: MediaStream;
	/** It is over: ended, left, removed or taken over by a newer page of the same person. */
	ended: { readonly reason: string };
}

export interface JoinOptions {
	/** Any address of the broadcast: `https://host/studio/ID`, `https://host/join/ID` or `https://host/api/broadcasts/ID`. */
	readonly url: string;
	/** The role token, or stream key, of host or guest. */
	readonly token: string;
	/** What to begin with; default devices where nothing is chosen. */
	readonly devices?: DeviceChoice;
	readonly camera?: boolean;
	readonly microphone?: boolean;
	/** In place of `navigator.mediaDevices`. */
	readonly mediaSource?: MediaSource;
}

/** One person in one broadcast, from this page. */
export interface BroadcastSession {
	readonly state: SessionState;
	readonly preview: MediaStream;
	/** @returns what takes the listener away again */
	on<K extends keyof SessionEvents>(event: K, listener: (value: SessionEvents[K]) => void): () => void;
	/** Off is black or silent for everyone at once, and the devices are let go of in the camera's case. */
	setCamera(on: boolean): Promise<void>;
	setMicrophone(on: boolean): Promise<void>;
	useDevices(choice: DeviceChoice): Promise<void>;
	listDevices(): Promise<readonly DeviceInfo[]>;
	/** In place of the camera until it is stopped, by the page or by the browser's own button. */
	shareScreen(): Promise<void>;
	stopSharing(): Promise<void>;
	/** @throws with words for people when it is refused, or not answered in 10 s */
	command(command: LiveCommand): Promise<void>;
	/** Everything is closed and let go of; resolves when it is. */
	leave(): Promise<void>;
}

/** Takes camera and microphone, joins, and sends. @throws with words for people where devices or the broadcast say no */
export type JoinBroadcast = (options: JoinOptions) => Promise<BroadcastSession>;
