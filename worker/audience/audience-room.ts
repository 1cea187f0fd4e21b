import { isOver } from "../broadcast/lifecycle.ts";
import type { PublicState } from "../protocol/audience.ts";
import type { CloseKind } from "../protocol/close-codes.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import { type Counting, isWorthTelling, nextCountMs, TRUST_STATE_MS } from "./audience-pace.ts";
import { isSameState, stateEvent } from "./public-state.ts";

/**
 * Sockets of one shard. A quarter of what the platform lets one object hold hibernating (32,768): what one has to tell them all takes a fraction of
 * a second still, and 16 shards hold 128,000.
 */
export const MAX_AUDIENCE_SOCKETS = 8_000;

export interface AudienceSocket {
	send(text: string): void;
	close(kind: CloseKind, reason: string): void;
}

/** What outlives the object's being put out of memory. */
export interface StoredRoom {
	readonly state: PublicState;
	/** When the Broadcast was heard last, in answer to a count. */
	readonly heardAtMs: number;
	/** The total that everyone was told last. */
	readonly toldViewers: number;
	readonly told: NonNullable<Counting["told"]>;
}

export interface AudiencePorts {
	/** Those that are open now. */
	sockets(): readonly AudienceSocket[];
	/** Tells the Broadcast. */
	tellCount(count: number): Promise<Outcome<PublicState>>;
	save(room: StoredRoom): Promise<void>;
	/** Forgets everything, the alarm included. */
	clear(): Promise<void>;
	/** Calls {@link AudienceRoom.wake} at that time, and not before. */
	wakeAt(timeMs: number): Promise<void>;
	/** Something failed that is made good later. */
	report(message: string, error: unknown): void;
}

/** One shard of those who wait and watch: it tells them what the broadcast is up to, and the Broadcast how many they are. */
export class AudienceRoom {
	readonly #ports: AudiencePorts;
	#state: PublicState | undefined;
	#heardAtMs: number | undefined;
	#toldViewers: number;
	#told: Counting["told"];
	/** Counted by joining and leaving, and afresh whenever it is told. */
	#count: number;
	#wakeAtMs: number | undefined;
	#asking: Promise<Outcome<null>> | undefined;

	constructor(stored: StoredRoom | undefined, wakeAtMs: number | undefined, ports: AudiencePorts) {
		this.#ports = ports;
		this.#state = stored?.state;
		this.#heardAtMs = stored?.heardAtMs;
		this.#toldViewers = stored?.toldViewers ?? 0;
		this.#told = stored?.told;
		this.#count = ports.sockets().length;
		this.#wakeAtMs = wakeAtMs;
	}

