import type { PersonId } from "../../worker/protocol/roles.ts";
import type { RateAdvice } from "../../worker/protocol/signaling.ts";
import { CpuLadder } from "./cpu-ladder.ts";
import { NetworkRate } from "./network-rate.ts";

/** Of the output frames of a second, those that were left out or came late: more than a stray one is the machine's fault. */
const LATE_SHARE = 0.06;
/** Frames that wait for the encoder; more is a queue that grows. */
const ENCODE_QUEUE = 3;
/** Heights that are asked for: few, so that a place that changes a little changes nothing. */
const HEIGHTS = [180, 270, 360, 540, 720, 1_080] as const;
/** A place that grows shows what it has until more comes. */
const HEAD_ROOM = 1.5;
const LEAST_HEIGHT = 180;
const LEAST_FRAME_RATE = 10;

/** What the compositor saw of itself in the last second. */
export interface MachineSecond {
	/** Output frames left out, or made after they were due, of all that were due: 0 to 1. */
	readonly lateShare: number;
	readonly encodeQueue: number;
}

/** What it saw of one person in the last second. */
export interface PersonSecond {
	readonly id: PersonId;
	/** Share of packets that did not come; absent where they do not come by WebRTC. */
	readonly lossRatio?: number;
	readonly bitrateBps?: number;
	/** Of the pictures that come. */
	readonly height: number;
	readonly frameRate: number;
	/** Lines of their place in the output; 0 where they have none. */
	readonly placeHeight: number;
}

/**
 * What each sender is to be asked for, so that resolution and frame rate go down before latency goes up, and come back. Call `look` about once a
 * second; it answers the advice that is not what it was, person by person. An advice without any limit ends one.
 */
export class RateAdviser {
	readonly #cpu = new CpuLadder();
	readonly #network = new Map<PersonId, NetworkRate>();
	readonly #given = new Map<PersonId, string>();
	/** The largest that each sent while nothing was asked for: what shares are of. */
	readonly #full = new Map<PersonId, { height: number; frameRate: number }>();

	look(machine: MachineSecond, people: readonly PersonSecond[], nowMs: number): ReadonlyMap<PersonId, RateAdvice> {
		this.#cpu.look(machine.lateShare > LATE_SHARE || machine.encodeQueue > ENCODE_QUEUE, nowMs);
		const news = new Map<PersonId, RateAdvice>();
		for (const person of people) {
			const advice = this.#adviceFor(person, nowMs);
			const text = JSON.stringify(advice);
			if (text !== (this.#given.get(person.id) ?? "{}")) {
				this.#given.set(person.id, text);
				news.set(person.id, advice);
			}
		}
		for (const id of this.#given.keys()) {
			if (!people.some((person) => person.id === id)) {
				this.#given.delete(id);
				this.#network.delete(id);
				this.#full.delete(id);
			}
		}
		return news;
	}

	#adviceFor(person: PersonSecond, nowMs: number): RateAdvice {
		const network = this.#network.get(person.id) ?? new NetworkRate();
		this.#network.set(person.id, network);
		if (person.lossRatio !== undefined) {
			network.look(person.lossRatio, person.bitrateBps ?? 0, nowMs);
		}
		const full = this.#fullOf(person);
		const { step } = this.#cpu;
		const cpuHeight = step.height < 1 ? Math.max(LEAST_HEIGHT, Math.round(full.height * step.height)) : undefined;
		const placeHeight = heightFor(person.placeHeight, full.height);
		const heights = [cpuHeight, placeHeight].filter((height) => height !== undefined);
		const maxFrameRate =
			step.frameRate < 1 ? Math.max(LEAST_FRAME_RATE, Math.round(full.frameRate * step.frameRate)) : undefined;
		const maxBitrateBps = network.limitBps;
		const reason = reasonOf(this.#cpu.isLowered, maxBitrateBps !== undefined);
		return {
			...(heights.length === 0 ? {} : { maxHeight: Math.min(...heights) }),
			...(maxFrameRate === undefined ? {} : { maxFrameRate }),
			...(maxBitrateBps === undefined ? {} : { maxBitrateBps }),
			...(reason === undefined ? {} : { reason }),
		};
	}

	#fullOf({ id, height, frameRate }: PersonSecond): { height: number; frameRate: number } {
		const known = this.#full.get(id) ?? { height: 0, frameRate: 0 };
		const full = { height: Math.max(known.height, height), frameRate: Math.max(known.frameRate, frameRate) };
		this.#full.set(id, full);
		return full;
	}
}

/** The smallest usual height that fills the place, with room to grow; `undefined` where all there is may come. */
function heightFor(placeHeight: number, fullHeight: number): number | undefined {
	if (placeHeight <= 0) {
		return undefined;
	}
	const height = HEIGHTS.find((each) => each >= placeHeight * HEAD_ROOM);
	return height === undefined || height >= fullHeight ? undefined : height;
}

function reasonOf(isCpu: boolean, isNetwork: boolean): string | undefined {
	const reasons = [
		...(isCpu ? ["the compositor's machine is too slow for all pictures as they come"] : []),
		...(isNetwork ? ["packets are lost on the way to the compositor"] : []),
	];
	return reasons.length === 0 ? undefined : reasons.join("; ");
}
