import { MalformedError } from "../../media/bytes/byte-reader.ts";
import { readRed } from "../../media/rtp/red.ts";
import { rtpBefore, rtpBetween } from "../../media/rtp/rtp-timestamp.ts";
import { msToUs } from "../../media/units.ts";

/** Packets overtake each other by the network's jitter; what is later costs more delay than a fade costs. */
const HOLD_US = msToUs(60);
/** A second of sound in packets of 20 ms. */
const MAX_WAITING = 50;
const SEQUENCE_WRAP = 2 ** 16;

/** One packet of sound as it came. */
export interface SoundPacket {
	readonly rtpTimestamp: number;
	/** Unsigned 16 bits; absent where the platform does not say. */
	readonly sequenceNumber: number | undefined;
	/** The payload is an `audio/red` one. */
	readonly isRed: boolean;
	/** Empty in DTX: nothing is to be heard. */
	readonly payload: Uint8Array;
	readonly arrivalUs: number;
}

/** One Opus packet in its turn. */
export interface SoundFrame {
	readonly rtpTimestamp: number;
	readonly data: Uint8Array;
	/** When the packet came that brought it. */
	readonly arrivalUs: number;
	/** Its own packet was lost, or is yet to come. */
	readonly recovered: boolean;
}

/**
 * Puts the packets of one ssrc in order, drops what comes twice or too late, and takes a lost one from the redundancy of the next (RFC 2198). A packet
 * after a hole that no redundancy fills waits for what may have been overtaken.
 */
export class SoundOrder {
	#waiting: SoundPacket[] = [];
	#last: { readonly rtpTimestamp: number; readonly sequenceNumber: number | undefined } | undefined;
	#recovered = 0;
	#malformed = 0;

	/** Frames taken from redundancy. */
	get recovered(): number {
		return this.#recovered;
	}

	/** Payloads that were no redundant ones although they said so. */
	get malformed(): number {
		return this.#malformed;
	}

	push(packet: SoundPacket, nowUs: number): SoundFrame[] {
		if (this.#last !== undefined && rtpBetween(this.#last.rtpTimestamp, packet.rtpTimestamp) <= 0) {
			return [];
		}
		if (this.#waiting.some(({ rtpTimestamp }) => rtpTimestamp === packet.rtpTimestamp)) {
			return [];
		}
		this.#waiting.push(packet);
		this.#waiting.sort((a, b) => rtpBetween(b.rtpTimestamp, a.rtpTimestamp));
		return this.tick(nowUs);
	}

	/** Call now and then: what was waited for in vain is given up. */
	tick(nowUs: number): SoundFrame[] {
		const frames: SoundFrame[] = [];
		for (;;) {
			const [next] = this.#waiting;
			if (next === undefined) {
				return frames;
			}
			const blocks = this.#unheard(next);
			if (!this.#follows(next, blocks.length) && !this.#isOverdue(next, nowUs)) {
				return frames;
			}
			this.#waiting.shift();
			const { rtpTimestamp, sequenceNumber, arrivalUs } = next;
			this.#last = { rtpTimestamp, sequenceNumber };
			for (const block of blocks) {
				const recovered = block.rtpTimestamp !== rtpTimestamp;
				this.#recovered += recovered ? 1 : 0;
				frames.push({ ...block, arrivalUs, recovered });
			}
		}
	}

	#isOverdue({ arrivalUs }: SoundPacket, nowUs: number): boolean {
		return nowUs - arrivalUs >= HOLD_US || this.#waiting.length > MAX_WAITING;
	}

	/** @param frames how many of what it brings are new: each but one fills a place before it */
	#follows({ sequenceNumber, rtpTimestamp }: SoundPacket, frames: number): boolean {
		const last = this.#last;
		if (last === undefined) {
			return true;
		}
		if (sequenceNumber === undefined || last.sequenceNumber === undefined) {
			return frames > 0 && rtpBetween(last.rtpTimestamp, rtpTimestamp) > 0;
		}
		const step = (((sequenceNumber - last.sequenceNumber) % SEQUENCE_WRAP) + SEQUENCE_WRAP) % SEQUENCE_WRAP;
		return step <= Math.max(1, frames);
	}

	/** What the packet brings that has not been handed on, oldest first; none for silence. */
	#unheard({ rtpTimestamp, isRed, payload }: SoundPacket): { rtpTimestamp: number; data: Uint8Array }[] {
		return this.#blocks(payload, isRed)
			.map(({ earlierBy, data }) => ({ rtpTimestamp: rtpBefore(rtpTimestamp, earlierBy), data }))
			.filter(
				(block) =>
					block.data.byteLength > 0 &&
					(block.rtpTimestamp === rtpTimestamp ||
						(this.#last !== undefined && rtpBetween(this.#last.rtpTimestamp, block.rtpTimestamp) > 0)),
			);
	}

	#blocks(payload: Uint8Array, isRed: boolean): readonly { readonly earlierBy: number; readonly data: Uint8Array }[] {
		if (!isRed || payload.byteLength === 0) {
			return [{ earlierBy: 0, data: payload }];
		}
		try {
			return readRed(payload);
		} catch (error) {
			if (error instanceof MalformedError) {
				this.#malformed += 1;
				return [];
			}
			throw error;
		}
	}
}
