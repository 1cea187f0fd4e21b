import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";

/** A group of pictures of a stream leg is two seconds long, of some encoders five. */
const MAX_PICTURES = 400;
/** Sound waits for the picture it belongs to, for as long as a join takes. */
const SOUND_FOR_US = msToUs(2_000);

export interface Arrived {
	readonly frame: EncodedFrame;
	readonly arrivalUs: number;
}

/** What has come by a leg that is not heard: its latest group of pictures, and the sound of the last seconds, to go on with in their middle. */
export class LegBacklog {
	#pictures: Arrived[] = [];
	#sound: Arrived[] = [];

	/** The first picture; `undefined` while there is no key frame. */
	get first(): Arrived | undefined {
		return this.#pictures[0];
	}

	push(arrived: Arrived): void {
		const { frame, arrivalUs } = arrived;
		if (frame.track === "audio") {
			this.#sound.push(arrived);
			const stale = this.#sound.findIndex((each) => arrivalUs - each.arrivalUs <= SOUND_FOR_US);
			this.#sound.splice(0, stale);
		} else if (frame.keyFrame) {
			this.#pictures = [arrived];
		} else if (this.#pictures.length > 0) {
			this.#pictures.push(arrived);
			if (this.#pictures.length > MAX_PICTURES) {
				this.#pictures = [];
			}
		}
	}

	/** All pictures, and the sound from `soundFromUs` of the source on, as they came. */
	take(soundFromUs: number): Arrived[] {
		const sound = this.#sound.filter(({ frame }) => frame.ptsUs >= soundFromUs);
		const all = [...this.#pictures, ...sound].sort((a, b) => a.arrivalUs - b.arrivalUs);
		this.clear();
		return all;
	}

	clear(): void {
		this.#pictures = [];
		this.#sound = [];
	}
}
