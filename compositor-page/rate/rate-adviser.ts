import type { PersonId } from "../../worker/protocol/roles.ts";
import type { RateAdvice } from "../../worker/protocol/signaling.ts";
import { CpuLadder, type CpuRoom } from "./cpu-ladder.ts";
import { FullPicture } from "./full-picture.ts";
import { NetworkRate } from "./network-rate.ts";
import { PlaceLines } from "./place-lines.ts";

/** Of the output frames of a second, those that were left out or came late: more than a stray one is the machine's fault. */
const LATE_SHARE = 0.06;
/** Frames that wait for the encoder; more is a queue that grows. */
const ENCODE_QUEUE = 3;
/** Of an output step: with more than this used the next hiccup makes it late, and above the other one there is no room for more. */
const FULL_STEP = 0.9;
const ROOMY_STEP = 0.6;
const LEAST_HEIGHT = 180;
const LEAST_FRAME_RATE = 10;

/** What the compositor saw of itself in the last second. */
export interface MachineSecond {
	/** Output frames left out, or made after they were due, of all that were due: 0 to 1. */
	readonly lateShare: number;
	readonly encodeQueue: number;
	/** How much of the time between two output frames most steps (p95) took to compose and mix, where it is known: 1 is all of it. */
	readonly stepShare?: number;
}

/** What it saw of one person in the last second. */
export interface PersonSecond {
	readonly id: PersonId;
	/** Share of packets that did not come; absent where they do not come by WebRTC. */
	readonly lossRatio?: number;
	readonly bitrateBps?: number;
	/** Of the pictures that come; 0 while none do. */
	readonly height: number;
	readonly frameRate: number;
	/** Lines of their place in the output; 0 where they have none. */
	readonly placeHeight: number;
	/** Both widths, where they are known: a tall picture fills a wide place by its width, and needs more lines than that has. */
	readonly width?: number;
	readonly placeWidth?: number;
}

/** What is known of one person. */
interface Known {
	readonly full: FullPicture;
	readonly place: PlaceLines;
	network: NetworkRate;
	advice: RateAdvice;
}

/**
 * What each sender is to be asked for, so that resolution and frame rate go down before latency goes up, and come back.
 *
 * Call `look` about once a second with everyone there is. It answers the advice that is not what it was, person by person: to be sent as a `rate` signal,
 * and again whenever that person has a new connection (`adviceFor`). An advice without any limit ends one. A person who is left out is forgotten.
 *
 * - The machine is too slow: everyone's frame rate, then everyone's height goes down by steps, and up again when there is room for it.
 * - A line loses packets: that sender's bitrate goes down; WebRTC fits the picture to it.
 * - A place is small: as many lines as it needs, with room to grow. That is nobody's fault, and has no `reason`.
 */
export class RateAdviser {
	readonly #cpu = new CpuLadder();
	readonly #known = new Map<PersonId, Known>();

	look(machine: MachineSecond, people: readonly PersonSecond[], nowMs: number): ReadonlyMap<PersonId, RateAdvice> {
		this.#cpu.look(roomOf(machine), nowMs);
		const news = new Map<PersonId, RateAdvice>();
		for (const person of people) {
			const known = this.#of(person.id);
			const advice = this.#advise(known, person, nowMs);
			if (JSON.stringify(advice) !== JSON.stringify(known.advice)) {
				known.advice = advice;
				news.set(person.id, advice);
			}
		}
		for (const id of this.#known.keys()) {
			if (!people.some((person) => person.id === id)) {
				this.#known.delete(id);
			}
		}
		return news;
	}

	/** What a person was advised last; nothing is asked of whom nobody knows. */
	adviceFor(id: PersonId): RateAdvice {
		return this.#known.get(id)?.advice ?? {};
	}

	#of(id: PersonId): Known {
		const known = this.#known.get(id) ?? {
			full: new FullPicture(),
			place: new PlaceLines(),
			network: new NetworkRate(),
			advice: {},
		};
		this.#known.set(id, known);
		return known;
	}

	#advise(known: Known, person: PersonSecond, nowMs: number): RateAdvice {
		const { full, place, advice: before } = known;
		full.look(person, { height: before.maxHeight !== undefined, frameRate: before.maxFrameRate !== undefined });
		if (person.lossRatio === undefined) {
			// A stream over TCP fits itself to its line, and what was true of the other line is not of this one.
			known.network = new NetworkRate();
		} else {
			known.network.look(person.lossRatio, person.bitrateBps ?? 0, nowMs);
		}
		const { step } = this.#cpu;
		const placeHeight = place.look(linesShown(person), nowMs);
		const maxHeight = Math.min(
			step.height < 1 ? evenAtLeast(full.height * step.height) : Number.POSITIVE_INFINITY,
			placeHeight ?? Number.POSITIVE_INFINITY,
		);
		const maxFrameRate = Math.max(LEAST_FRAME_RATE, Math.round(full.frameRate * step.frameRate));
		const maxBitrateBps = known.network.limitBps;
		const reason = reasonOf(this.#cpu.isLowered, maxBitrateBps !== undefined);
		return {
			...(maxHeight < full.height && { maxHeight }),
			...(step.frameRate < 1 && { maxFrameRate }),
			...(maxBitrateBps !== undefined && { maxBitrateBps }),
			...(reason !== undefined && { reason }),
		};
	}
}

function roomOf({ lateShare, encodeQueue, stepShare = 0 }: MachineSecond): CpuRoom {
	if (lateShare > LATE_SHARE || encodeQueue > ENCODE_QUEUE || stepShare > FULL_STEP) {
		return "overloaded";
	}
	return stepShare > ROOMY_STEP ? "none" : "some";
}

/** Lines of the whole picture, scaled to fill the place. */
function linesShown({ height, placeHeight, width = 0, placeWidth = 0 }: PersonSecond): number {
	return Math.max(placeHeight, width > 0 ? (placeWidth * height) / width : 0);
}

/** Encoders want even sizes. */
function evenAtLeast(height: number): number {
	return Math.max(LEAST_HEIGHT, 2 * Math.round(height / 2));
}

function reasonOf(isCpu: boolean, isNetwork: boolean): string | undefined {
	const reasons = [
		...(isCpu ? ["the compositor's machine is too slow for all pictures as they come"] : []),
		...(isNetwork ? ["packets are lost on the way to the compositor"] : []),
	];
	return reasons.length === 0 ? undefined : reasons.join("; ");
}
