import { readRed } from "../../media/rtp/red.ts";
import { TimestampUnwrapper } from "../../media/timestamp.ts";

export interface OpusPacket {
	/** Ticks before the packet it came in: 0 of that packet's own, more of one that was lost itself and came again with this. */
	readonly earlierBy: number;
	readonly data: Uint8Array;
}

/** Remembered at most; a packet is repeated by the next one or two. */
const REMEMBERED = 64;

/** Takes the payloads of one `audio/red` stream apart: each sound once, in order, that of a lost packet from the one that repeats it. */
export class RedFeed {
	readonly #unwrapper = new TimestampUnwrapper();
	readonly #seen: number[] = [];
	#newest = Number.NEGATIVE_INFINITY;

	/** @throws MalformedError when the payload is none of RFC 2198 */
	push(payload: Uint8Array, rtpTimestamp: number): OpusPacket[] {
		const time = this.#unwrapper.unwrapMs(rtpTimestamp);
		const packets: OpusPacket[] = [];
		for (const { earlierBy, data } of readRed(payload)) {
			const rtpTime = time - earlierBy;
			// Of an older time than what was handed on it would be heard out of order: the gap has been concealed.
			const isNew = !this.#seen.includes(rtpTime) && rtpTime > this.#newest;
			if (isNew && (data.byteLength > 0 || earlierBy === 0)) {
				packets.push({ earlierBy, data });
				this.#note(rtpTime);
			}
		}
		return packets;
	}

	#note(rtpTime: number): void {
		this.#newest = Math.max(this.#newest, rtpTime);
		this.#seen.push(rtpTime);
		if (this.#seen.length > REMEMBERED) {
			this.#seen.shift();
		}
	}
}
