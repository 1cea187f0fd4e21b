import type { DeviceChoice } from "../../lib/session-types.ts";

/** How somebody wants to go in. */
export interface Entering {
	/** As it is to be shown; absent where they gave none. */
	readonly name?: string;
	readonly devices: DeviceChoice;
	readonly speakerId?: string | undefined;
	readonly camera: boolean;
	readonly microphone: boolean;
}
