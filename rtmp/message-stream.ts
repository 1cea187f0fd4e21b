import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";
import { AcknowledgementCounter } from "./acknowledgement.ts";
import type { ByteChannel } from "./byte-channel.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import type { Command } from "./command.ts";
import { Handshake } from "./handshake.ts";
import { ACKNOWLEDGE_EVERY_BYTES, type ChunkLimits, OUR_WINDOW_BYTES } from "./limits.ts";
import { encodeMessage, type RtmpMessage, readMessage, USER_CONTROL } from "./message.ts";

/** Chunk streams by purpose; all below 32, which is as far as nginx-rtmp counts. Protocol control must use 2 (RTMP 1.0 §5.4). */
const CHUNK_STREAM = { control: 2, command: 3, audio: 4, video: 6, publish: 8 } as const;

export interface ReceivedMessage {
	readonly message: RtmpMessage;
	/** The message stream it came on. */
	readonly streamId: number;
}

/**
 * RTMP messages over a channel, from the handshake on. Acknowledges, answers pings and keeps to the peer's windows by itself.
 *
 * Never waits for the peer's acknowledgements: node-media-server sends none, and YouTube's come once a window.
 */
export class MessageStream {
	readonly #channel: ByteChannel;
	readonly #reader: ChunkReader;
	readonly #writer = new ChunkWriter();
	readonly #acknowledgement = new AcknowledgementCounter(ACKNOWLEDGE_EVERY_BYTES);
	/** Bytes that came with the handshake's last. */
	#early: Uint8Array = new Uint8Array(0);
	#announcedWindowBytes = 0;

	constructor(channel: ByteChannel, limits: Partial<ChunkLimits> = {}) {
		this.#channel = channel;
		this.#reader = new ChunkReader(limits);
	}

	/** @throws {Error} when the peer leaves, breaks or is no RTMP peer */
	async handshake(role: "client" | "server"): Promise<void> {
		const handshake = new Handshake(role);
		if (role === "client") {
			await this.#channel.write(handshake.start());
		}
		for (;;) {
			const bytes = await this.#channel.read();
			if (bytes === undefined) {
				throw new Error("rtmp handshake: expected the peer's part of it, got the end of the connection");
			}
			const { reply, rest } = handshake.push(bytes);
			this.#acknowledgement.add(bytes.length - (rest?.length ?? 0));
			if (reply.length > 0) {
				await this.#channel.write(reply);
			}
			if (rest !== undefined) {
				this.#early = rest;
				return;
			}
		}
	}

	/** The next messages that are not the protocol's own business, possibly none; `undefined` at the end. */
	async receive(): Promise<ReceivedMessage[] | undefined> {
		const bytes = await this.#nextBytes();
		if (bytes === undefined) {
			return undefined;
		}
		this.#acknowledgement.add(bytes.length);
		const received: ReceivedMessage[] = [];
		for (const chunkMessage of this.#reader.push(bytes)) {
			const message = readMessage(chunkMessage);
			// Waiting for our own small answers keeps a peer that does not read them from filling our memory.
			const answered = this.#answer(message);
			if (answered === undefined) {
				received.push({ message, streamId: chunkMessage.streamId });
			} else {
				await answered;
			}
		}
		await this.#acknowledge(this.#acknowledgement.takeDue());
		return received;
	}

	/** Acknowledges whatever is not acknowledged yet, for peers that want to hear from us by the clock. */
	acknowledgeNow(): Promise<void> {
		return this.#acknowledge(this.#acknowledgement.takeAny());
	}

	sendCommand(command: Command, streamId = 0): Promise<void> {
		const chunkStreamId = streamId === 0 ? CHUNK_STREAM.command : CHUNK_STREAM.publish;
		return this.#send({ kind: "command", command }, chunkStreamId, streamId, 0);
	}

	/** Protocol and user control messages. */
	sendControl(message: RtmpMessage): Promise<void> {
		if (message.kind === "window-acknowledgement-size") {
			this.#announcedWindowBytes = message.windowBytes;
		}
		return this.#send(message, CHUNK_STREAM.control, 0, 0);
	}

	sendTag(tag: FlvTag, streamId: number): Promise<void> {
		const chunkStreamId =
			tag.type === TAG_TYPE.video
				? CHUNK_STREAM.video
				: tag.type === TAG_TYPE.audio
					? CHUNK_STREAM.audio
					: CHUNK_STREAM.publish;
		return this.#send({ kind: "tag", tag }, chunkStreamId, streamId, tag.timestampMs >>> 0);
	}

	#send(message: RtmpMessage, chunkStreamId: number, streamId: number, timestampMs: number): Promise<void> {
		const { typeId, payload } = encodeMessage(message);
		return this.#channel.write(this.#writer.write({ chunkStreamId, streamId, typeId, timestampMs, payload }));
	}

	async #nextBytes(): Promise<Uint8Array | undefined> {
		if (this.#early.length > 0) {
			const early = this.#early;
			this.#early = new Uint8Array(0);
			return early;
		}
		return await this.#channel.read();
	}

	/** What the protocol itself answers; `undefined` for a message that is not its business. */
	#answer(message: RtmpMessage): Promise<void> | undefined {
		switch (message.kind) {
			case "window-acknowledgement-size":
				this.#acknowledgement.windowBytes = message.windowBytes;
				return Promise.resolve();
			case "set-peer-bandwidth":
				// §5.4.5 asks for our window in return when it is not the one announced last.
				return this.#announcedWindowBytes === 0
					? this.sendControl({ kind: "window-acknowledgement-size", windowBytes: OUR_WINDOW_BYTES })
					: Promise.resolve();
			case "user-control":
				return message.event === USER_CONTROL.pingRequest
					? this.sendControl({ kind: "user-control", event: USER_CONTROL.pingResponse, data: message.data })
					: Promise.resolve();
			case "acknowledgement":
			case "ignored":
				return Promise.resolve();
			default:
				return undefined;
		}
	}

	async #acknowledge(sequenceNumber: number | undefined): Promise<void> {
		if (sequenceNumber !== undefined) {
			await this.sendControl({ kind: "acknowledgement", sequenceNumber });
		}
	}
}
