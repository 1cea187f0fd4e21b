import type { EncodedAudioFrame, EncodedFrame, EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { FlvFrameWriter } from "../../media/flv/frame-writer.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { flvHeader, flvTagBytes } from "../../media/flv/tag-writer.ts";
import { DrainWatch } from "../../sockets/drain-watch.ts";
import { parseJsonMessage } from "../../sockets/json-message.ts";
import { ReconnectingSocket, socketUrl } from "../../sockets/reconnecting-socket.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { type CompositeLegs, type KeyFrameRequest, keyFrameRequestSchema } from "../../worker/protocol/media-socket.ts";
import { MAIN_COMPOSITE_STREAM, type PersonId } from "../../worker/protocol/roles.ts";
import type { ShownHost } from "./shown-host.ts";
import { ShowsLog } from "./shows-log.ts";

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
	/** The Router asks for one. */
	onKeyFrameRequest(request: KeyFrameRequest): void;
	onProblem(reason: string): void;
	onRefused(reason: string): void;
	nowUs(): number;
}

/**
 * Publishes the program as WS-FLV once it is told to, starting at a key frame on every connection, and says which of the host's pictures it shows.
 * Once refused or closed it sends nothing more.
 */
export class ProgramPublisher {
	readonly #options: ProgramPublisherOptions;
	/** `idle` until the program is ready: a publisher that sends nothing would be taken for a broken one. */
	#state: "idle" | "publishing" | "ended" = "idle";
	#socket: ReconnectingSocket | undefined;
	/** Pictures of an earlier program time were not made to be seen. */
	#fromUs = 0;
	#writer = new FlvFrameWriter();
	#shows = new ShowsLog();
	#drain = new DrainWatch();
	#bytesWritten = 0;
	#videoConfig: Uint8Array | undefined;
	#audioConfig: Uint8Array | undefined;
	/** True until a key frame opens the way: nothing before it could be decoded. */
	#waitingForKeyFrame = true;
	/** That key frame has been asked for. */
	#keyFrameAsked = false;
	#videoBytesSent = 0;
	#framesSent = 0;
	#framesDropped = 0;

	constructor(options: ProgramPublisherOptions) {
		this.#options = options;
	}

	/** The sound's configuration is there: without it a stream cannot begin, for it decides which tracks there are. */
	get soundKnown(): boolean {
		return this.#audioConfig !== undefined;
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
		return this.#socket?.open?.bufferedAmount ?? 0;
	}

