import type { DeviceChoice, DeviceInfo, MediaSource, Notice, SessionState } from "../session-types.ts";
import type { BlackPicture } from "./black-picture.ts";
import { DeviceSlot } from "./device-slot.ts";
import { type DeviceKind, deviceWords, insecureWords, isBusy, lostWords, screenWords } from "./device-words.ts";
import { openDevice, openDevices } from "./open-devices.ts";

/** What is sent. */
export interface OutgoingTracks {
	/** Screen, camera, or black. */
	readonly video: MediaStreamTrack;
	/** The same, and absent where it would be black. */
	readonly picture: MediaStreamTrack | undefined;
	/** Silent while the microphone is off; absent where there is none. */
	readonly audio: MediaStreamTrack | undefined;
	/** The picture is a screen: what is to be read, and moves little. */
	readonly screen: boolean;
}

export interface LocalMediaOptions {
	/** `undefined` where the browser gives none: the address is not secure. */
	readonly source: MediaSource | undefined;
	readonly choice: DeviceChoice;
	blackPicture(): BlackPicture;
	newStream(tracks: readonly MediaStreamTrack[]): MediaStream;
	/** Tracks or {@link LocalMedia.state} have changed. */
	onChange(): void;
	onPreview(preview: MediaStream): void;
	onNotice(notice: Notice): void;
	onResolved(code: Notice["code"]): void;
}

const KINDS: Readonly<Record<MediaDeviceKind, DeviceInfo["kind"]>> = {
	videoinput: "camera",
	audioinput: "microphone",
	audiooutput: "speaker",
};

/** A screen's text is read, not watched: sharp pictures rather than many. */
const SCREEN: DisplayMediaStreamOptions = { video: { frameRate: { ideal: 15, max: 30 } }, audio: false };

/** This page's camera, microphone and screen, and what of them is sent. One thing is done after the other. */
export class LocalMedia {
	readonly #options: LocalMediaOptions;
	readonly #slots: Readonly<Record<DeviceKind, DeviceSlot>>;
	readonly #on: Record<DeviceKind, boolean> = { camera: false, microphone: false };
	/** Went away while they were on: they come back by themselves when a device does. */
	readonly #lost = new Set<DeviceKind>();
	#choice: DeviceChoice;
	#screen: MediaStreamTrack | undefined;
	#black: BlackPicture | undefined;
	#preview: MediaStream;
	#previewed: readonly MediaStreamTrack[] = [];
	#queue: Promise<unknown> = Promise.resolve();
	#isClosed = false;

