import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { Person } from "../../playout/person/person.ts";
import { type Leg, LegSwitch } from "../../playout/real-time/leg-switch.ts";
import { MediaSubscription } from "../../playout/sources/media-subscription.ts";
import type { RealTimeStats } from "../../worker/protocol/compositor-stats.ts";
import type { ScenePerson } from "../../worker/protocol/control-messages.ts";
import type { PersonId } from "../../worker/protocol/roles.ts";

export interface CastOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly token: string;
	readonly outputFrameRate: number;
	readonly soundBehindMs: number;
	nowUs(): number;
	onDecodeMs(ms: number): void;
	onProblem(reason: string): void;
	/** Somebody is heard by another leg than before. */
	onLegs(): void;
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

	/** Whose real-time leg is heard. */
	get realTime(): PersonId[] {
		return [...this.#members].filter(([, { legs }]) => legs.leg === "real-time").map(([id]) => id);
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
			lookAtSilence(member);
		}
	}

	/** A frame of the person's real-time leg; dropped where they are not in the scene. */
	pushRealTime(id: PersonId, frame: EncodedFrame, arrivalUs: number): void {
		this.#members.get(id)?.legs.push("real-time", frame, arrivalUs);
	}

	setRealTimeConnected(id: PersonId, isConnected: boolean): void {
		this.#members.get(id)?.legs.setConnected(isConnected);
	}

	setRealTimeFigures(id: PersonId, realTime: RealTimeStats | undefined): void {
		const member = this.#members.get(id);
		const leg = member?.legs.leg;
		member?.person.setLegFigures({
			...(leg === undefined ? {} : { leg }),
			...(realTime === undefined ? {} : { realTime }),
		});
	}

	/** To be called with each output frame. */
	tick(nowUs: number): void {
		for (const [id, { legs, person }] of this.#members) {
			legs.tick(nowUs);
			if (legs.leg === "real-time" && person.needsKeyFrame) {
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
		const { apiUrl, broadcastId, token, nowUs, onDecodeMs } = this.#options;
		const onProblem = (reason: string) => this.#options.onProblem(`${id}: ${reason}`);
		const { outputFrameRate, soundBehindMs } = this.#options;
		const person = new Person({ id, outputFrameRate, soundBehindMs, nowUs, onProblem, onDecodeMs });
		/** The sender's clock less the stream's time; the stream's own time is used where it is not known. */
		let clockUs: number | undefined;
		const legs = new LegSwitch({
			onFrame: (frame, arrivalUs) => person.push(frame, arrivalUs),
			onLeg: (leg: Leg) => {
				// Without its clock a stream's time says nothing of what comes by the other leg.
				person.setStreamOffset(leg === "stream" ? (clockUs ?? 0) : clockUs);
				lookAtSilence(member);
				this.#options.onLegs();
			},
			onKeyFrameWanted: () => this.#options.onKeyFrameWanted(id),
		});
		const subscription = new MediaSubscription({
			apiUrl,
			broadcastId,
			stream: id,
			token,
			nowUs,
			onClock: (offsetUs) => {
				clockUs = offsetUs;
				person.setStreamOffset(offsetUs);
			},
			onFrame: (frame, arrivalUs) => legs.push("stream", later(frame, clockUs ?? 0), arrivalUs),
			onConnected: (connected) => person.setConnected(connected),
			onRefused: onProblem,
			onProblem,
		});
		const member: Member = { person, subscription, legs, expected: false };
		return member;
	}
}

/** Who is heard by the other leg may be silent here. */
function lookAtSilence({ subscription, legs, expected }: Member): void {
	subscription.setExpected(expected && legs.leg !== "real-time");
}

function later<F extends EncodedFrame>(frame: F, offsetUs: number): F {
	return offsetUs === 0 ? frame : { ...frame, ptsUs: frame.ptsUs + offsetUs, dtsUs: frame.dtsUs + offsetUs };
}

function dismiss({ person, subscription }: Member): void {
	subscription.close();
	person.close();
}
