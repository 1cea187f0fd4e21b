/** With this much unsent the publisher is held back: about 3 s of the usual program, far more than a healthy line ever holds. */
export const HOLD_ABOVE_BYTES = 1024 * 1024;
/** Past either of these it is no longer live, and frames are left out instead. */
export const LATE_ABOVE_MS = 2_000;
export const LATE_ABOVE_BYTES = 8 * 1024 * 1024;

/** What was given to a line and is not out yet. */
export class UplinkBacklog {
	readonly #unsent: { readonly bytes: number; readonly sinceMs: number }[] = [];
	#bytes = 0;

	add(bytes: number, nowMs: number): void {
		this.#unsent.push({ bytes, sinceMs: nowMs });
		this.#bytes += bytes;
	}

	/** The oldest is out. */
	shift(): void {
		this.#bytes -= this.#unsent.shift()?.bytes ?? 0;
	}

	get holds(): boolean {
		return this.#bytes > HOLD_ABOVE_BYTES;
	}

	isLate(nowMs: number): boolean {
		const [oldest] = this.#unsent;
		return this.#bytes > LATE_ABOVE_BYTES || (oldest !== undefined && nowMs - oldest.sinceMs > LATE_ABOVE_MS);
	}
}
