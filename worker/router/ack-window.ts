/** Compact the list of what was sent only once this many entries have been acknowledged, to keep an acknowledgement cheap. */
const COMPACT_AFTER = 512;

/** What was sent to one subscriber and not acknowledged yet. */
export class AckWindow {
	#sent: { readonly bytes: number; readonly atMs: number }[] = [];
	/** Index of the oldest unacknowledged tag in `#sent`. */
	#head = 0;
	#acknowledgedTags = 0;
	#bytes = 0;
	#lastProgressMs = 0;

	get tagsSent(): number {
		return this.#acknowledgedTags + this.#sent.length - this.#head;
	}

	get unacknowledgedBytes(): number {
		return this.#bytes;
	}

	sent(bytes: number, nowMs: number): void {
		if (this.#head === this.#sent.length) {
			this.#lastProgressMs = nowMs;
		}
		this.#sent.push({ bytes, atMs: nowMs });
		this.#bytes += bytes;
	}

	/** `tags` counts from the connection's start. Returns `false` when that is more than was sent; less than before changes nothing. */
	acknowledge(tags: number, nowMs: number): boolean {
		if (tags > this.tagsSent) {
			return false;
		}
		if (tags > this.#acknowledgedTags) {
			this.#lastProgressMs = nowMs;
		}
		while (this.#acknowledgedTags < tags) {
			this.#bytes -= this.#sent[this.#head]?.bytes ?? 0;
			this.#head++;
			this.#acknowledgedTags++;
		}
		if (this.#head >= COMPACT_AFTER || this.#head === this.#sent.length) {
			this.#sent = this.#sent.slice(this.#head);
			this.#head = 0;
		}
		return true;
	}

	/** How long the oldest unacknowledged tag has been on its way; 0 when everything is acknowledged. */
	lagMs(nowMs: number): number {
		const oldest = this.#sent[this.#head];
		return oldest === undefined ? 0 : nowMs - oldest.atMs;
	}

	/** How long the subscriber has acknowledged nothing while something was waiting; 0 when everything is acknowledged. */
	silenceMs(nowMs: number): number {
		return this.#head === this.#sent.length ? 0 : nowMs - this.#lastProgressMs;
	}
}
