import type { ControlEvent, RequestId } from "../../../worker/protocol/control-messages.ts";
import type { LiveCommand } from "../../../worker/protocol/live-commands.ts";
import type { Clock } from "../platform/clock.ts";
import { commandWords } from "../session/words.ts";

/** Destinations are looked up before they are taken; everything else is answered at once. */
export const ANSWER_WITHIN_MS = 10_000;

interface Waiting {
	readonly command: LiveCommand;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
	readonly stopClock: () => void;
}

/** Commands on their way, each until its own answer comes. */
export class CommandAnswers {
	readonly #clock: Clock;
	readonly #waiting = new Map<RequestId, Waiting>();
	#lastId = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** @returns the id to send the command with, and what its answer makes of it */
	expect(command: LiveCommand): { readonly id: RequestId; readonly answer: Promise<void> } {
		this.#lastId += 1;
		const id = this.#lastId;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const stopClock = this.#clock.after(ANSWER_WITHIN_MS, () =>
			this.#settle(id, ({ reject: give }) =>
				give(
					new Error(
						`The server has not answered within ${ANSWER_WITHIN_MS / 1_000} seconds. It may have been done all the same.`,
					),
				),
			),
		);
		this.#waiting.set(id, { command, resolve, reject, stopClock });
		return { id, answer: promise };
	}

	/** @returns false for what answers no command that waits */
	take(event: Extract<ControlEvent, { type: "done" | "error" }>): boolean {
		if (event.id === undefined || !this.#waiting.has(event.id)) {
			return false;
		}
		this.#settle(event.id, ({ resolve, reject }) =>
			event.type === "done" ? resolve() : reject(new Error(commandWords(event.title, event.detail))),
		);
		return true;
	}

	/** The line broke: no answer comes by it any more. */
	broken(): void {
		for (const id of [...this.#waiting.keys()]) {
			this.#settle(id, ({ reject }) =>
				reject(new Error("The connection broke before the server answered. It may have been done all the same.")),
			);
		}
	}

	/** The socket was closed for good, which is what answers a command that ends the broadcast. */
	closed(words: string): void {
		for (const id of [...this.#waiting.keys()]) {
			this.#settle(id, ({ command, resolve, reject }) =>
				command.type === "end" ? resolve() : reject(new Error(words)),
			);
		}
	}

	#settle(id: RequestId, how: (waiting: Waiting) => void): void {
		const waiting = this.#waiting.get(id);
		if (waiting !== undefined) {
			this.#waiting.delete(id);
			waiting.stopClock();
			how(waiting);
		}
	}
}
