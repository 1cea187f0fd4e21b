/** Five connections made at once, each with its descriptions and the candidates of a machine with many networks; far below what would hold up the object. */
export const SIGNAL_BURST = 400;
/** The compositor's advice to five people each second, and one of them changing networks. */
export const SIGNALS_PER_S = 40;
/** Some forty of the largest descriptions. */
export const SIGNAL_BURST_BYTES = 2 * 1024 * 1024;
export const SIGNAL_BYTES_PER_S = 64 * 1024;
/** To join is to write to storage, and to tell everyone. */
export const JOIN_COST = 20;

const MS_PER_SECOND = 1_000;

/** How much one of those in the call may say: so many messages and bytes at once, and so many a second from then on. */
export class SignalBudget {
	#messages = SIGNAL_BURST;
	#bytes = SIGNAL_BURST_BYTES;
	#atMs: number;
	#isOver = false;

	constructor(nowMs: number) {
		this.#atMs = nowMs;
	}

	/** `over` once when it is used up, and `still-over` until there is enough again for what is asked: one complaint is enough. */
	take(bytes: number, nowMs: number, messages = 1): "ok" | "over" | "still-over" {
		const passedS = Math.max(0, nowMs - this.#atMs) / MS_PER_SECOND;
		this.#atMs = nowMs;
		this.#messages = Math.min(SIGNAL_BURST, this.#messages + passedS * SIGNALS_PER_S);
		this.#bytes = Math.min(SIGNAL_BURST_BYTES, this.#bytes + passedS * SIGNAL_BYTES_PER_S);
		if (this.#messages < messages || this.#bytes < bytes) {
			const answer = this.#isOver ? "still-over" : "over";
			this.#isOver = true;
			return answer;
		}
		this.#messages -= messages;
		this.#bytes -= bytes;
		this.#isOver = false;
		return "ok";
	}
}