	/** Publishes from the first key frame at or after `fromUs` of the program. Does nothing when it does so already, or has ended. */
	start(fromUs: number): void {
		if (this.#state !== "idle") {
			return;
		}
		this.#state = "publishing";
		this.#fromUs = fromUs;
		const { apiUrl, broadcastId, token, onProblem, onRefused } = this.#options;
		const path = `/api/broadcasts/${broadcastId}/media/${MAIN_COMPOSITE_STREAM}?direction=publish`;
		this.#socket = new ReconnectingSocket(socketUrl(apiUrl, path), token, {
			onOpen: (socket) => {
				this.#begin();
				socket.send(flvHeader() as Uint8Array<ArrayBuffer>);
			},
			onMessage: (data) => this.#takeRequest(data),
			onBroken: (reason) => {
				this.#waitForKeyFrame();
				onProblem(`program: connection lost (${reason})`);
			},
			onRefused: (code, reason) => {
				this.#state = "ended";
				onRefused(reason === "" ? `closed with code ${code}` : reason);
			},
		});
	}

	/** `host` is what the frame shows of them. */
	sendVideo(frame: EncodedVideoFrame, host: ShownHost | undefined): void {
		this.#videoConfig = frame.config ?? this.#videoConfig;
		this.#endStuckLine();
		if (this.#waitingForKeyFrame) {
			this.#openWith(frame, host);
		} else if (this.queueBytes > MAX_SOCKET_QUEUE_BYTES) {
			this.#lose();
			this.#waitForKeyFrame();
		} else {
			this.#sendPicture(frame, host);
		}
	}

	/** Whom the program shows by their real-time leg. Worth nothing later: without a connection it is not said. */
	sendLegs(realTime: readonly PersonId[]): void {
		const legs: CompositeLegs = { type: "legs", realTime: [...realTime] };
		if (this.#state === "publishing") {
			this.#socket?.open?.send(JSON.stringify(legs));
		}
	}

	sendAudio(frame: EncodedAudioFrame): void {
		this.#audioConfig = frame.config ?? this.#audioConfig;
		if (!this.#waitingForKeyFrame) {
			this.#write(frame);
		}
	}

	/** Ends it for good; may be called twice. */
	close(): void {
		this.#state = "ended";
		this.#socket?.close(CLOSE.done.code, "done");
	}

	/** On a new connection: nothing is known at the other end. */
	#begin(): void {
		this.#writer = new FlvFrameWriter();
		this.#shows = new ShowsLog();
		this.#drain = new DrainWatch();
		this.#bytesWritten = 0;
		this.#waitForKeyFrame();
		this.#askForKeyFrame();
	}

	#openWith(frame: EncodedVideoFrame, host: ShownHost | undefined): void {
		const isOpen = this.#socket?.open !== undefined && this.#state === "publishing";
		const mayStart = isOpen && this.soundKnown && frame.ptsUs >= this.#fromUs;
		if (!mayStart || this.queueBytes > RESUME_SOCKET_QUEUE_BYTES) {
			this.#keyFrameAsked = this.#keyFrameAsked && !frame.keyFrame;
			this.#lose();
			return;
		}
		if (!frame.keyFrame) {
			this.#askForKeyFrame();
			this.#lose();
			return;
		}
		this.#waitingForKeyFrame = false;
		const { ptsUs } = frame;
		if (this.#audioConfig !== undefined) {
			const nothing = { data: new Uint8Array(), ptsUs, dtsUs: ptsUs };
			this.#write({ track: "audio", codec: "aac", keyFrame: true, config: this.#audioConfig, ...nothing });
		}
		this.#sendPicture(this.#videoConfig === undefined ? frame : { ...frame, config: this.#videoConfig }, host);
	}

	#waitForKeyFrame(): void {
		this.#waitingForKeyFrame = true;
		this.#keyFrameAsked = false;
	}

	/** Once for each wait, for those already in the encoder come first. */
	#askForKeyFrame(): void {
		if (!this.#keyFrameAsked) {
			this.#keyFrameAsked = true;
			this.#options.onKeyFrameWanted();
		}
	}

	#sendPicture(frame: EncodedVideoFrame, host: ShownHost | undefined): void {
		if (this.#write(frame, host)) {
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
	#write(frame: EncodedFrame, host?: ShownHost): boolean {
		const socket = this.#state === "publishing" ? this.#socket?.open : undefined;
		if (socket === undefined) {
			this.#waitForKeyFrame();
			return false;
		}
		const tags = this.#writer.push(frame);
		for (const [index, tag] of tags.entries()) {
			// The picture's tag is the last; a configuration may come before it.
			if (frame.track === "video" && index === tags.length - 1) {
				this.#sayWhatItShows(socket, tag, frame.keyFrame, host);
			}
			const bytes = flvTagBytes(tag);
			socket.send(bytes as Uint8Array<ArrayBuffer>);
			this.#bytesWritten += bytes.byteLength;
			this.#videoBytesSent += frame.track === "video" ? bytes.byteLength : 0;
		}
		return true;
	}

	/** Right before that tag, for it is what the message speaks of. */
	#sayWhatItShows(socket: WebSocket, tag: FlvTag, keyFrame: boolean, host: ShownHost | undefined): void {
		const shows = this.#shows.next({ programMs: tag.timestampMs, keyFrame, host });
		if (shows !== undefined) {
			const text = JSON.stringify(shows);
			socket.send(text);
			this.#bytesWritten += text.length;
		}
	}

	#takeRequest(data: ArrayBuffer | string): void {
		const parsed = keyFrameRequestSchema.safeParse(parseJsonMessage(data));
		if (parsed.success) {
			this.#options.onKeyFrameRequest(parsed.data);
		} else {
			this.#options.onProblem(`program: expected a request for a key frame, got ${parsed.error.message}`);
		}
	}

	#endStuckLine(): void {
		const open = this.#socket?.open;
		if (open !== undefined && this.#drain.isStuck(this.#bytesWritten, open.bufferedAmount, this.#options.nowUs())) {
			this.#socket?.reconnect("expected the line to take the program, it has taken none for 5 s");
		}
	}
}
