import type { RateAdvice } from "../../../worker/protocol/signaling.ts";
import type { Notice, StreamLegState } from "../session-types.ts";
import { type OpenedSource, openPictures, openSound } from "./track-source.ts";
import type { FromStreamLeg, ResolvedNotice, StreamLegOptions, ToStreamLeg } from "./worker-messages.ts";

export type { ResolvedNotice } from "./worker-messages.ts";

export interface StreamPublisherOptions extends StreamLegOptions {
	onState(state: StreamLegState): void;
	/** Of one code there is at most one at a time; `resolved` ends it. */
	onNotice(notice: Notice | ResolvedNotice): void;
}

export interface StreamTracks {
	readonly video?: MediaStreamTrack;
	readonly audio?: MediaStreamTrack;
}

/** A worker that has not said goodbye by then is ended. */
const CLOSE_WITHIN_MS = 1_000;

/**
 * Publishes one person's picture and sound to the broadcast as WS-FLV: H.264 of exactly the broadcast's size, and AAC (a guest's: Opus, and
 * VP8 where there is no H.264). Everything but getting at the tracks happens in a worker.
 *
 * There is always a picture and always sound: black, and silence, where there is no track, or one that is off or has ended. Tracks are read and never changed or
 * stopped.
 */
export class StreamPublisher {
	readonly #options: StreamPublisherOptions;
	readonly #worker: Worker;
	readonly #closed: Promise<void>;
	#sources: Partial<Record<"video" | "audio", { readonly track: MediaStreamTrack; readonly opened: OpenedSource }>> =
		{};
	#sourceCount = 0;
	#closing: Promise<void> | undefined;

	constructor(options: StreamPublisherOptions) {
		this.#options = options;
		this.#worker = new Worker(new URL("./stream-leg-worker.ts", import.meta.url), {
			type: "module",
			name: "stream-leg",
		});
		this.#closed = new Promise((resolve) => {
			this.#worker.onmessage = ({ data }: MessageEvent<FromStreamLeg>) => {
				if (data.type === "closed") {
					resolve();
				} else {
					this.#take(data);
				}
			};
		});
		this.#worker.onerror = (event) => {
			const text = `Your stream has stopped: ${event.message || "its code could not be loaded"}. Reload the page.`;
			this.#take({ type: "notice", notice: { code: "stream-broken", level: "error", text } });
			this.#take({ type: "state", state: "broken" });
		};
		const { apiUrl, broadcastId, person, token, sleeps } = options;
		this.#post({ type: "start", options: { apiUrl, broadcastId, person, token, sleeps } });
	}

	/** What is sent from now on; what is left out is black, or silent. The same track again changes nothing. */
	setTracks(tracks: StreamTracks): void {
		this.#setTrack("video", tracks.video);
		this.#setTrack("audio", tracks.audio);
	}

	/** What somebody on the other end asks for: less, or with `undefined` all there is. The size stays, for a broadcast has one. */
	setRate(advice?: RateAdvice): void {
		this.#post({ type: "rate", ...(advice === undefined ? {} : { advice }) });
	}

	/** Ends it for good; may be called twice. Resolves when everything is let go of. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		for (const source of Object.values(this.#sources)) {
			source.opened.close();
		}
		this.#sources = {};
		this.#worker.postMessage({ type: "close" } satisfies ToStreamLeg);
		let timer: ReturnType<typeof setTimeout> | undefined;
		const late = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, CLOSE_WITHIN_MS);
		});
		await Promise.race([this.#closed, late]);
		clearTimeout(timer);
		this.#worker.onerror = null;
		this.#worker.terminate();
		this.#options.onState("off");
	}

	#setTrack(kind: "video" | "audio", track: MediaStreamTrack | undefined): void {
		const before = this.#sources[kind];
		if (this.#closing !== undefined || before?.track === track) {
			return;
		}
		before?.opened.close();
		delete this.#sources[kind];
		if (track === undefined) {
			this.#post({ type: "none", track: kind });
			return;
		}
		this.#sourceCount += 1;
		const open = kind === "video" ? openPictures : openSound;
		const post = (message: ToStreamLeg, transfer?: Transferable[]) => this.#post(message, transfer);
		this.#sources[kind] = { track, opened: open(track, this.#sourceCount, post) };
	}

	#post(message: ToStreamLeg, transfer: Transferable[] = []): void {
		if (this.#closing === undefined) {
			this.#worker.postMessage(message, transfer);
		}
	}

	#take(message: Exclude<FromStreamLeg, { type: "closed" }>): void {
		if (this.#closing !== undefined) {
			return;
		}
		if (message.type === "state") {
			this.#options.onState(message.state);
		} else {
			this.#options.onNotice(message.notice);
		}
	}
}
