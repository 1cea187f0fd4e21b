import { msToUs } from "../../../media/units.ts";

/** A picture that would be later than this is worth less than those after it: pictures are left out until the line has caught up. */
const DROP_ABOVE_US = msToUs(250);
/** The line has caught up: one key frame of room. */
const RESUME_BELOW_US = msToUs(40);
/** Sound is small, and missed far more than a picture. */
const DROP_SOUND_ABOVE_US = msToUs(1_500);

/** What is left out on a line that is too slow. Pure: the wait in the socket is passed in. */
export class CongestionGate {
	/** `dropping` until the line is free; `waiting` then, for a key frame, which has been asked for. */
	#state: "open" | "dropping" | "waiting" = "open";
	#droppedPictures = 0;
	#droppedSounds = 0;

	get droppedPictures(): number {
		return this.#droppedPictures;
	}

	get droppedSounds(): number {
		return this.#droppedSounds;
	}

	/** A key frame is to be made now: the line is free again. True once for each gap. */
	look(delayUs: number): boolean {
		if (this.#state === "dropping" && delayUs < RESUME_BELOW_US) {
			this.#state = "waiting";
			return true;
		}
		return false;
	}

	/** Whether a picture goes; a gap that has begun ends only with a key frame. */
	passesPicture(keyFrame: boolean, delayUs: number): boolean {
		if (this.#state === "open" && delayUs > DROP_ABOVE_US) {
			this.#state = "dropping";
		}
		if (this.#state === "waiting" && keyFrame) {
			this.#state = "open";
		}
		this.#droppedPictures += this.#state === "open" ? 0 : 1;
		return this.#state === "open";
	}

	passesSound(delayUs: number): boolean {
		const passes = delayUs <= DROP_SOUND_ABOVE_US;
		this.#droppedSounds += passes ? 0 : 1;
		return passes;
	}
}
