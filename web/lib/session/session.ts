import { socketUrl } from "../../../sockets/reconnecting-socket.ts";
import type { ControlEvent } from "../../../worker/protocol/control-messages.ts";
import type { LiveCommand } from "../../../worker/protocol/live-commands.ts";
import type { PersonId } from "../../../worker/protocol/roles.ts";
import type { CallPeer, PeerId, Signal } from "../../../worker/protocol/signaling.ts";
import { ControlConnection } from "../control/control-connection.ts";
import type { DeviceKind } from "../devices/device-words.ts";
import { LocalMedia } from "../devices/local-media.ts";
import { LegKeeper } from "../legs/leg-keeper.ts";
import { rtcIceServers } from "../peers/rtc-ice-servers.ts";
import type { Platform } from "../platform/platform.ts";
import type {
	BroadcastSession,
	DeviceChoice,
	DeviceInfo,
	Notice,
	SessionEvents,
	SessionState,
} from "../session-types.ts";
import { Circle } from "../talk/circle.ts";
import type { BroadcastAddress } from "./broadcast-address.ts";
import { EarlySignals } from "./early-signals.ts";
import { Emitter } from "./emitter.ts";
import { WAY_CODES, wayNotices } from "./session-notices.ts";
import {
	initialState,
	SessionStore,
	type StatusEvent,
	withAcquaintances,
	withNotice,
	withoutNotice,
	withStatus,
} from "./session-state.ts";
import { commandWords, endWords, refusalWords } from "./words.ts";

/** A server that is there answers in far less; one that is not is not waited for by a person before a blank page. */
export const JOIN_WITHIN_MS = 15_000;

const LEFT_WORDS = "You have left the show.";

export interface SessionOptions {
	readonly platform: Platform;
	readonly address: BroadcastAddress;
	readonly token: string;
	readonly person: PersonId;
	readonly devices: DeviceChoice;
	readonly videoCodec: string;
}

type CallEvent = Extract<ControlEvent, { type: "call" }>;

/** One person in one broadcast: brings together what is said on the control socket, what is captured here, and the ways it goes. */
export class Session implements BroadcastSession {
	readonly #options: SessionOptions;
	readonly #emitter = new Emitter<SessionEvents>();
	readonly #store: SessionStore;
	readonly #media: LocalMedia;
	readonly #legs: LegKeeper;
	readonly #circle: Circle;
	readonly #early = new EarlySignals();
	/** What each connection was told of this page's media. */
	readonly #toldMedia = new Map<string, string>();
	readonly #joined = Promise.withResolvers<void>();
	#stopListening: readonly (() => void)[] = [];
	#control: ControlConnection | undefined;
	/** Of the control socket that is open now, or was last. */
	#call: CallEvent | undefined;
	/** Whose streams are published. */
	#streams: readonly string[] = [];
	#version = 0;
	#isIn = false;
	/** The control socket, since the call was last told of. */
	#wasBroken = false;
	#closing: Promise<void> | undefined;

