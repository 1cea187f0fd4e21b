import type { SocketEvents } from "../../../../../sockets/reconnecting-socket.ts";
import type { Platform, StreamLegOptions, StreamPlayOptions } from "../../../../../web/lib/platform/platform.ts";
import type { ControlEvent, ControlRequest } from "../../../../../worker/protocol/control-messages.ts";
import type { CallPeer, PeerId, Signal } from "../../../../../worker/protocol/signaling.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { FakeDevices, FakeStream, FakeTrack, newStream } from "./fake-media.ts";
import { ModelPeer } from "./model-peer.ts";

/** An `RTCPeerConnection` whose lines work when the test says so. */
export class FakeConnection extends ModelPeer {
	connectionState: RTCPeerConnectionState = "new";
	onconnectionstatechange: (() => void) | null = null;
	onsignalingstatechange: (() => void) | null = null;
	ontrack: ((event: { track: FakeTrack }) => void) | null = null;
	restarts = 0;
	readonly sent: (FakeTrack | null)[] = [];

	addTransceiver(kind: "audio" | "video"): unknown {
		const index = this.sent.push(null) - 1;
		this.needNegotiation();
		const sender = {
			track: null as FakeTrack | null,
			replaceTrack: async (track: FakeTrack | null) => {
				sender.track = track;
				this.sent[index] = track;
			},
			getParameters: () => ({ encodings: [{}] }),
			setParameters: async () => {},
		};
		return { direction: "sendrecv", sender, receiver: { track: new FakeTrack(kind, "remote") } };
	}

	getTransceivers = () => [];
	getConfiguration = () => ({});
	setConfiguration = () => {};
	/** Of all that has come. */
	bytesReceived = 0;
	getStats = async () => new Map([["t", { id: "t", type: "transport", bytesReceived: this.bytesReceived }]]);

	override restartIce(): void {
		this.restarts += 1;
		super.restartIce();
	}

	to(state: RTCPeerConnectionState): void {
		this.connectionState = state;
		this.onconnectionstatechange?.();
	}

	/** Something of the other one comes. */
	bring(...tracks: FakeTrack[]): void {
		for (const track of tracks) {
			this.ontrack?.({ track });
		}
	}

	close(): void {
		this.connectionState = "closed";
	}
}

/** A browser with its network, and the edge's end of the control socket, in the hands of a test. */
export class FakePlatform {
	readonly clock = new ManualClock();
	readonly devices = new FakeDevices();
	readonly connections: FakeConnection[] = [];
	readonly legs: { readonly options: StreamLegOptions; readonly tracks: string[]; isClosed: boolean }[] = [];
	readonly players: { readonly options: StreamPlayOptions; readonly stream: FakeStream; isClosed: boolean }[] = [];
	readonly requests: ControlRequest[] = [];
	readonly listeners = new Set<() => void>();
	readonly pageGone = new Set<() => void>();
	readonly black: FakeTrack[] = [];
	control: SocketEvents | undefined;
	isOpen = false;
	reconnects = 0;
	token: string | undefined;
	hasWebRtc = true;

	get platform(): Platform {
		return {
			clock: this.clock,
			devices: this.devices.source,
			openControl: (_url, token, events) => {
				this.control = events;
				this.token = token;
				const hears = { send: (text: unknown) => void this.requests.push(JSON.parse(String(text))) };
				const isOpen = () => this.isOpen;
				return {
					get open() {
						return isOpen() ? hears : undefined;
					},
					reconnect: () => {
						this.reconnects += 1;
					},
					close: () => {
						this.isOpen = false;
						this.control = undefined;
					},
				};
			},
			...(this.hasWebRtc
				? {
						newPeerConnection: () => {
							const connection = new FakeConnection(`c${this.connections.length}-`);
							this.connections.push(connection);
							return connection as unknown as RTCPeerConnection;
						},
					}
				: {}),
			newStreamLeg: (options) => {
				const leg = { options, tracks: [] as string[], isClosed: false };
				this.legs.push(leg);
				return {
					setTracks: ({ video, audio }) => void leg.tracks.push(`${video?.label ?? "-"} ${audio?.label ?? "-"}`),
					setRate: () => {},
					close: async () => {
						leg.isClosed = true;
					},
				};
			},
			newStreamPlay: (options) => {
				const stream = new FakeStream([new FakeTrack("video", "played")]);
				const player = { options, stream, isClosed: false };
				this.players.push(player);
				return {
					stream: stream as unknown as MediaStream,
					setExpected: () => {},
					close: () => {
						player.isClosed = true;
					},
				};
			},
			newStream,
			blackPicture: () => {
				const track = new FakeTrack("video", "black");
				this.black.push(track);
				return { track: track as unknown as MediaStreamTrack, close: () => track.stop() };
			},
			preferredVideoCodec: async () => "video/VP8",
			onNetworkChange: (listener) => listening(this.listeners, listener),
			onPageGone: (listener) => listening(this.pageGone, listener),
		};
	}

	open(): void {
		this.isOpen = true;
		this.control?.onOpen({} as WebSocket);
	}

	break(): void {
		this.isOpen = false;
		this.control?.onBroken("gone");
	}

	say(event: ControlEvent): void {
		this.control?.onMessage(JSON.stringify(event));
	}

	signal(from: PeerId, connection: string, signal: Signal): void {
		this.say({ type: "signal", from, connection, signal });
	}

	call(self: CallPeer, ...peers: CallPeer[]): void {
		this.say({ type: "call", self, peers, iceServers: [] });
	}

	/** What was said to somebody. */
	toldTo(id: PeerId, kind: Signal["kind"]): Signal[] {
		return this.requests.flatMap((request) =>
			request.type === "signal" && request.to === id && request.signal.kind === kind ? [request.signal] : [],
		);
	}

	/** Everything that a session could have left behind. */
	get leftOpen(): readonly unknown[] {
		return [
			...this.connections.filter(({ connectionState }) => connectionState !== "closed").map(({ name }) => name),
			...this.legs.filter(({ isClosed }) => !isClosed).map(() => "stream leg"),
			...this.players.filter(({ isClosed }) => !isClosed).map(() => "stream player"),
			...this.devices.live,
			...this.black.filter(({ readyState }) => readyState === "live").map(() => "black"),
			...[...this.listeners, ...this.pageGone].map(() => "listener"),
			...(this.control === undefined ? [] : ["control socket"]),
			...(this.clock.pending === 0 ? [] : [`${this.clock.pending} timers`]),
		];
	}
}

function listening(listeners: Set<() => void>, listener: () => void): () => void {
	listeners.add(listener);
	return () => listeners.delete(listener);
}
