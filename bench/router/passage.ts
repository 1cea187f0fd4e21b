import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../scripts/wait-for.ts";
import { monotonicMs } from "./clocked-body.ts";
import { type Delivery, deliveryOf, type Heard, type Window } from "./delivery.ts";
import type { ListenerCalls } from "./listener-thread.ts";
import type { PublisherCalls, PublisherPlan } from "./publisher-thread.ts";
import { highestHeld, nextRate, type Tried } from "./rate-ladder.ts";
import type { Relay, StartRelay } from "./relay.ts";
import { CalledThread } from "./thread-calls.ts";

/** 48 Mb/s at 1,000 a second. */
export const MESSAGE_BYTES = 6_000;
/** What live media may take on its way. */
export const MOST_P99_MS = 20;
/** A publisher that sends less than this share of what it should has measured itself. */
const LEAST_SENT = 0.98;
const MOST_LOST = 0.001;

/** While everyone comes. */
const OPENING_RATE = 100;
const HEARING_WITHIN_MS = 30_000;
/** After a change of pace: what the change itself did is over. */
const SETTLE_MS = 700;
/** Nothing has come for this long: no queue is left from the step before. */
const SILENT_MS = 250;
const SILENT_WITHIN_MS = 20_000;
const STEP_MS = 2_000;
/** Until the word of it has reached both threads. */
const AHEAD_MS = 50;

export interface Passed {
	/** By listener. */
	readonly heard: readonly Heard[];
	readonly sent: number;
	readonly window: Window;
	/** Of the relay, while that was measured. */
	readonly cores: number;
	readonly memoryBytes: number;
}

/** A publisher, a relay and listeners, everyone hearing. Disposing ends them all. */
export class Passage implements AsyncDisposable {
	readonly #undo: AsyncDisposableStack;
	readonly #publisher: CalledThread<PublisherCalls>;
	readonly #listeners: CalledThread<ListenerCalls>;
	readonly relay: Relay;

	private constructor(
		undo: AsyncDisposableStack,
		relay: Relay,
		publisher: CalledThread<PublisherCalls>,
		listeners: CalledThread<ListenerCalls>,
	) {
		this.#undo = undo;
		this.relay = relay;
		this.#publisher = publisher;
		this.#listeners = listeners;
	}

	static async open(
		start: StartRelay,
		audience: { readonly listeners: number; readonly withStuck?: boolean },
	): Promise<Passage> {
		await using undo = new AsyncDisposableStack();
		const listeners = undo.use(new CalledThread<ListenerCalls>(new URL("./listener-thread.ts", import.meta.url)));
		const rtmpUrl = `rtmp://127.0.0.1:${await listeners.call("rtmpPort")}/live`;
		const relay = undo.use(
			await start({ listeners: audience.listeners, withStuck: audience.withStuck ?? false, rtmpUrl }),
		);
		const plan: PublisherPlan = { way: relay.publish, messageBytes: MESSAGE_BYTES };
		const publisher = undo.use(
			new CalledThread<PublisherCalls>(new URL("./publisher-thread.ts", import.meta.url), plan),
		);
		await publisher.call("pace", OPENING_RATE);
		for (const subscription of relay.subscriptions) {
			await listeners.call("subscribe", subscription);
		}
		await waitFor("every listener to hear something", HEARING_WITHIN_MS, async () => {
			const hearing = await listeners.call("hearing");
			return relay.listeners.every((id) => hearing.includes(id)) || undefined;
		});
		return new Passage(undo.move(), relay, publisher, listeners);
	}

	/** What passes at a rate, once it has settled. */
	async at(perSecond: number, durationMs: number): Promise<Passed> {
		await this.#publisher.call("pace", perSecond);
		await sleep(SETTLE_MS);
		const fromMs = monotonicMs() + AHEAD_MS;
		const window = { fromMs, untilMs: fromMs + durationMs };
		const before = this.relay.usage();
		const [sent, heard, after] = await Promise.all([
			this.#publisher.call("measure", window),
			this.#listeners.call("measure", window),
			sleep(AHEAD_MS + durationMs).then(() => this.relay.usage()),
		]);
		const cores = ((after.cpuSeconds - before.cpuSeconds) * 1_000) / (AHEAD_MS + durationMs);
		return { heard, sent, window, cores, memoryBytes: after.memoryBytes };
	}

	/** The highest rate that is held, tried step by step from `firstPerSecond`. */
	async highestRate(firstPerSecond: number): Promise<number> {
		const tried: Tried[] = [];
		for (let rate = nextRate(tried, firstPerSecond); rate !== undefined; rate = nextRate(tried, firstPerSecond)) {
			await this.#calm();
			tried.push({ perSecond: rate, held: await this.#holds(rate) });
		}
		return highestHeld(tried);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#undo.disposeAsync();
	}

	async #holds(perSecond: number): Promise<boolean> {
		const { heard, sent, window } = await this.at(perSecond, STEP_MS);
		if (heard.some(({ delaysMs }) => delaysMs.length === 0)) {
			return false;
		}
		const asked = (perSecond * STEP_MS) / 1_000;
		return sent >= asked * LEAST_SENT && isHeld(deliveryOf(heard, sent, window));
	}

	/** Nothing is under way any more. */
	async #calm(): Promise<void> {
		await this.#publisher.call("rest");
		await waitFor("all that was sent to have come", SILENT_WITHIN_MS, async () =>
			(await this.#listeners.call("silentMs")) > SILENT_MS ? true : undefined,
		);
	}
}

/** In time, and all of it. */
export function isHeld({ worstP99Ms, lost }: Pick<Delivery, "worstP99Ms" | "lost">): boolean {
	return worstP99Ms <= MOST_P99_MS && lost <= MOST_LOST;
}