	constructor(options: SessionOptions) {
		const { platform, address, token, person, videoCodec } = options;
		this.#options = options;
		this.#media = new LocalMedia({
			source: platform.devices,
			choice: options.devices,
			blackPicture: () => platform.blackPicture(),
			newStream: (tracks) => platform.newStream(tracks),
			onChange: () => this.#mediaChanged(),
			onPreview: (preview) => this.#emitter.emit("preview", preview),
			onNotice: (notice) => this.#notify(notice),
			onResolved: (code) => this.#resolve(code),
		});
		this.#store = new SessionStore(initialState(person, this.#media.state), (state) =>
			this.#emitter.emit("state", state),
		);
		this.#legs = new LegKeeper({
			platform,
			person,
			videoCodec,
			media: this.#media,
			stream: {
				...address,
				token,
				onNotice: (notice) => ("resolved" in notice ? this.#resolve(notice.code) : this.#notify(notice)),
			},
			send: (connection, signal) => this.#signal("compositor", connection, signal),
			onChange: () => this.#show(),
			onProblem,
		});
		this.#circle = new Circle({
			platform,
			person,
			videoCodec,
			player: { ...address, token },
			tracks: () => this.#media.outgoing,
			send: (to, connection, signal) => this.#signal(to, connection, signal),
			onChange: () => this.#stand(),
			onRemote: (other, stream) => this.#emitter.emit("remote", { person: other, stream }),
			onProblem,
		});
	}

	/** @throws with words for people; nothing is left open then */
	async enter(wanted: readonly DeviceKind[]): Promise<void> {
		const { platform } = this.#options;
		const stopClock = platform.clock.after(JOIN_WITHIN_MS, () =>
			this.#joined.reject(new Error("The server does not answer. Check your connection and try again.")),
		);
		// Devices may be waited for as long as a person thinks it over: what is rejected meanwhile is thrown below.
		this.#joined.promise.catch(() => undefined);
		try {
			await this.#media.open(wanted);
			this.#openControl();
			await this.#joined.promise;
		} catch (error) {
			await this.#close(error instanceof Error ? error.message : String(error));
			throw error;
		} finally {
			stopClock();
		}
	}

	get state(): SessionState {
		return this.#store.state;
	}

	get preview(): MediaStream {
		return this.#media.preview;
	}

	on<K extends keyof SessionEvents>(event: K, listener: (value: SessionEvents[K]) => void): () => void {
		return this.#emitter.on(event, listener);
	}

	setCamera(on: boolean): Promise<void> {
		return this.#media.setCamera(on);
	}

	setMicrophone(on: boolean): Promise<void> {
		return this.#media.setMicrophone(on);
	}

	useDevices(choice: DeviceChoice): Promise<void> {
		return this.#media.useDevices(choice);
	}

	listDevices(): Promise<readonly DeviceInfo[]> {
		return this.#media.listDevices();
	}

	shareScreen(): Promise<void> {
		return this.#media.shareScreen();
	}

	stopSharing(): Promise<void> {
		return this.#media.stopSharing();
	}

	async command(command: LiveCommand): Promise<void> {
		if (this.#control === undefined || this.#closing !== undefined) {
			throw new Error("You are not in the show any more.");
		}
		await this.#control.command(command);
	}

	leave(): Promise<void> {
		return this.#end(LEFT_WORDS);
	}

	#openControl(): void {
		const { platform, address, token } = this.#options;
		this.#control = new ControlConnection({
			clock: platform.clock,
			openSocket: (events) =>
				platform.openControl(
					socketUrl(address.apiUrl, `/api/broadcasts/${address.broadcastId}/control`),
					token,
					events,
				),
			onOpen: () => this.#opened(),
			onEvent: (event) => this.#take(event),
			onBroken: () => this.#broken(),
			onClosed: (code, reason) => this.#closed(code, reason),
		});
		this.#stopListening = [
			platform.onNetworkChange(() => this.#networkChanged()),
			platform.onPageGone(() => this.#sayGoodbye("the page was closed")),
		];
	}

	#opened(): void {
		const { platform } = this.#options;
		this.#early.clear();
		this.#toldMedia.clear();
		// The broadcast may be another life of itself, which counts on from what it has stored.
		this.#version = 0;
		this.#resolve("control-broken");
		this.#store.change((state) => ({ ...state, connection: "open" }));
		const connection = this.#call?.self.connection;
		this.#control?.send({
			type: "join-call",
			// Where only this socket broke: the lines to the others stand.
			...(connection === undefined ? {} : { connection }),
			realTime: platform.newPeerConnection !== undefined,
			streams: platform.newStreamLeg !== undefined,
		});
	}

	#broken(): void {
		this.#wasBroken = true;
		if (this.#isIn) {
			const text = "The connection to the show is interrupted. Trying again…";
			this.#notify({ code: "control-broken", level: "warning", text });
		}
		this.#store.change((state) => ({ ...state, connection: "broken" }));
	}

	#closed(code: number, reason: string): void {
		if (this.#isIn) {
			void this.#end(endWords(code, reason));
		} else {
			this.#joined.reject(new Error(refusalWords(code, reason)));
		}
	}

	#take(event: Extract<ControlEvent, { type: "status" | "call" | "signal" | "error" }>): void {
		switch (event.type) {
			case "status":
				this.#takeStatus(event);
				return;
			case "call":
				this.#call = event;
				this.#relate();
				this.#takeEarly(event.peers);
				this.#resumeSignaling();
				this.#tellMedia();
				this.#enterWhenReady();
				return;
			case "signal":
				this.#takeSignal(event.from, event.connection, event.signal);
				return;
			case "error":
				this.#refused(commandWords(event.title, event.detail));
		}
	}

	#takeStatus(event: StatusEvent): void {
		if (event.version !== undefined && event.version < this.#version) {
			return;
		}
		this.#version = event.version ?? this.#version;
		this.#streams = event.liveStreams;
		this.#store.change((state) => withStatus(state, event));
		this.#relate();
		this.#tellMedia();
		this.#enterWhenReady();
	}

	#enterWhenReady(): void {
		if (!this.#isIn && this.#call !== undefined && this.state.status !== "unknown") {
			this.#isIn = true;
			this.#joined.resolve();
		}
	}

	/** Something that no command asked for, such as being in the call. */
	#refused(text: string): void {
		if (this.#isIn) {
			this.#notify({ code: "refused", level: "warning", text });
		} else {
			this.#joined.reject(new Error(text));
		}
	}

	#takeEarly(peers: readonly CallPeer[]): void {
		for (const { id, connection } of peers) {
			for (const signal of this.#early.take(connection)) {
				this.#takeSignal(id, connection, signal);
			}
		}
	}

	#takeSignal(from: PeerId, connection: string, signal: Signal): void {
		const isKnown = this.#call?.peers.some((peer) => peer.id === from && peer.connection === connection) === true;
		if (!isKnown && signal.kind !== "bye") {
			this.#early.keep(connection, signal);
			return;
		}
		if (from === "compositor") {
			this.#legs.receive(connection, signal);
		} else {
			this.#circle.receive(from, connection, signal);
		}
	}

	#signal(to: PeerId, connection: string, signal: Signal): void {
		this.#control?.send({ type: "signal", to, connection, signal });
		if (signal.kind === "restart" || signal.kind === "description") {
			// What broke one line may have broken this one, too, and by this one the other is mended.
			this.#control?.probe();
		}
	}

	/** Brings everybody in line with what the broadcast says. */
	#relate(): void {
		if (this.#call !== undefined && this.#closing === undefined) {
			const isAdmitted = (id: PersonId) => this.#isAdmitted(id);
			this.#circle.relate({ call: this.#call, streams: this.#streams, isAdmitted });
			this.#stand();
		}
	}

	#isAdmitted(id: PersonId): boolean {
		return this.state.people.find((person) => person.id === id)?.admitted ?? id === "host";
	}

	/** Brings this page's own media in line. */
	#stand(): void {
		if (this.#closing !== undefined) {
			return;
		}
		const call = this.#call;
		this.#legs.stand({
			isAdmitted: this.#isAdmitted(this.#options.person),
			self: call?.self.connection,
			compositor: call?.peers.find(({ id }) => id === "compositor"),
			iceServers: rtcIceServers(call?.iceServers ?? []),
			isHeardByStream: this.#circle.hearsByStream,
		});
	}

	/** Puts what holds into the state, and says whom there is something of to be seen and heard. */
	#show(): void {
		if (this.#closing !== undefined) {
			return;
		}
		this.#store.change((before) => this.#withWays(withAcquaintances(before, this.#circle.acquaintances)));
		this.#circle.show();
	}

	#withWays(before: SessionState): SessionState {
		const { advice, legs, isFallback } = this.#legs;
		const { advice: _, ...rest } = before;
		const state: SessionState = { ...rest, legs, ...(advice === undefined ? {} : { advice }) };
		const holding = wayNotices({
			realTime: legs.realTime,
			fallback: isFallback,
			canStream: this.#options.platform.newStreamLeg !== undefined,
			isWithOthers: (this.#call?.peers.length ?? 0) > 0,
			people: state.people,
			advice,
		});
		const over = WAY_CODES.filter((code) => !holding.some((notice) => notice.code === code));
		return holding.reduce(withNotice, over.reduce(withoutNotice, state));
	}

	#mediaChanged(): void {
		const { outgoing, state: media } = this.#media;
		this.#legs.tracksChanged();
		this.#circle.setTracks(outgoing);
		this.#store.change((state) => ({ ...state, media }));
		this.#tellMedia();
	}

	/** Everyone is told what this page sends, once for each change. */
	#tellMedia(): void {
		const signal: Signal = { kind: "media", ...this.#media.state };
		const text = JSON.stringify(signal);
		for (const { id, connection } of this.#call?.peers ?? []) {
			if (this.#control?.isOpen === true && this.#toldMedia.get(connection) !== text) {
				this.#toldMedia.set(connection, text);
				this.#signal(id, connection, signal);
			}
		}
	}

	/** With the first word of the call after a break. */
	#resumeSignaling(): void {
		if (this.#wasBroken) {
			this.#wasBroken = false;
			this.#legs.signalingResumed();
			this.#circle.signalingResumed();
		}
	}

	#networkChanged(): void {
		this.#control?.probe();
		this.#legs.networkChanged();
		this.#circle.networkChanged();
	}

	/** What is over is not waited for. */
	#sayGoodbye(reason: string): void {
		for (const { id, connection } of this.#call?.peers ?? []) {
			this.#signal(id, connection, { kind: "bye", reason });
		}
		this.#control?.send({ type: "leave-call" });
	}

	#notify(notice: Notice): void {
		this.#store.change((state) => withNotice(state, notice));
	}

	#resolve(code: Notice["code"]): void {
		this.#store.change((state) => withoutNotice(state, code));
	}

	async #end(reason: string): Promise<void> {
		const isFirst = this.#closing === undefined;
		const closed = this.#close(reason);
		if (isFirst) {
			this.#emitter.emit("ended", { reason });
		}
		await closed;
		this.#emitter.clear();
	}

	#close(reason: string): Promise<void> {
		this.#closing ??= this.#letGo(reason);
		return this.#closing;
	}

	async #letGo(reason: string): Promise<void> {
		this.#sayGoodbye("left");
		for (const stop of this.#stopListening) {
			stop();
		}
		this.#circle.close();
		const legsClosed = this.#legs.close();
		this.#media.close();
		this.#control?.close();
		this.#store.change((state) => ({
			...state,
			connection: "closed",
			people: state.people.map(({ talk: _, ...person }) => person),
			media: { camera: false, microphone: false, screen: false },
			legs: { stream: "off", realTime: "off" },
			notices: [],
			endReason: reason,
		}));
		await legsClosed;
	}
}

/** A negotiation that went wrong: the line's health tries again. For whoever looks into the page; it names no token and no address. */
function onProblem(error: unknown): void {
	console.warn("tandem:", error instanceof Error ? `${error.name}: ${error.message}` : error);
}
