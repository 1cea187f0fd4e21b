/** How packets fare on a line, each way. */
export interface UdpWeather {
	/** Share that is lost, 0 to 1. */
	readonly loss: number;
	readonly delayMs: number;
	/** Each packet is late by up to so much more, which also puts them out of order. */
	readonly jitterMs: number;
	/** What does not fit waits, up to {@link MAX_QUEUE_MS}, and is lost then. */
	readonly rateBps?: number;
	/** Nothing arrives. */
	readonly blackhole: boolean;
}

export const FAIR: UdpWeather = { loss: 0, delayMs: 0, jitterMs: 0, blackhole: false };

/** As a router at home keeps it. */
const MAX_QUEUE_MS = 300;
const BITS_PER_BYTE = 8;
const MS_PER_SECOND = 1_000;

/** Decides what becomes of one direction's packets; the same for the same random numbers and times. */
export class UdpLine {
	readonly #random: () => number;
	#weather: UdpWeather = FAIR;
	/** When the line has sent what waits. */
	#freeAtMs = 0;

	/** @param random in [0, 1) */
	constructor(random: () => number) {
		this.#random = random;
	}

	set(weather: UdpWeather): void {
		this.#weather = weather;
	}

	/** How many ms later the packet arrives; `undefined`: never. */
	delayOf(bytes: number, nowMs: number): number | undefined {
		const { loss, delayMs, jitterMs, rateBps, blackhole } = this.#weather;
		if (blackhole || this.#random() < loss) {
			return undefined;
		}
		const lateMs = delayMs + this.#random() * jitterMs;
		if (rateBps === undefined) {
			return lateMs;
		}
		const startsMs = Math.max(nowMs, this.#freeAtMs);
		if (startsMs - nowMs > MAX_QUEUE_MS) {
			return undefined;
		}
		this.#freeAtMs = startsMs + (bytes * BITS_PER_BYTE * MS_PER_SECOND) / rateBps;
		return this.#freeAtMs - nowMs + lateMs;
	}
}

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
}
