import { msToUs } from "../../media/units.ts";
import type { KeyFrameRequest } from "../../worker/protocol/media-socket.ts";
import type { ShownHost } from "./shown-host.ts";
import { wireMsBetween } from "./wire-time.ts";

/** The host's picture is about a tenth of a second behind what the Router has; after this long it does not come. */
const WAIT_AT_MOST_US = msToUs(1_000);

/** The key frame that the Router last asked for, until it is made. */
export class KeyFrameOrder {
	#pending: { readonly afterHostMs: number | undefined; readonly untilUs: number } | undefined;

	/** Takes the place of an order that waits. */
	ask({ afterHostMs }: KeyFrameRequest, nowUs: number): void {
		this.#pending = { afterHostMs, untilUs: nowUs + WAIT_AT_MOST_US };
	}

	/** Whether the output frame due at `dueUs` is to be that key frame: then it is, and nothing waits any more. */
	take(host: ShownHost | undefined, dueUs: number): boolean {
		if (this.#pending === undefined) {
			return false;
		}
		const { afterHostMs, untilUs } = this.#pending;
		const isIt =
			afterHostMs === undefined ||
			host === undefined ||
			wireMsBetween(afterHostMs, host.hostMs) > 0 ||
			dueUs >= untilUs;
		if (isIt) {
			this.#pending = undefined;
		}
		return isIt;
	}
}
