import { parseJsonMessage } from "../../sockets/json-message.ts";
import {
	ReconnectingSocket,
	type SilenceWatch,
	type SocketEvents,
	socketUrl,
} from "../../sockets/reconnecting-socket.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import {
	CONTROL_PING_TEXT,
	type ControlEvent,
	type ControlRequest,
	controlEventSchema,
	type Scene,
} from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";
import type { Signal } from "../../worker/protocol/signaling.ts";

/** The edge answers this very text by itself, whether its object is awake or not (worker/broadcast/control-sockets.ts). */
const SILENCE: SilenceWatch = { ping: CONTROL_PING_TEXT, everyMs: 2_000, brokenAfterMs: 6_000 };

export interface ControlClientOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly token: string;
	/** The scene as it is now: on connecting, and on every change. */
	onScene(scene: Scene): void;
	/** Who else is in the call: on connecting, and on every change. */
	onCall(call: Extract<ControlEvent, { type: "call" }>): void;
	onSignal(signal: Extract<ControlEvent, { type: "signal" }>): void;
	onOpen(): void;
	onRefused(reason: string): void;
	onProblem(reason: string): void;
}

/** The compositor's end of the control socket: takes the scene, gives figures. */
export class ControlClient {
	readonly #socket: ReconnectingSocket;

	constructor(options: ControlClientOptions) {
		const url = socketUrl(options.apiUrl, `/api/broadcasts/${options.broadcastId}/control`);
		const events: SocketEvents = {
			onOpen: () => options.onOpen(),
			onMessage: (data) => {
				const parsed = controlEventSchema.safeParse(parseJsonMessage(data));
				if (!parsed.success) {
					options.onProblem(`control: expected a known message, got ${parsed.error.message}`);
				} else if (parsed.data.type === "scene") {
					options.onScene(parsed.data.scene);
				} else if (parsed.data.type === "call") {
					options.onCall(parsed.data);
				} else if (parsed.data.type === "signal") {
					options.onSignal(parsed.data);
				} else if (parsed.data.type === "error") {
					options.onProblem(`control: ${parsed.data.title}: ${parsed.data.detail}`);
				}
			},
			onBroken: (reason) => options.onProblem(`control: connection lost (${reason})`),
			onRefused: (code, reason) => options.onRefused(reason === "" ? `closed with code ${code}` : reason),
		};
		this.#socket = new ReconnectingSocket(url, options.token, events, SILENCE);
	}

	/** Figures are worth nothing later: without a connection they are left out. */
	sendStats(stats: CompositorStats): void {
		this.#send({ type: "compositor-stats", stats });
	}

	/** Whoever it is for makes another when this one is lost. */
	sendSignal(to: PersonId, connection: string, signal: Signal): void {
		this.#send({ type: "signal", to, connection, signal });
	}

	sendRealTimeMedia(people: readonly PersonId[]): void {
		this.#send({ type: "real-time-media", people: [...people] });
	}

	#send(request: ControlRequest): void {
		this.#socket.open?.send(JSON.stringify(request));
	}

	close(): void {
		this.#socket.close(CLOSE.done.code, "done");
	}
}
