import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";
import type { Amf0Value } from "./amf0.ts";
import { ByteChannel } from "./byte-channel.ts";
import { type Command, statusInfo } from "./command.ts";
import { connectCommand } from "./connect-command.ts";
import { metadataTagBody, type StreamMetadata } from "./data-message.ts";
import { Deadline } from "./deadline.ts";
import { MAX_REDIALS, OUR_CHUNK_SIZE } from "./limits.ts";
import { MessageStream, type ReceivedMessage } from "./message-stream.ts";
import {
	CLOSED_AFTER_START,
	DEFAULT_PUBLISHER_TIMEOUTS,
	type PublisherStep,
	type PublisherTimeouts,
	type RtmpCloseReason,
	type RtmpPublisherOptions,
} from "./publisher-options.ts";
import { RtmpCurtError, RtmpRedialError, RtmpRefusedError, refusalOf } from "./refusal.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { ByteTransport } from "./transport.ts";
import type { RtmpUrl } from "./url.ts";

export type { StreamMetadata } from "./data-message.ts";
export {
	CLOSED_AFTER_START,
	type PublisherTimeouts,
	type RtmpCloseReason,
	type RtmpPublisherOptions,
} from "./publisher-options.ts";
export {
	RtmpAuthRequiredError,
	RtmpBusyError,
	RtmpCurtError,
	RtmpRedialError,
	RtmpRedirectError,
	RtmpRefusedError,
} from "./refusal.ts";

/** How long a server's last word may take to be read once we can send no more. */
const LAST_WORD_MS = 500;

type PublisherState = "connecting" | "publishing" | "closing" | "closed";

interface Transaction {
	readonly name: string;
	readonly args: readonly Amf0Value[];
}

/**
 * Publishes one stream to a server that we did not write.
 *
 * Waits for nothing but the answers to `connect` and `createStream` and for Publish.Start, since not every server answers the rest.
 */
export class RtmpPublisher {
	readonly #url: RtmpUrl;
	readonly #timeouts: PublisherTimeouts;
	readonly #timers: Timers;
	readonly #channel: ByteChannel;
	readonly #stream: MessageStream;
	readonly #deadline: Deadline;
	readonly #onStep: (step: PublisherStep) => void;
	readonly #closed = Promise.withResolvers<RtmpCloseReason>();
	/** Messages that came with the one last waited for. */
	#waiting: ReceivedMessage[] = [];
	#state: PublisherState = "connecting";
	#settled = false;
	#cancelSettling: () => void = () => {};
	#cancelLastWord: () => void = () => {};
	#lastTransactionId = 0;
	#streamId = 0;
	#lastTimestampMs = 0;
	#closing: Promise<void> | undefined;

	/**
	 * Resolves after `NetStream.Publish.Start`.
	 *
	 * @throws {RtmpRefusedError} when trying again is of no use
	 * @throws {RtmpBusyError} when the server still holds another session of this stream
	 * @throws {RtmpCurtError} when it closes the connection instead of answering `publish`
	 * @throws {RtmpRedialError} when a new connection to `next` is wanted (redirect, authentication); {@link RtmpPublisher.dial} makes it
	 * @throws {Error} for everything else: it may do later
	 */
	static async connect(transport: ByteTransport, options: RtmpPublisherOptions): Promise<RtmpPublisher> {
		const publisher = new RtmpPublisher(transport, options);
		const { signal } = options;
		const abort = () =>
			publisher.#channel.fail(new Error("rtmp: expected to go on connecting, got aborted", { cause: signal?.reason }));
		signal?.addEventListener("abort", abort, { once: true });
		try {
			if (signal?.aborted) {
				abort();
			}
			await publisher.#open();
			return publisher;
		} catch (error) {
			publisher.#finish({ kind: "local", message: "rtmp: the connection was not made" });
			throw error;
		} finally {
			signal?.removeEventListener("abort", abort);
		}
	}

	/**
	 * Like {@link RtmpPublisher.connect}, and goes where the server sends it, each time over a new transport.
	 *
	 * @param open makes a transport to a URL; it is also the place to check where a server sends us
	 */
	static async dial(
		open: (url: RtmpUrl) => Promise<ByteTransport>,
		options: RtmpPublisherOptions,
	): Promise<RtmpPublisher> {
		let { url } = options;
		for (let redials = 0; ; redials += 1) {
			try {
				return await RtmpPublisher.connect(await open(url), { ...options, url });
			} catch (error) {
				if (!(error instanceof RtmpRedialError)) {
					throw error;
				}
				if (redials >= MAX_REDIALS) {
					const message = `rtmp: expected at most ${MAX_REDIALS} redirects and rounds of authentication, got one more`;
					throw new RtmpRefusedError("NetConnection.Connect.Rejected", message);
				}
				url = error.next;
			}
		}
	}

