import { msToUs, US_PER_SECOND } from "../../../media/units.ts";
import { PUBLISHER_ACK_EVERY_MS } from "../../../worker/protocol/media-socket.ts";

const THROUGHPUT_WINDOW_US = US_PER_SECOND;
const BITS_PER_BYTE = 8;
/** One least round trip counts for so long, and as long again: by then a line that was full has been relieved, and a longer way is no queue. */
const ROUND_TRIP_WINDOW_US = 60 * US_PER_SECOND;
/** What was taken is said of at the next of the Router's looks, which may be a little late itself. */
const ACK_WAIT_US = msToUs(PUBLISHER_ACK_EVERY_MS + 10);

/** What is late for less than this, or twice this, is no queue: a machine that was busy, or an acknowledgement that was. */
const STANDING_US = msToUs(250);
/** A Router that acknowledges nothing for so long never will. */
const ACK_EXPECTED_WITHIN_US = 10 * US_PER_SECOND;

interface Written {
	readonly end: number;
	readonly atUs: number;
}

/**
 * What was given to a socket and has not arrived: how long its oldest byte has waited, and how much has arrived lately. Until the other end acknowledges, and
 * where it never does, that is what the socket says it holds, which leaves out what the system's own buffers hold: seconds on a slow line. For one
 * connection; time is passed in.
 */
export class SendBacklog {
	/** Written and not known to have arrived, oldest first; `end` is the count of all bytes up to and including it. */
	readonly #waiting: Written[] = [];
	#written = 0;
	/** Bytes that have left the socket, or, once acknowledged, that have arrived. */
	#drained = 0;
	/** Messages that have gone from the front of {@link #waiting}. */
	#gone = 0;
	#isAcknowledged = false;
	/** Least time from a message's writing to its acknowledgement, in this window and the one before. */
	#roundTrip = {
		endsUs: Number.NEGATIVE_INFINITY,
		leastUs: Number.POSITIVE_INFINITY,
		beforeUs: Number.POSITIVE_INFINITY,
	};
	/** Least wait beyond the usual in this window and the one before: a queue stands, all else passes. */
	#standing = { endsUs: Number.NEGATIVE_INFINITY, leastUs: 0, beforeUs: 0 };
	/** How many bytes had left at each look of the last second. */
	#looks: { readonly atUs: number; readonly drained: number }[] = [];

	write(bytes: number, nowUs: number): void {
		this.#written += bytes;
		this.#waiting.push({ end: this.#written, atUs: nowUs });
	}

	/** @param messages how many have arrived since the connection opened */
	acknowledge(messages: number, nowUs: number): void {
		const count = messages - this.#gone;
		const last = this.#waiting[count - 1];
		if (last === undefined) {
			return;
		}
		if (!this.#isAcknowledged) {
			this.#isAcknowledged = true;
			this.#looks = [];
		}
		this.#noteRoundTrip(nowUs - last.atUs, nowUs);
		this.#drained = last.end;
		this.#forget(count);
	}

	/** Written and not known to have gone. */
	get waitingBytes(): number {
		return this.#written - this.#drained;
	}

	/** @param bufferedBytes the socket's `bufferedAmount` */
	look(bufferedBytes: number, nowUs: number): void {
		if (!this.#isAcknowledged) {
			this.#drained = Math.max(this.#drained, this.#written - bufferedBytes);
			// What may yet be acknowledged is kept: by it the first acknowledgement is understood.
			const isOld = ({ end, atUs }: Written) => end <= this.#drained && nowUs - atUs > ACK_EXPECTED_WITHIN_US;
			const kept = this.#waiting.findIndex((each) => !isOld(each));
			this.#forget(kept < 0 ? this.#waiting.length : kept);
		}
		this.#noteStanding(this.#waitUs(nowUs), nowUs);
		this.#looks.push({ atUs: nowUs, drained: this.#drained });
		while ((this.#looks[1]?.atUs ?? nowUs) <= nowUs - THROUGHPUT_WINDOW_US) {
			this.#looks.shift();
		}
	}

	/** For how long the oldest byte has waited; once acknowledged, beyond what it takes on a line that is free, and all the while. 0 when none waits. */
	delayUs(nowUs: number): number {
		const waitUs = this.#waitUs(nowUs);
		const { leastUs, beforeUs } = this.#standing;
		return this.#isAcknowledged ? Math.min(waitUs, leastUs, beforeUs) : waitUs;
	}

	/** What has left in the last second or so; `undefined` until that long was looked at. While bytes wait it is what the line can do. */
	throughputBps(nowUs: number): number | undefined {
		const [first] = this.#looks;
		if (first === undefined || nowUs - first.atUs < THROUGHPUT_WINDOW_US / 2) {
			return undefined;
		}
		return ((this.#drained - first.drained) * BITS_PER_BYTE * US_PER_SECOND) / (nowUs - first.atUs);
	}

	#waitUs(nowUs: number): number {
		const oldest = this.#waiting.find(({ end }) => end > this.#drained);
		const { leastUs, beforeUs } = this.#roundTrip;
		const usualUs = this.#isAcknowledged ? Math.min(leastUs, beforeUs) + ACK_WAIT_US : 0;
		return oldest === undefined ? 0 : Math.max(0, nowUs - oldest.atUs - usualUs);
	}

	#forget(count: number): void {
		this.#waiting.splice(0, count);
		this.#gone += count;
	}

	#noteStanding(waitUs: number, nowUs: number): void {
		if (nowUs >= this.#standing.endsUs) {
			this.#standing = { endsUs: nowUs + STANDING_US, leastUs: waitUs, beforeUs: this.#standing.leastUs };
		}
		this.#standing.leastUs = Math.min(this.#standing.leastUs, waitUs);
	}

	#noteRoundTrip(tookUs: number, nowUs: number): void {
		if (nowUs >= this.#roundTrip.endsUs) {
			const beforeUs = this.#roundTrip.leastUs;
			this.#roundTrip = { endsUs: nowUs + ROUND_TRIP_WINDOW_US, leastUs: tookUs, beforeUs };
		}
		this.#roundTrip.leastUs = Math.min(this.#roundTrip.leastUs, tookUs);
	}
}
