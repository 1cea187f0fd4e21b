import type { DeviceKind } from "./device-words.ts";

/** The place of one device's track; hears when the device goes away. The slot stops what it holds. */
export class DeviceSlot {
	readonly kind: DeviceKind;
	readonly #onLost: (kind: DeviceKind) => void;
	#track: MediaStreamTrack | undefined;

	constructor(kind: DeviceKind, onLost: (kind: DeviceKind) => void) {
		this.kind = kind;
		this.#onLost = onLost;
	}

	get track(): MediaStreamTrack | undefined {
		return this.#track;
	}

	/** The device's id, as far as the platform tells. */
	get deviceId(): string | undefined {
		return this.#track?.getSettings().deviceId;
	}

	/** Lets go of the track before; `undefined` for no other. */
	put(track: MediaStreamTrack | undefined): void {
		const before = this.#track;
		if (before === track) {
			return;
		}
		this.#track = track;
		before?.removeEventListener("ended", this.#ended);
		before?.stop();
		track?.addEventListener("ended", this.#ended);
	}

	/** Comes only when it was not our own `stop`. */
	readonly #ended = () => this.#onLost(this.kind);
}