	private constructor(transport: ByteTransport, options: RtmpPublisherOptions) {
		this.#url = options.url;
		this.#timeouts = { ...DEFAULT_PUBLISHER_TIMEOUTS, ...options.timeouts };
		this.#timers = options.timers ?? systemTimers;
		this.#onStep = options.onStep ?? (() => {});
		this.#channel = new ByteChannel(transport, this.#timers, this.#timeouts.stallMs);
		this.#stream = new MessageStream(this.#channel);
		this.#deadline = new Deadline(this.#timers, (error) => this.#channel.fail(error));
	}

	/** Resolves once the connection is gone; never rejects. */
	get closed(): Promise<RtmpCloseReason> {
		return this.#closed.promise;
	}

	/** Bytes the transport has taken, handshake and headers included. */
	get bytesSent(): number {
		return this.#channel.bytesSent;
	}

	/** Sends `@setDataFrame` `onMetaData` at the time of the last tag. */
	sendMetadata(metadata: StreamMetadata): Promise<void> {
		return this.sendTag({ type: TAG_TYPE.script, timestampMs: this.#lastTimestampMs, body: metadataTagBody(metadata) });
	}

	/**
	 * Resolves when the transport took the tag: await it for back-pressure. Times are taken modulo 2^32.
	 *
	 * @throws {Error} when the connection is gone; {@link closed} says why
	 */
	async sendTag(tag: FlvTag): Promise<void> {
		if (this.#state !== "publishing") {
			throw new Error(`rtmp: expected to send on an open connection, got one that is ${this.#state}`);
		}
		this.#lastTimestampMs = tag.timestampMs;
		try {
			await this.#stream.sendTag(tag, this.#streamId);
		} catch (error) {
			this.#failSoon(
				error instanceof Error ? error : new Error("rtmp: expected to send, got a throw", { cause: error }),
			);
			throw error;
		}
	}

	/**
	 * Ends the connection; may be called twice. `final` tells the server that the stream is over; without it the line is just dropped, so
	 * that the broadcast may be taken up again.
	 */
	close(options: { final: boolean }): Promise<void> {
		this.#closing ??= this.#close(options.final);
		return this.#closing;
	}

	async #open(): Promise<void> {
		this.#deadline.expect("the server's handshake", this.#timeouts.handshakeMs);
		await this.#stream.handshake("client");
		this.#onStep("handshake");
		await this.#said(this.#stream.sendControl({ kind: "set-chunk-size", chunkSize: OUR_CHUNK_SIZE }));

		this.#deadline.expect("connect's answer", this.#timeouts.connectMs);
		const connect = connectCommand(this.#nextTransactionId(), this.#url);
		await this.#said(this.#stream.sendCommand(connect));
		await this.#answerTo(connect);
		this.#onStep("connect");

		this.#deadline.expect("createStream's answer", this.#timeouts.createStreamMs);
		const key = this.#url.streamKey;
		await this.#call({ name: "releaseStream", args: [null, key] });
		await this.#call({ name: "FCPublish", args: [null, key] });
		const createStream = await this.#call({ name: "createStream", args: [null] });
		this.#streamId = readStreamId(await this.#answerTo(createStream));

		this.#deadline.expect("NetStream.Publish.Start", this.#timeouts.publishMs);
		await this.#call({ name: "publish", args: [null, key, "live"] }, this.#streamId);
		await this.#publishStart();
		this.#onStep("publish");
		this.#deadline.clear();
		this.#beginPublishing();
	}

	#beginPublishing(): void {
		this.#state = "publishing";
		this.#cancelSettling = this.#timers.after(this.#timeouts.settleMs, () => {
			this.#settled = true;
		});
		this.#listen().then(
			() => this.#lost("rtmp: expected the connection to stay, got closed by the server"),
			(error: Error) => this.#lost(error.message),
		);
	}

	#nextTransactionId(): number {
		this.#lastTransactionId += 1;
		return this.#lastTransactionId;
	}

	async #call({ name, args }: Transaction, streamId = 0): Promise<Command> {
		const command = { name, transactionId: this.#nextTransactionId(), args };
		await this.#said(this.#stream.sendCommand(command, streamId));
		return command;
	}

	/** A command that cannot be sent is no error yet: what the server said before it left tells more, and may still be on its way. */
	#said(sending: Promise<void>): Promise<void> {
		return sending.catch((error: Error) => this.#failSoon(error));
	}

	#failSoon(error: Error): void {
		if (this.#state !== "closed") {
			this.#cancelLastWord();
			this.#cancelLastWord = this.#timers.after(LAST_WORD_MS, () => this.#channel.fail(error));
		}
	}

	/** The `_result` of a call; an error status or the `_error` of it is thrown. Answers to other calls do not matter. */
	async #answerTo(call: Command): Promise<Command> {
		for (;;) {
			const command = await this.#nextCommand(call.name);
			if (command.transactionId === call.transactionId && command.name === "_result") {
				return command;
			}
			if (command.transactionId === call.transactionId && command.name === "_error") {
				throw this.#refusal(call.name, command);
			}
			this.#throwOnErrorStatus(call.name, command);
		}
	}

	async #publishStart(): Promise<void> {
		for (;;) {
			const command = await this.#nextCommand("publish");
			if (command.name === "_error" && command.transactionId === this.#lastTransactionId) {
				throw this.#refusal("publish", command);
			}
			if (command.name === "onStatus" && statusInfo(command).code === "NetStream.Publish.Start") {
				return;
			}
			this.#throwOnErrorStatus("publish", command);
		}
	}

	#throwOnErrorStatus(step: string, command: Command): void {
		if (command.name === "onStatus" && statusInfo(command).level === "error") {
			throw this.#refusal(step, command);
		}
	}

	async #nextCommand(step: string): Promise<Command> {
		for (;;) {
			for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
				if (next.message.kind === "command") {
					await this.#answerBandwidthCheck(next.message.command);
					return next.message.command;
				}
			}
			const received = await this.#stream.receive();
			if (received === undefined) {
				const message = `rtmp: expected ${step} to be answered, got the end of the connection`;
				throw step === "publish" ? new RtmpCurtError(message) : new Error(message);
			}
			this.#waiting = received;
		}
	}

	async #answerBandwidthCheck(command: Command): Promise<void> {
		if (command.name === "onBWDone") {
			await this.#call({ name: "_checkbw", args: [null] });
		}
	}

	/** After Publish.Start: what a server may still say, until it has no more to say. */
	async #listen(): Promise<void> {
		for (;;) {
			const received = this.#waiting.length > 0 ? this.#waiting : await this.#stream.receive();
			this.#waiting = [];
			if (received === undefined) {
				return;
			}
			for (const { message } of received) {
				if (message.kind === "command") {
					await this.#heed(message.command);
				}
			}
		}
	}

	async #heed(command: Command): Promise<void> {
		await this.#answerBandwidthCheck(command);
		if (command.name === "close") {
			throw new Error("rtmp: expected the connection to stay, got told to close");
		}
		if (command.name !== "onStatus") {
			return;
		}
		const { level, code } = statusInfo(command);
		if (level === "error" || code === "NetConnection.Connect.Closed") {
			const refusal = this.#refusal("publishing", command);
			const refused = refusal instanceof RtmpRefusedError;
			const mayBeBusy = refused && refusal.mayBeBusy && !this.#settled;
			this.#finish({
				kind: refused ? "refused" : "broken",
				message: refusal.message,
				code,
				...(mayBeBusy && { mayBeBusy }),
			});
		}
	}

	#lost(message: string): void {
		this.#finish(
			this.#settled
				? { kind: "broken", message }
				: {
						kind: "refused",
						message: `rtmp: expected the server to keep the stream, got Publish.Start and then nothing (${message})`,
						code: CLOSED_AFTER_START,
					},
		);
	}

	async #close(final: boolean): Promise<void> {
		if (this.#state === "publishing" && final) {
			this.#state = "closing";
			this.#deadline.expect("the server to take our goodbye", this.#timeouts.closeMs);
			try {
				await this.#call({ name: "FCUnpublish", args: [null, this.#url.streamKey] });
				await this.#call({ name: "deleteStream", args: [null, this.#streamId] });
				await this.#channel.end();
				// The server closes when it has read all; closing before it would cut off what is still under way.
				await this.#closed.promise;
			} catch {
				// A server that is gone already needs no goodbye.
			}
		}
		this.#finish({ kind: "local", message: "rtmp: closed by us" });
	}

	#finish(reason: RtmpCloseReason): void {
		if (this.#state === "closed") {
			return;
		}
		const local = this.#state === "closing";
		this.#state = "closed";
		this.#deadline.clear();
		this.#cancelSettling();
		this.#cancelLastWord();
		this.#channel.fail(new Error(reason.message));
		this.#closed.resolve(local ? { kind: "local", message: "rtmp: closed by us" } : reason);
	}

	#refusal(step: string, command: Command): Error {
		const random = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0"));
		return refusalOf(step, statusInfo(command), this.#url, random.join(""));
	}
}

function readStreamId(answer: Command): number {
	const streamId = answer.args.find((value) => typeof value === "number");
	if (typeof streamId !== "number" || !Number.isInteger(streamId) || streamId < 0 || streamId > 0xffffffff) {
		throw new Error("rtmp: expected createStream's answer to hold a stream id, got none");
	}
	return streamId;
}
