import { MalformedError } from "../media/bytes/byte-reader.ts";
import type { FlvTag } from "../media/flv/tag.ts";
import {
	type AcceptorTimeouts,
	DEFAULT_ACCEPTOR_TIMEOUTS,
	DEFAULT_IDLE_TIMEOUT_MS,
	PublishRejection,
	type PublishRequest,
	type PublishSink,
	type RtmpAcceptorOptions,
} from "./acceptor-options.ts";
import { announceStart, welcome } from "./acceptor-replies.ts";
import { asString } from "./amf0.ts";
import { ByteChannel } from "./byte-channel.ts";
import { type Command, callFailed, onStatus, result } from "./command.ts";
import { type PublisherIdentity, readConnect } from "./connect-command.ts";
import { Deadline } from "./deadline.ts";
import { ACKNOWLEDGE_EVERY_MS, MAX_MESSAGE_STREAMS, MAX_STREAM_KEY_CHARS } from "./limits.ts";
import { MessageStream, type ReceivedMessage } from "./message-stream.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { ByteTransport } from "./transport.ts";

export {
	type AcceptorTimeouts,
	PublishRejection,
	type PublishRequest,
	type PublishSink,
	type RtmpAcceptorOptions,
} from "./acceptor-options.ts";

type AcceptorState = "handshaking" | "connecting" | "connected" | "authorizing" | "publishing" | "rejected" | "ended";

/**
 * The server's side of one RTMP connection, for publishers only: OBS, ffmpeg, GStreamer, hardware and Flash.
 *
 * One stream at a time; after `deleteStream` another may be published on the same connection. Whatever is malformed ends the
 * connection with an `onStatus` error that says what was expected.
 */
export class RtmpAcceptor {
	readonly #options: RtmpAcceptorOptions;
	readonly #timeouts: AcceptorTimeouts;
	readonly #timers: Timers;
	readonly #channel: ByteChannel;
	readonly #stream: MessageStream;
	readonly #deadline: Deadline;
	readonly #idle: SilenceWatch;
	readonly #ended = Promise.withResolvers<void>();
	#state: AcceptorState = "handshaking";
	#identity: PublisherIdentity = { app: "" };
	#streamsCreated = 0;
	#sink: PublishSink | undefined;
	/** The message stream that `publish` came on. */
	#streamId = 0;
	#sawFcPublish = false;
	#hasUnpublished = false;
	#cancelAcknowledging: () => void = () => {};

