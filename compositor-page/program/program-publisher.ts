import type { EncodedAudioFrame, EncodedFrame, EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { FlvFrameWriter } from "../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";
import { ReconnectingSocket, socketUrl } from "../sockets/reconnecting-socket.ts";

/** Unsent bytes at which the line counts as too slow: at 3 Mb/s about 2 s. What follows is left out until it has drained. */
const MAX_SOCKET_QUEUE_BYTES = 768 * 1024;
/** Unsent bytes below which sending starts again, at a key frame. */
const RESUME_SOCKET_QUEUE_BYTES = 128 * 1024;

export interface ProgramPublisherOptions {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly token: string;
	/** A key frame is wanted now: after connecting, or after frames were left out. */
	onKeyFrameWanted(): void;
	onRefused(reason: string): void;
}

/** Publishes the program as WS-FLV, starting at a key frame on every connection. */
export class ProgramPublisher {
	readonly #options: ProgramPublisherOptions;
	readonly #socket: ReconnectingSocket;
	#writer = new FlvFrameWriter();
	#videoConfig: Uint8Array | undefined;
	#audioConfig: Uint8Array | undefined;
	/** True until a key frame opens the way: nothing before it could be decoded. */
	#waitingForKeyFrame = true;
	#videoBytesSent = 0;
	#framesSent = 0;
	#framesDropped = 0;

	constructor(options: ProgramPublisherOptions) {
		this.#options = options;
		const path = `/api/broadcasts/${options.broadcastId}/media/${MAIN_PROGRAM_STREAM}?direction=publish`;
		this.#socket = new ReconnectingSocket(socketUrl(options.apiUrl, path), options.token, {
			onOpen: (socket) => {
				this.#writer = new FlvFrameWriter();
				socket.send(flvHeader() as Uint8Array<ArrayBuffer>);
				this.#waitForKeyFrame();
			},
			onMessage: () => {}, // The Router tells publishers nothing but a close reason.
			onBroken: () => {
				this.#waitingForKeyFrame = true;
			},
			onRefused: (code, reason) => options.onRefused(reason === "" ? `closed with code ${code}` : reason),
		});
	}

	get videoBytesSent(): number {
		return this.#videoBytesSent;
	}

	/** Video frames sent. */
	get framesSent(): number {
		return this.#framesSent;
	}

	/** Video frames encoded and not sent: no connection, or one too slow. */
	get framesDropped(): number {
		return this.#framesDropped;
	}

	get queueBytes(): number {
		return this.#socket.open?.bufferedAmount ?? 0;
	}

	sendVideo(frame: EncodedVideoFrame): void {
		this.#videoConfig = frame.config ?? this.#videoConfig;
		if (this.#waitingForKeyFrame && !this.#mayStartWith(frame)) {
			this.#lose();
			return;
		}
		if (this.#waitingForKeyFrame) {
			this.#waitingForKeyFrame = false;
			this.#writeAudioConfig(frame.ptsUs);
			this.#count(this.#write({ ...frame, ...(this.#videoConfig === undefined ? {} : { config: this.#videoConfig }) }));
			return;
		}
		if (this.queueBytes > MAX_SOCKET_QUEUE_BYTES) {
			this.#lose();
			this.#waitForKeyFrame();
			return;
		}
		this.#count(this.#write(frame));
	}

	sendAudio(frame: EncodedAudioFrame): void {
		if (frame.config !== undefined) {
			this.#audioConfig = frame.config;
			// Pictures have waited for it.
			this.#waitForKeyFrame();
		}
		if (!this.#waitingForKeyFrame) {
			this.#write(frame);
		}
	}

	close(): void {
		this.#socket.close(CLOSE.done.code, "done");
	}

	#mayStartWith(frame: EncodedVideoFrame): boolean {
		// A destination decides by what comes first which tracks there are: sound's configuration has to be known.
		const ready = this.#audioConfig !== undefined && this.#socket.open !== undefined;
		return frame.keyFrame && ready && this.queueBytes <= RESUME_SOCKET_QUEUE_BYTES;
	}

	#waitForKeyFrame(): void {
		this.#waitingForKeyFrame = true;
		this.#options.onKeyFrameWanted();
	}

	#writeAudioConfig(ptsUs: number): void {
		if (this.#audioConfig !== undefined) {
			const nothing = { data: new Uint8Array(), ptsUs, dtsUs: ptsUs };
			this.#write({ track: "audio", codec: "aac", keyFrame: true, config: this.#audioConfig, ...nothing });
		}
	}

	#count(sent: boolean): void {
		if (sent) {
			this.#framesSent += 1;
		} else {
			this.#lose();
		}
	}

	/** What was made before the program began is no loss to it. */
	#lose(): void {
		this.#framesDropped += this.#framesSent > 0 ? 1 : 0;
	}

	/** False when the line has just broken; what follows waits for a key frame. */
	#write(frame: EncodedFrame): boolean {
		const socket = this.#socket.open;
		if (socket === undefined) {
			this.#waitingForKeyFrame = true;
			return false;
		}
		for (const tag of this.#writer.push(frame)) {
			const bytes = flvTagBytes(tag);
			socket.send(bytes as Uint8Array<ArrayBuffer>);
			this.#videoBytesSent += frame.track === "video" ? bytes.byteLength : 0;
		}
		return true;
	}
}
