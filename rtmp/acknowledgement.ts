/**
 * Counts what has come in and says when to acknowledge it (RTMP 1.0 §5.4.3). The sequence number is the count's low 32 bits.
 */
export class AcknowledgementCounter {
	readonly #longestBytes: number;
	#everyBytes: number;
	#sequenceNumber: number;
	#unacknowledgedBytes = 0;

	/** @param longestBytes acknowledge at least this often, however large the window; `startAt` is the count so far */
	constructor(longestBytes: number, startAt = 0) {
		this.#longestBytes = longestBytes;
		this.#everyBytes = longestBytes;
		this.#sequenceNumber = startAt >>> 0;
	}

	/** The peer's Window Acknowledgement Size: half of it, so that it never has to wait for us. */
	set windowBytes(windowBytes: number) {
		this.#everyBytes = Math.min(this.#longestBytes, Math.max(1, Math.floor(windowBytes / 2)));
	}

	add(bytes: number): void {
		this.#sequenceNumber = (this.#sequenceNumber + bytes) >>> 0;
		this.#unacknowledgedBytes += bytes;
	}

	/** The number to send when an acknowledgement is due, which then counts as sent. */
	takeDue(): number | undefined {
		return this.#unacknowledgedBytes >= this.#everyBytes ? this.takeAny() : undefined;
	}

	/** The number to send when anything at all is not acknowledged yet. */
	takeAny(): number | undefined {
		if (this.#unacknowledgedBytes === 0) {
			return undefined;
		}
		this.#unacknowledgedBytes = 0;
		return this.#sequenceNumber;
	}
}