	constructor(transport: ByteTransport, options: RtmpAcceptorOptions) {
		this.#options = options;
		this.#timeouts = { ...DEFAULT_ACCEPTOR_TIMEOUTS, ...options.timeouts };
		this.#timers = options.timers ?? systemTimers;
		this.#channel = new ByteChannel(transport, this.#timers, this.#timeouts.stallMs);
		this.#stream = new MessageStream(this.#channel, options.limits);
		this.#deadline = new Deadline(this.#timers, (error) => this.#giveUp(error));
		const idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
		this.#idle = new SilenceWatch(
			this.#timers,
			idleTimeoutMs,
			() => this.#state === "publishing" && this.#channel.isReading,
			() => this.#giveUp(new Error(`rtmp: expected the publisher to send within ${idleTimeoutMs} ms, got silence`)),
		);
	}

	/** Resolves when the connection has ended; never rejects. Call it once. */
	run(): Promise<void> {
		this.#enter("handshaking");
		this.#converse().then(
			() => this.#end("the publisher closed the connection"),
			(error: Error) => this.#breakOff(error),
		);
		return this.#ended.promise;
	}

	/** Ends the stream with an `onStatus` error that the publisher gets to read, then the connection. */
	reject(code: string, description: string): void {
		if (this.#state === "rejected" || this.#state === "ended") {
			return;
		}
		const mayTalk = this.#state !== "handshaking";
		this.#endStream(description);
		this.#enter("rejected");
		if (!mayTalk) {
			this.#end(description);
			return;
		}
		// Closed for writing only: a full close would discard the error with whatever the publisher has still under way.
		this.#stream
			.sendCommand(onStatus("error", code, description), this.#streamId)
			.then(() => this.#channel.end())
			.catch((error: Error) => this.#breakOff(error));
	}

	/** Drops the connection at once. */
	close(): void {
		this.#end("closed by the server");
	}

	async #converse(): Promise<void> {
		await this.#stream.handshake("server");
		this.#enter("connecting");
		for (;;) {
			const received = await this.#receive();
			if (received === undefined) {
				return;
			}
			this.#idle.touch();
			for (const each of received) {
				const taken = this.#take(each);
				if (taken !== undefined) {
					await taken;
				}
			}
		}
	}

	async #receive(): Promise<ReceivedMessage[] | undefined> {
		if (this.#state === "rejected") {
			// Nothing it says matters any more, but it must be read until it leaves.
			return (await this.#channel.read()) === undefined ? undefined : [];
		}
		return await this.#stream.receive();
	}

	#take({ message, streamId }: ReceivedMessage): Promise<void> | undefined {
		if (this.#state === "rejected" || this.#state === "ended") {
			return undefined;
		}
		switch (message.kind) {
			case "tag":
				return this.#takeTag(message.tag);
			case "aggregate":
				return this.#takeTags(message.tags);
			case "command":
				return this.#takeCommand(message.command, streamId);
			default:
				return undefined;
		}
	}

	/** Tags before `publish` and after its end are nobody's; empty ones say nothing. */
	#takeTag(tag: FlvTag): Promise<void> | undefined {
		if (this.#sink === undefined || tag.body.length === 0) {
			return undefined;
		}
		try {
			const taken = this.#sink.onTag(tag);
			return taken instanceof Promise ? taken.catch((error: unknown) => this.#turnAway(error)) : undefined;
		} catch (error) {
			this.#turnAway(error);
			return undefined;
		}
	}

	async #takeTags(tags: readonly FlvTag[]): Promise<void> {
		for (const tag of tags) {
			await this.#takeTag(tag);
		}
	}

	async #takeCommand(command: Command, streamId: number): Promise<void> {
		const { name, transactionId, args } = command;
		if (this.#state === "connecting") {
			await this.#connect(command);
			return;
		}
		switch (name) {
			case "connect":
				throw new MalformedError("rtmp: expected connect once, got it again");
			case "createStream":
				await this.#createStream(transactionId);
				return;
			case "publish":
				await this.#publish(args, streamId);
				return;
			case "FCPublish":
				this.#sawFcPublish = true;
				await this.#answer(transactionId);
				return;
			case "releaseStream":
			case "getStreamLength":
			case "_checkbw":
				await this.#answer(transactionId);
				return;
			case "FCUnpublish":
			// Not answered: a publisher that leaves with an answer unread resets the connection, and loses its own last words.
			case "deleteStream":
			case "closeStream":
				// GStreamer names the stream here and others number it; there is only one it can mean.
				this.#unpublish();
				return;
			case "play":
			case "play2":
				this.#streamId = streamId;
				this.reject("NetStream.Play.Failed", `rtmp: expected publish, got ${name}`);
				return;
			default:
				await this.#answerUnknown(name, transactionId);
		}
	}

	async #connect(command: Command): Promise<void> {
		this.#identity = readConnect(command);
		await welcome(this.#stream, command);
		this.#enter("connected");
	}

	async #createStream(transactionId: number): Promise<void> {
		if (this.#streamsCreated >= MAX_MESSAGE_STREAMS) {
			throw new MalformedError(`rtmp: expected at most ${MAX_MESSAGE_STREAMS} streams on a connection, got one more`);
		}
		this.#streamsCreated += 1;
		await this.#stream.sendCommand(result(transactionId, null, this.#streamsCreated));
	}

	async #publish(args: Command["args"], streamId: number): Promise<void> {
		this.#streamId = streamId;
		const streamKey = asString(args[1]);
		if (this.#state !== "connected") {
			this.reject("NetStream.Publish.BadName", "rtmp: expected one publish at a time on a connection, got another");
		} else if (streamKey === undefined || streamKey === "" || streamKey.length > MAX_STREAM_KEY_CHARS) {
			this.reject("NetStream.Publish.BadName", "rtmp: expected a stream key, got none or one far too long");
		} else {
			await this.#authorize({ ...this.#identity, streamKey });
		}
	}

	async #authorize(request: PublishRequest): Promise<void> {
		this.#enter("authorizing");
		let sink: PublishSink;
		try {
			sink = await this.#options.onPublish(request);
		} catch (error) {
			this.#turnAway(error);
			return;
		}
		if (this.#state !== "authorizing") {
			sink.onEnd("the connection ended before the stream began");
			return;
		}
		this.#sink = sink;
		this.#enter("publishing");
		await announceStart(this.#stream, this.#streamId, this.#sawFcPublish);
	}

	#unpublish(): void {
		if (this.#state === "publishing") {
			this.#hasUnpublished = true;
			this.#endStream("the publisher ended the stream");
			this.#enter("connected");
		}
	}

	async #answer(transactionId: number): Promise<void> {
		if (transactionId !== 0) {
			await this.#stream.sendCommand(result(transactionId, null, undefined));
		}
	}

	async #answerUnknown(name: string, transactionId: number): Promise<void> {
		// Answers and notices (onStatus and the like) are not calls.
		if (transactionId !== 0 && !name.startsWith("_") && !name.startsWith("on")) {
			const description = "rtmp: expected a call that a publisher makes, got another";
			await this.#stream.sendCommand(callFailed(transactionId, "NetConnection.Call.Failed", description));
		}
	}

	#turnAway(error: unknown): void {
		if (error instanceof PublishRejection) {
			this.reject(error.code, error.message);
			return;
		}
		this.#report(
			error instanceof Error
				? error
				: new Error("rtmp: expected a decision on the publisher, got a throw", { cause: error }),
		);
		this.reject("NetStream.Failed", "the server failed");
	}

	/** How a peer leaves that was turned away or has said goodbye is no news: ffmpeg resets the connection. */
	get #isLeaving(): boolean {
		const saidGoodbye = this.#state === "connected" && this.#hasUnpublished;
		return saidGoodbye || this.#state === "rejected" || this.#state === "ended";
	}

	/** The conversation has ended by itself, for a reason of the peer's. */
	#breakOff(error: Error): void {
		if (this.#isLeaving) {
			this.#end(error.message);
		} else if (error instanceof MalformedError) {
			this.#giveUp(error);
			this.#drain();
		} else {
			this.#report(error);
			this.#end(error.message);
		}
	}

	/** The connection must not go on; the peer, which may still be there, is told why. */
	#giveUp(error: Error): void {
		if (this.#isLeaving) {
			this.#end(error.message);
		} else {
			this.#report(error);
			this.reject("NetStream.Failed", error.message);
		}
	}

	/** Reads on after the conversation itself has ended, so that the publisher gets to read our last word. */
	#drain(): void {
		const drained = async () => {
			while ((await this.#channel.read()) !== undefined) {}
		};
		drained().then(
			() => this.#end("the publisher closed the connection"),
			(error: Error) => this.#end(error.message),
		);
	}

	#report(error: Error): void {
		this.#options.onError?.(error);
	}

	#endStream(reason: string): void {
		const sink = this.#sink;
		this.#sink = undefined;
		this.#sawFcPublish = false;
		sink?.onEnd(reason);
	}

	#end(reason: string): void {
		if (this.#state === "ended") {
			return;
		}
		this.#endStream(reason);
		this.#enter("ended");
		this.#channel.fail(new Error(`rtmp: ${reason}`));
		this.#ended.resolve();
	}

	#enter(state: AcceptorState): void {
		this.#state = state;
		const { handshakeMs, connectMs, publishMs, authorizeMs, lingerMs } = this.#timeouts;
		this.#idle.stop();
		this.#cancelAcknowledging();
		switch (state) {
			case "handshaking":
				this.#deadline.expect("a handshake", handshakeMs);
				break;
			case "connecting":
				this.#deadline.expect("connect", connectMs);
				break;
			case "connected":
				this.#deadline.expect("publish", publishMs);
				break;
			case "authorizing":
				this.#deadline.expect("the server to decide", authorizeMs);
				break;
			case "publishing":
				this.#deadline.clear();
				this.#idle.start();
				this.#keepAcknowledging();
				break;
			case "rejected":
				this.#deadline.expect("the publisher to leave", lingerMs);
				break;
			case "ended":
				this.#deadline.clear();
				break;
		}
	}

	#keepAcknowledging(): void {
		this.#cancelAcknowledging = this.#timers.after(ACKNOWLEDGE_EVERY_MS, () => {
			this.#stream.acknowledgeNow().catch((error: Error) => this.#breakOff(error));
			this.#keepAcknowledging();
		});
	}
}
