import { ACK_EVERY_MS, ACK_EVERY_TAGS, type MediaAck } from "../worker/protocol/media-socket.ts";

/** Decides when a subscriber tells the Router how many tags it has taken. */
export class AckPacer {
	#taken = 0;
	#acknowledged = 0;
	#oldestMs = 0;

	/** Counts a tag; answers with the acknowledgement that is now due, if one is. */
	took(nowMs: number): MediaAck | undefined {
		if (this.#taken === this.#acknowledged) {
			this.#oldestMs = nowMs;
		}
		this.#taken++;
		return this.#taken - this.#acknowledged >= ACK_EVERY_TAGS ? this.#ack() : this.due(nowMs);
	}

	/** The acknowledgement that waiting has made due, if any. */
	due(nowMs: number): MediaAck | undefined {
		const waits = this.#taken > this.#acknowledged && nowMs - this.#oldestMs >= ACK_EVERY_MS;
		return waits ? this.#ack() : undefined;
	}

	#ack(): MediaAck {
		this.#acknowledged = this.#taken;
		return { type: "ack", tags: this.#taken };
	}
}
