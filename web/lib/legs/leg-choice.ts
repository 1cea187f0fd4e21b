import type { LineState } from "../peers/line-health.ts";
import { RETRY_EVERY_MS } from "../peers/line-health.ts";
import type { RealTimeLegState } from "../session-types.ts";

/** The stream goes on for this long beside a real-time leg that has just come about, so that it is there if that breaks at once. */
export const STREAM_LINGERS_MS = 3_000;

export interface LegSituation {
	readonly isHost: boolean;
	/** Of a guest: may be on air. */
	readonly isAdmitted: boolean;
	/** This browser can publish a stream leg. */
	readonly canStream: boolean;
	/** This browser has WebRTC. */
	readonly canRealTime: boolean;
	/** As it is in the call now. */
	readonly compositor: { readonly connection: string; readonly realTime: boolean } | undefined;
	/** Of the connection to it, while there is one. */
	readonly line: LineState | undefined;
	/** Somebody hears this person by their stream, for the direct line does not come about. */
	readonly isHeardByStream: boolean;
}

export interface LegDecision {
	/** Have a connection to the compositor. */
	readonly uplink: boolean;
	/** `may-sleep`: published, and asleep when the edge says so. `always`: never asleep. */
	readonly stream: "off" | "may-sleep" | "always";
	readonly realTime: RealTimeLegState;
	/** The stream stands in for a real-time leg that does not come about. */
	readonly fallback: boolean;
}

/**
 * By which legs a person's media goes. A host's stream is published from the moment they joined, and sleeps by itself; a guest's only where real time does
 * not work. Time is passed in.
 */
export class LegChoice {
	/** The compositor has said no to a connection, then. */
	#refusedMs: number | undefined;
	/** Which one has. */
	#compositor: string | undefined;
	/** Since when the line works while a stream still stands in for it. */
	#workingMs: number | undefined;
	#standsIn = false;

	/** The compositor will have no connection, or no more of this one. */
	refused(nowMs: number): void {
		this.#refusedMs = nowMs;
	}

	networkChanged(): void {
		this.#refusedMs = undefined;
	}

	decide(situation: LegSituation, nowMs: number): LegDecision {
		const { canStream, compositor, isHost } = situation;
		if (compositor?.connection !== this.#compositor) {
			this.#compositor = compositor?.connection;
			this.#refusedMs = undefined;
		}
		if (this.#refusedMs !== undefined && nowMs >= this.#refusedMs + RETRY_EVERY_MS) {
			this.#refusedMs = undefined;
		}
		const isPossible = situation.canRealTime && compositor?.realTime !== false;
		const mayBeOnAir = isHost || situation.isAdmitted;
		const uplink = isPossible && mayBeOnAir && compositor !== undefined && this.#refusedMs === undefined;
		const realTime = this.#realTime(situation, isPossible && this.#refusedMs === undefined);
		const fallback = mayBeOnAir && this.#fallsBack(situation, isPossible, nowMs);
		return { uplink, stream: streamOf(situation, canStream && mayBeOnAir, fallback), realTime, fallback };
	}

	/** When to decide anew, if nothing happens before. */
	nextMs(nowMs: number): number | undefined {
		const moments = [
			this.#refusedMs === undefined ? undefined : this.#refusedMs + RETRY_EVERY_MS,
			this.#workingMs === undefined ? undefined : this.#workingMs + STREAM_LINGERS_MS,
		].filter((atMs) => atMs !== undefined && atMs > nowMs);
		return moments.length === 0 ? undefined : Math.min(...(moments as number[]));
	}

	#realTime({ isHost, isAdmitted, compositor, line }: LegSituation, isPossible: boolean): RealTimeLegState {
		if (!isPossible) {
			return "unavailable";
		}
		if (compositor === undefined) {
			return isHost || !isAdmitted ? "off" : "waiting";
		}
		switch (line) {
			case "connected":
				return "connected";
			case "interrupted":
				return "broken";
			case "lost":
				return "unavailable";
			case "connecting":
			case undefined:
				return "connecting";
		}
	}

	#fallsBack({ compositor, line }: LegSituation, isPossible: boolean, nowMs: number): boolean {
		if (!isPossible) {
			return true;
		}
		if (line === "lost" || this.#refusedMs !== undefined) {
			this.#standsIn = true;
			this.#workingMs = undefined;
			return true;
		}
		if (!this.#standsIn || compositor === undefined) {
			// A stream that stands in for a compositor that is gone is wanted by the next one, until its own line tells.
			return this.#standsIn;
		}
		if (line !== "connected") {
			this.#workingMs = undefined;
			return true;
		}
		this.#workingMs ??= nowMs;
		if (nowMs < this.#workingMs + STREAM_LINGERS_MS) {
			return true;
		}
		this.#standsIn = false;
		this.#workingMs = undefined;
		return false;
	}
}

function streamOf(
	{ isHost, isHeardByStream }: LegSituation,
	canStream: boolean,
	fallback: boolean,
): LegDecision["stream"] {
	if (!canStream) {
		return "off";
	}
	if (isHeardByStream) {
		return "always";
	}
	// What stands in is not put to sleep: the edge lets only those sleep whom the compositor has by another leg.
	return isHost ? "may-sleep" : fallback ? "always" : "off";
}
