import { parseJsonMessage } from "../../../sockets/json-message.ts";
import type { ReconnectingSocket, SilenceWatch, SocketEvents } from "../../../sockets/reconnecting-socket.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import {
	CONTROL_PING_TEXT,
	type ControlEvent,
	type ControlRequest,
	controlEventSchema,
} from "../../../worker/protocol/control-messages.ts";
import type { LiveCommand } from "../../../worker/protocol/live-commands.ts";
import { Alarm } from "../platform/alarm.ts";
import type { Clock } from "../platform/clock.ts";
import { CommandAnswers } from "./command-answers.ts";

/** The edge answers this very text by itself, whether its object is awake or not (worker/broadcast/control-sockets.ts). */
export const CONTROL_SILENCE: SilenceWatch = { ping: CONTROL_PING_TEXT, everyMs: 2_000, brokenAfterMs: 6_000 };

/** Longer than any round trip on a line that is of use for talking. */
const PROBE_WITHIN_MS = 1_000;

export type ControlSocket = Pick<ReconnectingSocket, "close" | "reconnect"> & {
	readonly open: Pick<WebSocket, "send"> | undefined;
};

export interface ControlOptions {
	readonly clock: Clock;
	openSocket(events: SocketEvents): ControlSocket;
	/** Anew after every break: the broadcast knows nothing of before. */
	onOpen(): void;
	onEvent(event: Exclude<ControlEvent, { type: "done" | "pong" | "scene" | "stats" }>): void;
	onBroken(): void;
	/** For good. */
	onClosed(code: number, reason: string): void;
}

/** A person's end of the control socket. */
export class ControlConnection {
	readonly #options: ControlOptions;
	readonly #answers: CommandAnswers;
	readonly #socket: ControlSocket;
	/** Until something is heard. */
	readonly #probe: Alarm;

	constructor(options: ControlOptions) {
		this.#options = options;
		this.#answers = new CommandAnswers(options.clock);
		this.#probe = new Alarm(options.clock, () =>
			this.#socket.reconnect(`expected a word within ${PROBE_WITHIN_MS} ms, got none`),
		);
		this.#socket = options.openSocket({
			onOpen: () => options.onOpen(),
			onMessage: (data) => this.#take(data),
			onBroken: () => {
				this.#probe.set(undefined);
				this.#answers.broken();
				options.onBroken();
			},
			onRefused: (code, reason) => {
				this.#answers.closed("The connection was closed before the server answered.");
				options.onClosed(code, reason);
			},
		});
	}

	get isOpen(): boolean {
		return this.#socket.open !== undefined;
	}

	/** Without a connection it is dropped: what holds then is said anew when there is one. */
	send(request: ControlRequest): void {
		this.#socket.open?.send(JSON.stringify(request));
	}

	/** @throws with words for people when it is refused or not answered */
	async command(command: LiveCommand): Promise<void> {
		if (!this.isOpen) {
			throw new Error("There is no connection to the show at the moment. Try again when there is.");
		}
		const { id, answer } = this.#answers.expect(command);
		this.send({ type: "command", id, command });
		await answer;
	}

	/** The network may be another one, or what is said now counts, on which this connection is dead without knowing: it has to say something, soon. */
	probe(): void {
		if (this.isOpen) {
			this.#socket.open?.send(CONTROL_PING_TEXT);
			this.#probe.set(this.#options.clock.nowMs() + PROBE_WITHIN_MS);
		}
	}

	close(): void {
		this.#probe.set(undefined);
		this.#socket.close(CLOSE.done.code, "left");
		this.#answers.closed("You have left the show.");
	}

	#take(data: ArrayBuffer | string): void {
		this.#probe.set(undefined);
		const parsed = controlEventSchema.safeParse(parseJsonMessage(data));
		// What is not known is of a newer edge, and not for this page.
		if (!parsed.success) {
			return;
		}
		const event = parsed.data;
		switch (event.type) {
			case "done":
				this.#answers.take(event);
				return;
			case "error":
				if (!this.#answers.take(event)) {
					this.#options.onEvent(event);
				}
				return;
			case "pong":
			case "scene":
			case "stats":
				return;
			case "status":
			case "call":
			case "signal":
				this.#options.onEvent(event);
		}
	}
}
