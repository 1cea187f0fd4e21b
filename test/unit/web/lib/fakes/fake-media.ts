import type { MediaSource } from "../../../../../web/lib/session-types.ts";

/** Tracks, streams and devices as far as the library looks at them, in the hands of a test. */

export class FakeTrack extends EventTarget {
	readonly kind: "audio" | "video";
	readonly label: string;
	enabled = true;
	contentHint = "";
	readyState: "live" | "ended" = "live";
	readonly #deviceId: string;

	constructor(kind: "audio" | "video", deviceId: string) {
		super();
		this.kind = kind;
		this.label = deviceId;
		this.#deviceId = deviceId;
	}

	getSettings(): MediaTrackSettings {
		return { deviceId: this.#deviceId, ...(this.kind === "video" ? { height: 720 } : {}) };
	}

	stop(): void {
		this.readyState = "ended";
	}

	/** Its device goes away. */
	end(): void {
		this.readyState = "ended";
		this.dispatchEvent(new Event("ended"));
	}
}

export class FakeStream {
	readonly #tracks: FakeTrack[];

	constructor(tracks: readonly unknown[] = []) {
		this.#tracks = [...(tracks as readonly FakeTrack[])];
	}

	getTracks = () => [...this.#tracks];
	getVideoTracks = () => this.#tracks.filter(({ kind }) => kind === "video");
	getAudioTracks = () => this.#tracks.filter(({ kind }) => kind === "audio");
	addTrack = (track: FakeTrack) => void this.#tracks.push(track);
	removeTrack = (track: FakeTrack) => void this.#tracks.splice(this.#tracks.indexOf(track), 1);
}

export const newStream = (tracks: readonly unknown[] = []) => new FakeStream(tracks) as unknown as MediaStream;

/** `navigator.mediaDevices`: cameras `c1`, `c2` and microphones `m1`, `m2`, until they are taken away. */
export class FakeDevices extends EventTarget {
	readonly there = new Set(["c1", "c2", "m1", "m2"]);
	/** Every track that was ever given. */
	readonly given: FakeTrack[] = [];
	/** What was asked for, as `video:c1 audio`. */
	readonly asked: string[] = [];
	/** The next request fails with an error of that name; one for each. */
	readonly failures: string[] = [];

	get live(): string[] {
		return this.given.filter(({ readyState }) => readyState === "live").map(({ label }) => label);
	}

	get source(): MediaSource {
		return this as unknown as MediaSource;
	}

	async getUserMedia({ video, audio }: MediaStreamConstraints): Promise<MediaStream> {
		const wanted = (
			[
				["video", "c", video],
				["audio", "m", audio],
			] as const
		).filter(([, , constraints]) => constraints);
		const exact = (constraints: boolean | MediaTrackConstraints | undefined) =>
			((constraints as MediaTrackConstraints | undefined)?.deviceId as { exact: string } | undefined)?.exact;
		this.asked.push(
			wanted.map(([kind, , each]) => (exact(each) === undefined ? kind : `${kind}:${exact(each)}`)).join(" "),
		);
		const failure = this.failures.shift();
		if (failure !== undefined && failure !== "") {
			throw new DOMException("no", failure);
		}
		const tracks = wanted.map(([kind, letter, each]) => {
			const chosen = exact(each);
			const id = chosen ?? [...this.there].find((device) => device.startsWith(letter));
			if (id === undefined || !this.there.has(id)) {
				throw new DOMException("no", chosen === undefined ? "NotFoundError" : "OverconstrainedError");
			}
			return new FakeTrack(kind, id);
		});
		this.given.push(...tracks);
		return newStream(tracks);
	}

	async getDisplayMedia(): Promise<MediaStream> {
		const failure = this.failures.shift();
		if (failure !== undefined) {
			throw new DOMException("no", failure);
		}
		const track = new FakeTrack("video", "screen");
		this.given.push(track);
		return newStream([track]);
	}

	async enumerateDevices(): Promise<MediaDeviceInfo[]> {
		return [...this.there].map(
			(deviceId) =>
				({
					deviceId,
					kind: deviceId.startsWith("c") ? "videoinput" : "audioinput",
					label: deviceId,
				}) as MediaDeviceInfo,
		);
	}

	unplug(id: string): void {
		this.there.delete(id);
		this.given.findLast(({ label, readyState }) => label === id && readyState === "live")?.end();
		this.dispatchEvent(new Event("devicechange"));
	}

	plug(id: string): void {
		this.there.add(id);
		this.dispatchEvent(new Event("devicechange"));
	}
}
