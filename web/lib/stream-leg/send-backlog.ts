import { US_PER_SECOND } from "../../../media/units.ts";

const THROUGHPUT_WINDOW_US = US_PER_SECOND;
const BITS_PER_BYTE = 8;

/**
 * What was given to a socket and has not left it, by what the socket says it holds: how long its oldest byte has waited, and how much has left
 * lately. What the system's own buffers hold cannot be seen from here. For one connection; time is passed in.
 */
export class SendBacklog {
	/** Written and not known to have left, oldest first; `end` is the count of all bytes up to and including it. */
	readonly #waiting: { readonly end: number; readonly atUs: number }[] = [];
	#written = 0;
	#drained = 0;
	/** How many bytes had left at each look of the last second. */
	#looks: { readonly atUs: number; readonly drained: number }[] = [];

	write(bytes: number, nowUs: number): void {
		this.#written += bytes;
		this.#waiting.push({ end: this.#written, atUs: nowUs });
	}

	/** @param bufferedBytes the socket's `bufferedAmount` */
	look(bufferedBytes: number, nowUs: number): void {
		this.#drained = Math.max(this.#drained, this.#written - bufferedBytes);
		let gone = 0;
		while ((this.#waiting[gone]?.end ?? Number.POSITIVE_INFINITY) <= this.#drained) {
			gone += 1;
		}
		this.#waiting.splice(0, gone);
		this.#looks.push({ atUs: nowUs, drained: this.#drained });
		while ((this.#looks[1]?.atUs ?? nowUs) <= nowUs - THROUGHPUT_WINDOW_US) {
			this.#looks.shift();
		}
	}

	/** For how long the oldest byte has waited; 0 when none waits. */
	delayUs(nowUs: number): number {
		const [oldest] = this.#waiting;
		return oldest === undefined ? 0 : nowUs - oldest.atUs;
	}

	/** What has left in the last second or so; `undefined` until that long was looked at. While bytes wait it is what the line can do. */
	throughputBps(nowUs: number): number | undefined {
		const [first] = this.#looks;
		if (first === undefined || nowUs - first.atUs < THROUGHPUT_WINDOW_US / 2) {
			return undefined;
		}
		return ((this.#drained - first.drained) * BITS_PER_BYTE * US_PER_SECOND) / (nowUs - first.atUs);
	}
}
