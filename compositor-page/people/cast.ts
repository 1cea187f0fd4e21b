import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { Person } from "../../playout/person/person.ts";
import { LegSwitch } from "../../playout/real-time/leg-switch.ts";
import type { ClockKind } from "../../playout/real-time/person-clock.ts";
import { MediaSubscription } from "../../playout/sources/media-subscription.ts";
import type { PersonStats } from "../../worker/protocol/compositor-stats.ts";
import type { ScenePerson } from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";

export interface CastOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly token: string;
	readonly outputFrameRate: number;
	readonly soundBehindMs: number;
	nowUs(): number;
	/** Unix time of `nowUs` 0, in microseconds. */
	readonly originUs: number;
	onDecodeMs(ms: number): void;
	onProblem(reason: string): void;
	/** Somebody is heard and seen by another way, in words. */
	onPath(text: string): void;
	/** Their sender is to make a key frame, if they come by WebRTC. */
	onKeyFrameWanted(person: PersonId): void;
}

interface Member {
	readonly person: Person;
	readonly subscription: MediaSubscription;
	readonly legs: LegSwitch;
	expected: boolean;
}

/** Everyone in the scene, each with a subscription to their stream, and with what comes of them by WebRTC. */
export class Cast {
	readonly #options: CastOptions;
	readonly #members = new Map<PersonId, Member>();

	constructor(options: CastOptions) {
		this.#options = options;
	}

	get people(): Person[] {
		return [...this.#members.values()].map((member) => member.person);
	}

	/** Who is shown by their real-time leg, and could be for as long as it takes to wake the other one. */
	realTime(nowUs: number): PersonId[] {
		return [...this.#members]
			.filter(([, { legs, person }]) => legs.leg === "real-time" && legs.flows(nowUs) && person.isReady(nowUs))
			.map(([id]) => id);
	}

	/** Takes in who is new and lets go of who left; the others are not touched. */
	apply(people: readonly ScenePerson[]): void {
		for (const [id, member] of this.#members) {
			if (!people.some((person) => person.id === id)) {
				this.#members.delete(id);
				dismiss(member);
			}
		}
		for (const { id, expected } of people) {
			const member = this.#members.get(id) ?? this.#admit(id);
			this.#members.set(id, member);
			member.expected = expected;
		}
	}

	/** A frame of the person's real-time leg; dropped where they are not in the scene. */
	pushRealTime(id: PersonId, frame: EncodedFrame, arrivalUs: number, clock: ClockKind): void {
		this.#members.get(id)?.legs.push("real-time", frame, arrivalUs, clock);
	}

	setRealTimeConnected(id: PersonId, isConnected: boolean): void {
		this.#members.get(id)?.legs.setConnected(isConnected);
	}

	/** Another connection of theirs is heard, from its next frame on: a key frame. */
	realTimeReplaced(id: PersonId): void {
		this.#members.get(id)?.legs.realTimeReplaced();
	}

	/** By which leg they are heard. */
	legOf(id: PersonId): LegSwitch["leg"] {
		return this.#members.get(id)?.legs.leg;
	}

	setLegFigures(id: PersonId, figures: Pick<PersonStats, "leg" | "realTime">): void {
		this.#members.get(id)?.person.setLegFigures(figures);
	}

	/** To be called with each output frame. */
	tick(nowUs: number): void {
		for (const [id, { legs, person, subscription, expected }] of this.#members) {
			legs.tick(nowUs);
			const byRealTime = legs.leg === "real-time";
			// Who is heard by the other leg may be silent here, or have no stream at all.
			subscription.setExpected(expected && !(byRealTime && legs.flows(nowUs)));
			if (byRealTime && legs.hasPictures(nowUs) && person.needsKeyFrame) {
				this.#options.onKeyFrameWanted(id);
			}
		}
	}

	close(): void {
		for (const member of this.#members.values()) {
			dismiss(member);
		}
		this.#members.clear();
	}

	#admit(id: PersonId): Member {
		const { apiUrl, broadcastId, token, nowUs, originUs, onDecodeMs } = this.#options;
		const onProblem = (reason: string) => this.#options.onProblem(`${id}: ${reason}`);
		const { outputFrameRate, soundBehindMs } = this.#options;
		const person = new Person({ id, outputFrameRate, soundBehindMs, nowUs, onProblem, onDecodeMs });
		/** The sender's clock, from our origin on, less the stream's time; `undefined` where the sender does not say. */
		let aheadUs: number | undefined;
		const sayStreamTime = () => {
			// What comes by a stream that says nothing of its clock has the stream's own time; of the other leg nothing is known then.
			person.setStreamOffset(legs.leg === "real-time" ? aheadUs : (aheadUs ?? 0));
		};
		const legs = new LegSwitch({
			onFrame: (frame, arrivalUs) => person.push(frame, arrivalUs),
			onPath: (change, atUs) => {
				person.changePath(change, atUs);
				sayStreamTime();
				this.#options.onPath(`${id}: comes by the ${change.leg} leg${change.sameClock ? "" : ", of another clock"}`);
			},
			onKeyFrameWanted: () => this.#options.onKeyFrameWanted(id),
		});
		const subscription = new MediaSubscription({
			apiUrl,
			broadcastId,
			stream: id,
			token,
			nowUs,
			onClock: (unixAheadUs) => {
				aheadUs = unixAheadUs === undefined ? undefined : Math.round(unixAheadUs - originUs);
				sayStreamTime();
			},
			onAsleep: () => legs.streamAsleep(),
			onFrame: (frame, arrivalUs) => {
				legs.push("stream", later(frame, aheadUs ?? 0), arrivalUs, aheadUs === undefined ? "own" : "capture");
			},
			onConnected: (connected) => person.setConnected(connected),
			onRefused: onProblem,
			onProblem,
		});
		return { person, subscription, legs, expected: false };
	}
}

function later<F extends EncodedFrame>(frame: F, byUs: number): F {
	return byUs === 0 ? frame : { ...frame, ptsUs: frame.ptsUs + byUs, dtsUs: frame.dtsUs + byUs };
}

function dismiss({ person, subscription }: Member): void {
	subscription.close();
	person.close();
}