	constructor(options: LocalMediaOptions) {
		this.#options = options;
		this.#choice = options.choice;
		const onLost = (kind: DeviceKind) => void this.#inTurn(() => this.#replaceLost(kind));
		this.#slots = { camera: new DeviceSlot("camera", onLost), microphone: new DeviceSlot("microphone", onLost) };
		this.#preview = options.newStream([]);
		options.source?.addEventListener("devicechange", this.#devicesChanged);
	}

	get preview(): MediaStream {
		return this.#preview;
	}

	get state(): SessionState["media"] {
		const { camera, microphone } = this.#slots;
		return {
			camera: this.#on.camera && camera.track !== undefined,
			microphone: this.#on.microphone && microphone.track !== undefined,
			screen: this.#screen !== undefined,
		};
	}

	get outgoing(): OutgoingTracks {
		const picture = this.#screen ?? this.#slots.camera.track;
		if (picture === undefined) {
			this.#black ??= this.#options.blackPicture();
		}
		return {
			video: picture ?? (this.#black as BlackPicture).track,
			picture,
			audio: this.#slots.microphone.track,
			screen: this.#screen !== undefined,
		};
	}

	/** What to begin with. @throws with words for people when nothing of what was wanted is there; otherwise what is missing is a notice */
	open(wanted: readonly DeviceKind[]): Promise<void> {
		return this.#inTurn(async () => {
			const { source } = this.#options;
			const opened = await openDevices(source, this.#choice, wanted);
			if (this.#isClosed) {
				opened.camera?.stop();
				opened.microphone?.stop();
				return;
			}
			const words = [...new Set(Object.values(opened.faults))].join(" ");
			if (wanted.length > 0 && opened.camera === undefined && opened.microphone === undefined) {
				throw new Error(words);
			}
			for (const kind of wanted) {
				this.#on[kind] = true;
				this.#slots[kind].put(opened[kind]);
				if (opened[kind] === undefined) {
					this.#lost.add(kind);
				}
			}
			if (words !== "") {
				this.#options.onNotice({ code: "devices", level: "warning", text: words });
			}
			this.#changed();
		});
	}

	setCamera(on: boolean): Promise<void> {
		return this.#inTurn(async () => {
			this.#lost.delete("camera");
			if (!on) {
				this.#on.camera = false;
				this.#slots.camera.put(undefined);
			} else if (this.#slots.camera.track === undefined) {
				await this.#open("camera", this.#choice.cameraId);
				this.#on.camera = true;
			}
			this.#settled();
		});
	}

	setMicrophone(on: boolean): Promise<void> {
		return this.#inTurn(async () => {
			this.#lost.delete("microphone");
			const { track } = this.#slots.microphone;
			if (on && track === undefined) {
				await this.#open("microphone", this.#choice.microphoneId);
			}
			this.#on.microphone = on;
			this.#settled();
		});
	}

	/** What is on changes to the chosen device; what is off begins with it. @throws with words, and goes on with the device before where it can */
	useDevices(choice: DeviceChoice): Promise<void> {
		return this.#inTurn(async () => {
			const before = this.#choice;
			this.#choice = { ...before, ...choice };
			for (const [kind, deviceId, beforeId] of [
				["camera", this.#choice.cameraId, before.cameraId],
				["microphone", this.#choice.microphoneId, before.microphoneId],
			] as const) {
				const slot = this.#slots[kind];
				const isOther = deviceId !== undefined && deviceId !== (slot.deviceId ?? beforeId);
				const isHeld = slot.track !== undefined || this.#lost.has(kind);
				if (isHeld && isOther) {
					await this.#open(kind, deviceId);
					this.#lost.delete(kind);
				}
			}
			this.#settled();
		});
	}

	async listDevices(): Promise<readonly DeviceInfo[]> {
		const found = (await this.#options.source?.enumerateDevices()) ?? [];
		return found.map(({ deviceId, kind, label }) => ({ id: deviceId, kind: KINDS[kind], label }));
	}

	shareScreen(): Promise<void> {
		return this.#inTurn(async () => {
			const track = await this.#openScreen();
			if (this.#isClosed) {
				track.stop();
				return;
			}
			this.#dropScreen();
			track.contentHint = "detail";
			track.addEventListener("ended", this.#screenEnded);
			this.#screen = track;
			this.#changed();
		});
	}

	stopSharing(): Promise<void> {
		return this.#inTurn(async () => {
			this.#dropScreen();
			this.#changed();
		});
	}

	/** Every device is let go of, for good; may be called twice. */
	close(): void {
		this.#isClosed = true;
		this.#options.source?.removeEventListener("devicechange", this.#devicesChanged);
		this.#slots.camera.put(undefined);
		this.#slots.microphone.put(undefined);
		this.#dropScreen();
		this.#black?.close();
		this.#black = undefined;
	}

	async #open(kind: DeviceKind, deviceId: string | undefined): Promise<void> {
		const { source } = this.#options;
		if (source === undefined) {
			throw new Error(insecureWords([kind]));
		}
		const slot = this.#slots[kind];
		const heldId = slot.deviceId;
		try {
			this.#put(kind, await openDevice(source, kind, deviceId));
		} catch (error) {
			if (slot.track === undefined || !isBusy(error)) {
				throw new Error(deviceWords(error, [kind]), { cause: error });
			}
			// Phones have one camera at a time.
			slot.put(undefined);
			await this.#openInstead(source, kind, deviceId, heldId);
		}
	}

	async #openInstead(
		source: MediaSource,
		kind: DeviceKind,
		deviceId: string | undefined,
		heldId: string | undefined,
	): Promise<void> {
		try {
			this.#put(kind, await openDevice(source, kind, deviceId));
		} catch (error) {
			this.#put(kind, await openDevice(source, kind, heldId).catch(() => undefined));
			this.#changed();
			throw new Error(deviceWords(error, [kind]), { cause: error });
		}
	}

	async #openScreen(): Promise<MediaStreamTrack> {
		const { source } = this.#options;
		if (source?.getDisplayMedia === undefined) {
			throw new Error("This browser cannot share a screen.");
		}
		try {
			const [track] = (await source.getDisplayMedia(SCREEN)).getVideoTracks();
			if (track !== undefined) {
				return track;
			}
		} catch (error) {
			throw new Error(screenWords(error), { cause: error });
		}
		throw new Error(screenWords(undefined));
	}

	#put(kind: DeviceKind, track: MediaStreamTrack | undefined): void {
		if (this.#isClosed) {
			track?.stop();
		} else {
			this.#slots[kind].put(track);
		}
	}

	/** Its device is gone, or the system took it away. */
	async #replaceLost(kind: DeviceKind): Promise<void> {
		const slot = this.#slots[kind];
		if (this.#isClosed || slot.track?.readyState !== "ended") {
			return;
		}
		slot.put(undefined);
		this.#lost.add(kind);
		this.#changed();
		const { source } = this.#options;
		const track = await (source && openDevice(source, kind, undefined).catch(() => undefined));
		this.#put(kind, track);
		const text = lostWords(kind, track?.label);
		this.#options.onNotice({ code: "device-lost", level: track === undefined ? "error" : "warning", text });
		this.#changed();
	}

	readonly #devicesChanged = () => void this.#inTurn(() => this.#takeReturned());

	/** A device that was lost may be there again, or another one in its place. */
	async #takeReturned(): Promise<void> {
		const { source } = this.#options;
		if (this.#isClosed || source === undefined) {
			return;
		}
		let isChanged = false;
		for (const kind of [...this.#lost]) {
			const slot = this.#slots[kind];
			const chosenId = kind === "camera" ? this.#choice.cameraId : this.#choice.microphoneId;
			const isHeld = slot.track !== undefined;
			// With another one in its place only the very one that was chosen is worth a change.
			if (isHeld && (chosenId === undefined || slot.deviceId === chosenId)) {
				continue;
			}
			const chosen =
				chosenId === undefined ? undefined : await openDevice(source, kind, chosenId).catch(() => undefined);
			const track = chosen ?? (isHeld ? undefined : await openDevice(source, kind, undefined).catch(() => undefined));
			if (track !== undefined) {
				this.#put(kind, track);
				this.#lost.delete(kind);
				isChanged = true;
			}
		}
		// A device that went tells of a change as well, and what was said of it stands.
		if (isChanged) {
			this.#settled();
		}
	}

	#settled(): void {
		const isMissing = [...this.#lost].some((kind) => this.#slots[kind].track === undefined);
		if (!isMissing) {
			this.#options.onResolved("devices");
			this.#options.onResolved("device-lost");
		}
		this.#changed();
	}

	#changed(): void {
		if (this.#isClosed) {
			return;
		}
		const { camera, microphone } = this.#slots;
		if (microphone.track !== undefined) {
			microphone.track.enabled = this.#on.microphone;
		}
		if (this.#black !== undefined && (this.#screen ?? camera.track) !== undefined) {
			// After those who send it have been given the other one.
			const black = this.#black;
			this.#black = undefined;
			queueMicrotask(() => black.close());
		}
		this.#showPreview([this.#screen ?? camera.track, microphone.track].filter((track) => track !== undefined));
		this.#options.onChange();
	}

	#showPreview(tracks: readonly MediaStreamTrack[]): void {
		const isSame = tracks.length === this.#previewed.length && tracks.every((track) => this.#previewed.includes(track));
		if (!isSame) {
			this.#previewed = tracks;
			this.#preview = this.#options.newStream(tracks);
			this.#options.onPreview(this.#preview);
		}
	}

	/** By the browser's own button. */
	readonly #screenEnded = () => void this.stopSharing();

	#dropScreen(): void {
		this.#screen?.removeEventListener("ended", this.#screenEnded);
		this.#screen?.stop();
		this.#screen = undefined;
	}

	#inTurn<T>(action: () => Promise<T>): Promise<T> {
		const turn = this.#queue.then(action);
		this.#queue = turn.catch(() => undefined);
		return turn;
	}
}
