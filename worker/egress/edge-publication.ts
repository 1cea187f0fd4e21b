import type { Clock } from "../../egress/clock.ts";
import type { Dial } from "../../egress/destination-line.ts";
import { EgressSession } from "../../egress/egress-session.ts";
import { RouterSubscription, type SubscriptionSocket } from "../../egress/router-subscription.ts";
import { createLog } from "../log.ts";
import type { EgressCarryOver, PublishTarget } from "../protocol/egress-jobs.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { Publication } from "./publication.ts";

const log = createLog("egress");

export interface EdgePublicationOptions {
	readonly dial: Dial;
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	readonly carryOver?: EgressCarryOver;
	/** Opens the program's media socket. */
	readonly subscribe: () => Promise<SubscriptionSocket>;
	/** Told of every change of state; must not throw. */
	readonly onChange: (status: EgressStatus) => void;
	/** The broadcast has ended. */
	readonly onEnded: (reason: string) => void;
}

/** Publishes from where it runs: the program comes from the Router and goes out by a transport that is dialled here. */
export class EdgePublication implements Publication {
	readonly #session: EgressSession;
	readonly #subscription: RouterSubscription;

	constructor(target: PublishTarget, options: EdgePublicationOptions) {
		const { dial, clock, random, carryOver, subscribe, onChange, onEnded } = options;
		const session = new EgressSession(target, {
			dial,
			clock,
			random,
			onChange: (status) => {
				if (status.state === "refused") {
					this.#subscription.close();
				}
				onChange(status);
			},
			...(carryOver !== undefined && { carryOver }),
		});
		this.#session = session;
		this.#subscription = new RouterSubscription({
			open: subscribe,
			clock,
			random,
			isOnAir: () => session.status().state === "live",
			onMessage: (message) => session.push(message),
			onOpen: () => session.resubscribed(),
			onEnded,
			warn: (message) => log.warn(message),
		});
	}

	/** Begins publishing. Once. */
	start(): void {
		this.#session.start();
	}

	status(): EgressStatus {
		return this.#session.status();
	}

	get timeMs(): number | undefined {
		return this.#session.timeMs;
	}

	get held(): boolean {
		return this.#session.held;
	}

	async stop(): Promise<void> {
		this.#subscription.close();
		await this.#session.stop();
	}
}
