/** Far more than a fellow object ever has outstanding: what goes on longer does not come to an end by itself. */
const MAX_STEPS = 16;

interface Lane {
	nowMs: number;
	/** Someone asked for it while it was busy: there may be more to do than was known. */
	again: boolean;
	done: Promise<boolean>;
}

/**
 * One lane a fellow object: it is asked one thing at a time, in order, and one that hangs holds up none of the others.
 * `Step` is whatever {@link StepLanesPorts.run} carries out.
 */
export interface StepLanesPorts<Step> {
	/** What is to be done next in a lane, by what is known now. */
	next(lane: string, nowMs: number): Step | undefined;
	/** Whether it succeeded. */
	run(step: Step, nowMs: number): Promise<boolean>;
}

export class StepLanes<Step> {
	readonly #ports: StepLanesPorts<Step>;
	readonly #lanes = new Map<string, Lane>();

	constructor(ports: StepLanesPorts<Step>) {
		this.#ports = ports;
	}

	get busy(): boolean {
		return this.#lanes.size > 0;
	}

	/** Does what there is to do in a lane until nothing is left or a step fails, also what comes up meanwhile. Whether all succeeded. */
	drain(lane: string, nowMs: number): Promise<boolean> {
		const running = this.#lanes.get(lane);
		if (running !== undefined) {
			running.again = true;
			running.nowMs = Math.max(running.nowMs, nowMs);
			return running.done;
		}
		return this.join(lane, nowMs);
	}

	/** As {@link drain}, but without a second try of what fails in a lane that is busy. */
	join(lane: string, nowMs: number): Promise<boolean> {
		const running = this.#lanes.get(lane);
		if (running !== undefined) {
			return running.done;
		}
		const started: Lane = { nowMs, again: false, done: Promise.resolve(true) };
		this.#lanes.set(lane, started);
		started.done = this.#run(lane, started);
		return started.done;
	}

	async #run(name: string, lane: Lane): Promise<boolean> {
		let succeeded = true;
		let steps = 0;
		try {
			do {
				lane.again = false;
				succeeded = true;
				for (let step = this.#next(name, lane); step !== undefined && succeeded; step = this.#next(name, lane)) {
					steps++;
					succeeded = steps <= MAX_STEPS && (await this.#ports.run(step, lane.nowMs));
				}
			} while (lane.again && steps <= MAX_STEPS);
			return succeeded;
		} finally {
			// Not by a later turn: whoever asks from now on starts it anew.
			this.#lanes.delete(name);
		}
	}

	#next(name: string, lane: Lane): Step | undefined {
		return this.#ports.next(name, lane.nowMs);
	}
}
