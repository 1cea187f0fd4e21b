/**
 * - `connecting`: not there yet, and not long enough to do without
 * - `interrupted`: was there, and may be again in a moment
 * - `lost`: what has another way takes that; tried again all the while
 */
export type LineState = "connecting" | "connected" | "interrupted" | "lost";

/** Longer than this nobody waits for the direct way: there is another. */
export const LOST_AFTER_MS = 5_000;
/** What is disconnected mostly comes back by itself, and a restart costs more than that. */
export const RESTART_DISCONNECTED_AFTER_MS = 3_000;
/** Networks change without saying so. */
export const RETRY_EVERY_MS = 30_000;
/**
 * Something comes all the time on a line that works, if only word of what has arrived. A change of address that nobody tells of, as by a router that
 * has started anew, is noticed by ICE itself up to 2.5 s later, at its next check.
 */
export const SILENT_AFTER_MS = 800;
/** As long as that is without success. */
export const SILENT_AGAIN_AFTER_MS = 4_000;
/** One change of network is told by several events. */
export const RESTART_SPACING_MS = 1_000;

/** How one connection is, and when to look for new ways for it. Time is passed in; it never goes back. */
export class LineHealth {
	#connection: RTCPeerConnectionState = "new";
	/** Since when it is in that state. */
	#changedMs: number;
	/** Since when it does not work; `undefined` while it does. */
	#withoutMs: number | undefined;
	#hasWorked = false;
	/** It has failed since it last worked: however it goes on, it counts for lost. */
	#hasFailed = false;
	#restartedMs: number | undefined;
	/** A change of network that nothing was done about yet. */
	#networkChangedMs: number | undefined;
	/** When more was there than before, and how much. */
	#heard: { readonly bytes: number; readonly atMs: number } | undefined;
	#isSilent = false;

	constructor(nowMs: number) {
		this.#changedMs = nowMs;
		this.#withoutMs = nowMs;
	}

	changed(connection: RTCPeerConnectionState, nowMs: number): void {
		if (connection === this.#connection) {
			return;
		}
		this.#connection = connection;
		this.#changedMs = nowMs;
		this.#heard = undefined;
		this.#isSilent = false;
		if (connection === "connected") {
			this.#withoutMs = undefined;
			this.#hasWorked = true;
			this.#hasFailed = false;
			this.#restartedMs = undefined;
			return;
		}
		this.#withoutMs ??= nowMs;
		this.#hasFailed ||= connection === "failed";
	}

	/** @param bytes all that has come by the line since it was opened */
	received(bytes: number, nowMs: number): void {
		if (this.#heard === undefined || bytes !== this.#heard.bytes) {
			this.#heard = { bytes, atMs: nowMs };
		}
		this.#isSilent = nowMs - this.#heard.atMs >= SILENT_AFTER_MS;
	}

	/** Nothing comes, whatever ICE says. */
	get isSilent(): boolean {
		return this.#isSilent;
	}

	networkChanged(nowMs: number): void {
		this.#networkChangedMs ??= nowMs;
	}

	state(nowMs: number): LineState {
		if (this.#withoutMs === undefined) {
			return "connected";
		}
		if (this.#hasFailed || nowMs >= this.#withoutMs + LOST_AFTER_MS) {
			return "lost";
		}
		return this.#hasWorked ? "interrupted" : "connecting";
	}

	/** Whether to look for new ways now; true once for each time it is due. */
	takeRestart(nowMs: number): boolean {
		const dueMs = this.#restartDueMs();
		if (dueMs === undefined || nowMs < dueMs) {
			return false;
		}
		this.#restarted(nowMs);
		return true;
	}

	/** The peer asks for it. @returns false where it was done this moment: both ends notice the same thing */
	takePeersRestart(nowMs: number): boolean {
		if (this.#restartedMs !== undefined && nowMs < this.#restartedMs + RESTART_SPACING_MS) {
			return false;
		}
		this.#restarted(nowMs);
		return true;
	}

	/** When to look again. */
	nextMs(nowMs: number): number | undefined {
		const lostMs = this.#withoutMs === undefined ? undefined : this.#withoutMs + LOST_AFTER_MS;
		const moments = [this.#restartDueMs(), lostMs].filter((atMs) => atMs !== undefined && atMs > nowMs);
		return moments.length === 0 ? undefined : Math.min(...(moments as number[]));
	}

	#restarted(nowMs: number): void {
		this.#restartedMs = nowMs;
		this.#networkChangedMs = undefined;
	}

	#restartDueMs(): number | undefined {
		if (this.#networkChangedMs !== undefined) {
			return Math.max(this.#networkChangedMs, (this.#restartedMs ?? Number.NEGATIVE_INFINITY) + RESTART_SPACING_MS);
		}
		if (this.#connection === "connected") {
			return this.#isSilent
				? Math.max(this.#changedMs, (this.#restartedMs ?? Number.NEGATIVE_INFINITY) + SILENT_AGAIN_AFTER_MS)
				: undefined;
		}
		if (this.#connection === "closed") {
			return undefined;
		}
		if (this.#restartedMs !== undefined) {
			return this.#restartedMs + RETRY_EVERY_MS;
		}
		switch (this.#connection) {
			case "failed":
				return this.#changedMs;
			case "disconnected":
				return this.#changedMs + RESTART_DISCONNECTED_AFTER_MS;
			default:
				return this.#changedMs + RETRY_EVERY_MS;
		}
	}
}