	/** Takes one more in, unless the shard is full or there is no such broadcast. One that is over says so, and lets nobody stay. */
	async join(accept: () => AudienceSocket, nowMs: number): Promise<Outcome<null>> {
		if (!this.#isUpToDate(nowMs) && !this.#isFull()) {
			this.#asking ??= this.#tellCount(this.#count + 1, nowMs).finally(() => {
				this.#asking = undefined;
			});
			const asked = await this.#asking;
			if (!asked.ok) {
				return asked;
			}
		}
		// Others may have come in meanwhile.
		if (this.#isFull()) {
			return refused("too-many", `audience: expected at most ${MAX_AUDIENCE_SOCKETS} sockets in a shard, got one more`);
		}
		if (this.#state === undefined) {
			throw new Error("audience: expected the broadcast to say how it stands, got no answer");
		}
		const socket = accept();
		socket.send(eventText(this.#state));
		if (isOver(this.#state.status)) {
			socket.close("ended", overReason(this.#state));
			return done(null);
		}
		this.#count += 1;
		await this.#wakeInTime(nowMs);
		return done(null);
	}

	async left(nowMs: number): Promise<void> {
		this.#count = Math.max(0, this.#count - 1);
		await this.#wakeInTime(nowMs);
	}

	/** The broadcast changed. */
	async stateChanged(state: PublicState): Promise<void> {
		if (this.#state !== undefined) {
			this.#take(state);
			await this.#save();
		}
	}

	async dismiss(reason: string): Promise<void> {
		for (const socket of this.#ports.sockets()) {
			socket.close("ended", reason);
		}
		this.#count = 0;
		await this.#forget();
	}

	/** Counts, when it is time to. */
	async wake(nowMs: number): Promise<void> {
		this.#wakeAtMs = undefined;
		this.#count = this.#ports.sockets().length;
		const dueAtMs = nextCountMs({ count: this.#count, told: this.#told }, nowMs);
		if (dueAtMs !== undefined && nowMs >= dueAtMs) {
			await this.#tellCount(this.#count, nowMs);
		}
		if (this.#count === 0 && (this.#told === undefined || this.#told.count === 0)) {
			await this.#forget();
			return;
		}
		await this.#wakeInTime(nowMs);
	}

	#isFull(): boolean {
		return this.#count >= MAX_AUDIENCE_SOCKETS;
	}

	/** Whether a change cannot have passed us by: the Broadcast tells those that counted lately. */
	#isUpToDate(nowMs: number): boolean {
		return this.#state !== undefined && this.#heardAtMs !== undefined && nowMs - this.#heardAtMs < TRUST_STATE_MS;
	}

	async #tellCount(count: number, nowMs: number): Promise<Outcome<null>> {
		// A count that does not arrive is made good by the next.
		this.#told = { count, atMs: nowMs };
		let answer: Outcome<PublicState>;
		try {
			answer = await this.#ports.tellCount(count);
		} catch (error) {
			this.#ports.report("audience: a count did not reach the broadcast, the next follows", error);
			return done(null);
		}
		if (!answer.ok) {
			await this.dismiss(answer.refusal.detail);
			return answer;
		}
		this.#heardAtMs = nowMs;
		this.#take(answer.value);
		await this.#save();
		return done(null);
	}

	#take(state: PublicState): void {
		const before = this.#state;
		if (before !== undefined && state.version < before.version) {
			// On its way it was overtaken by a newer one.
			return;
		}
		this.#state = state;
		const isNew = before === undefined || !isSameState(before, state);
		if (isNew || isWorthTelling(this.#toldViewers, state.viewers)) {
			this.#tellEveryone(state);
		}
	}

	#tellEveryone(state: PublicState): void {
		this.#toldViewers = state.viewers;
		const text = eventText(state);
		for (const socket of this.#ports.sockets()) {
			socket.send(text);
			if (isOver(state.status)) {
				socket.close("ended", overReason(state));
			}
		}
	}

	/** Never later than is due; what wakes it earlier finds nothing to do, and costs less than moving the alarm with everyone who comes. */
	async #wakeInTime(nowMs: number): Promise<void> {
		const dueAtMs = nextCountMs({ count: this.#count, told: this.#told }, nowMs);
		if (dueAtMs !== undefined && (this.#wakeAtMs === undefined || dueAtMs < this.#wakeAtMs)) {
			this.#wakeAtMs = dueAtMs;
			await this.#ports.wakeAt(dueAtMs);
		}
	}

	async #save(): Promise<void> {
		const state = this.#state;
		const heardAtMs = this.#heardAtMs;
		const told = this.#told;
		if (state !== undefined && heardAtMs !== undefined && told !== undefined) {
			await this.#ports.save({ state, heardAtMs, toldViewers: this.#toldViewers, told });
		}
	}

	/** An empty shard keeps nothing, and whoever comes next asks anew. */
	async #forget(): Promise<void> {
		this.#state = undefined;
		this.#heardAtMs = undefined;
		this.#told = undefined;
		this.#toldViewers = 0;
		this.#wakeAtMs = undefined;
		await this.#ports.clear();
	}
}

function eventText(state: PublicState): string {
	return JSON.stringify(stateEvent(state));
}

function overReason({ status }: PublicState): string {
	return `audience: expected a broadcast that is not over, got one that is ${status}`;
}
