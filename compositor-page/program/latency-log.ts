import { usToMs } from "../../media/units.ts";
import { PercentileWindow } from "../../playout/percentile-window.ts";

/** About ten seconds of two people at 30 fps. */
const WINDOW = 600;
/** Output frames between the compositor and the encoder's output; more than its queue can hold means they were dropped. */
const MAX_PENDING = 64;

/** Time from the arrival of a picture's last byte to the end of encoding the first output frame that shows it. */
export class LatencyLog {
	readonly #latencyMs = new PercentileWindow(WINDOW);
	readonly #pending = new Map<number, readonly number[]>();

	/** An output frame shows these pictures for the first time; each number is when one arrived. */
	shown(programUs: number, arrivalsUs: readonly number[]): void {
		this.#pending.set(programUs, arrivalsUs);
		const [oldest] = this.#pending.keys();
		if (this.#pending.size > MAX_PENDING && oldest !== undefined) {
			this.#pending.delete(oldest);
		}
	}

	encoded(programUs: number, nowUs: number): void {
		for (const arrivalUs of this.#pending.get(programUs) ?? []) {
			this.#latencyMs.add(usToMs(nowUs - arrivalUs));
		}
		this.#pending.delete(programUs);
	}

	quantilesMs(): { inputToEncodedP50: number; inputToEncodedP95: number } {
		const [p50 = 0, p95 = 0] = this.#latencyMs.quantiles(0.5, 0.95);
		return { inputToEncodedP50: p50, inputToEncodedP95: p95 };
	}
}
