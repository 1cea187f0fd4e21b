import { type KeyFrameRequest, keyFrameRequestSchema } from "../../worker/protocol/media-socket.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import type { MediaSocketPeer } from "./media-socket-peer.ts";

const FRAME_MS = 40;
const GROUP_FRAMES = 25;

/** Publishes at the clock's pace until it is stopped: a person, or a compositor that gives key frames when asked. */
export class PacedPublisher {
	static readonly COMPOSITE_MARK = 99;
	readonly peer: MediaSocketPeer;
	/** What the Router asked for. */
	readonly requests: KeyFrameRequest[] = [];
	/** The host's time in its pictures. */
	shows: (() => number) | undefined;
	readonly #mark: number;
	readonly #timer: ReturnType<typeof setInterval>;
	readonly #startedMs = Date.now();
	#frame = 0;
	#asked: KeyFrameRequest | undefined;

	constructor(peer: MediaSocketPeer, options: { readonly isComposite: boolean }) {
		this.peer = peer;
		this.#mark = options.isComposite ? PacedPublisher.COMPOSITE_MARK : 1;
		peer.socket.addEventListener("message", ({ data }) => {
			if (typeof data === "string") {
				this.#asked = keyFrameRequestSchema.parse(JSON.parse(data));
				this.requests.push(this.#asked);
			}
		});
		peer.publish([videoConfig(0), audioConfig(0)]);
		this.#next();
		this.#timer = setInterval(() => this.#catchUp(), FRAME_MS);
	}

	/** Time of its latest picture. */
	get lastMs(): number {
		return (this.#frame - 1) * FRAME_MS;
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	/** Timers are late on a loaded machine; media is not. */
	#catchUp(): void {
		while (this.#frame * FRAME_MS <= Date.now() - this.#startedMs) {
			this.#next();
		}
	}

	#next(): void {
		const timeMs = this.#frame * FRAME_MS;
		const hostMs = this.shows?.();
		const isAsked = this.#asked !== undefined && (hostMs ?? 0) > (this.#asked.afterHostMs ?? -1);
		const isKey = isAsked || this.#frame % GROUP_FRAMES === 0;
		this.#asked = isAsked ? undefined : this.#asked;
		this.#frame++;
		if (isKey && hostMs !== undefined) {
			this.peer.socket.send(JSON.stringify({ type: "shows", programMs: timeMs, hostMs }));
		}
		this.peer.send([isKey ? keyFrame(timeMs, this.#mark) : interFrame(timeMs, this.#mark), sound(timeMs, this.#mark)]);
	}
}
