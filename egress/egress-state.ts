import type { EgressState } from "../worker/protocol/egress-status.ts";

/**
 * - `start`: publishing was asked for.
 * - `published`: the destination took the stream's first key frame.
 * - `broken`: the line broke, could not be had, or the destination was busy: it may work next time.
 * - `refused`: the destination said no, or may not be connected to: asking again would change nothing.
 * - `stop`: publishing is no longer wanted.
 */
export type EgressEvent = "start" | "published" | "broken" | "refused" | "stop";

/** `connecting` lasts until the first success or failure, and so covers waiting for a program; `retrying` until the next success. */
export function nextEgressState(state: EgressState, event: EgressEvent): EgressState {
	switch (event) {
		case "start":
			return isActive(state) ? state : "connecting";
		case "published":
			return isActive(state) ? "live" : state;
		case "broken":
			return isActive(state) ? "retrying" : state;
		case "refused":
			return isActive(state) ? "refused" : state;
		case "stop":
			return "stopped";
	}
}

/** Whether the destination is published to, or tried. */
export function isActive(state: EgressState): boolean {
	switch (state) {
		case "connecting":
		case "live":
		case "retrying":
			return true;
		case "refused":
		case "stopped":
			return false;
	}
}
