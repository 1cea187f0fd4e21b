import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import type { Amf0Value } from "../../../rtmp/amf0.ts";
import { type ChunkHeader, needsExtendedTimestamp, writeChunkHeader } from "../../../rtmp/chunk-header.ts";
import { type ChunkMessage, ChunkReader } from "../../../rtmp/chunk-reader.ts";
import { type Command, commandPayload, readCommand } from "../../../rtmp/command.ts";
import { HANDSHAKE_BYTES } from "../../../rtmp/handshake.ts";
import type { ByteTransport } from "../../../rtmp/transport.ts";

/** The chunks of one message whose first header is given, cut at `chunkSize`. */
export function chunksOf(
	header: ChunkHeader,
	payload: Uint8Array,
	chunkSize: number,
	repeatExtended = true,
): Uint8Array {
	const time = header.format === 3 ? 0 : header.timestampMs;
	const extended = repeatExtended && needsExtendedTimestamp(time) ? time : undefined;
	const writer = new ByteWriter();
	writeChunkHeader(writer, header, extended);
	writer.bytes(payload.subarray(0, chunkSize));
	for (let at = chunkSize; at < payload.length; at += chunkSize) {
		writeChunkHeader(writer, { format: 3, chunkStreamId: header.chunkStreamId }, extended);
		writer.bytes(payload.subarray(at, at + chunkSize));
	}
	return writer.finish();
}

/** Where and when a message of a script goes. */
export interface Place {
	readonly csid: number;
	readonly msid?: number;
	readonly timestampMs?: number;
}

/** Says RTMP as one peer's recording says it, byte for byte, and notes what it is told. */
export class ScriptedPeer {
	readonly #transport: ByteTransport;
	readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
	readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
	readonly #chunks = new ChunkReader();
	readonly #waiting: ChunkMessage[] = [];
	#chunkSize = 128;
	#early = new Uint8Array(0);

	constructor(transport: ByteTransport) {
		this.#transport = transport;
		this.#writer = transport.writable.getWriter();
		this.#reader = transport.readable.getReader();
	}

	send(bytes: Uint8Array): Promise<void> {
		return this.#writer.write(bytes);
	}

	/** As client: C0, C1 and, when the server has spoken, C2. */
	async handshakeAsClient(c1: Uint8Array = new Uint8Array(HANDSHAKE_BYTES)): Promise<void> {
		await this.send(new ByteWriter().u8(3).bytes(c1).finish());
		const answer = await this.#exactly(1 + 2 * HANDSHAKE_BYTES);
		await this.send(answer.slice(1, 1 + HANDSHAKE_BYTES));
	}

	/** As server: S0, S1 and S2 when C0 and C1 are in; C2 is read and not looked at. */
	async handshakeAsServer(): Promise<Uint8Array> {
		const hello = await this.#exactly(1 + HANDSHAKE_BYTES);
		await this.send(
			new ByteWriter().u8(3).bytes(new Uint8Array(HANDSHAKE_BYTES).fill(7)).bytes(hello.slice(1)).finish(),
		);
		return await this.#exactly(HANDSHAKE_BYTES);
	}

	async message(typeId: number, payload: Uint8Array, { csid, msid = 0, timestampMs = 0 }: Place): Promise<void> {
		const header = {
			format: 0,
			chunkStreamId: csid,
			timestampMs,
			length: payload.length,
			typeId,
			streamId: msid,
		} as const;
		await this.send(chunksOf(header, payload, this.#chunkSize));
	}

	async setChunkSize(chunkSize: number): Promise<void> {
		await this.message(1, new ByteWriter().u32(chunkSize).finish(), { csid: 2 });
		this.#chunkSize = chunkSize;
	}

	async call(place: Place, name: string, transactionId: number, ...args: readonly Amf0Value[]): Promise<void> {
		await this.message(20, commandPayload({ name, transactionId, args }), place);
	}

	/** The next message, or `undefined` at the end of the connection. */
	async next(): Promise<ChunkMessage | undefined> {
		for (;;) {
			const message = this.#waiting.shift();
			if (message !== undefined) {
				return message;
			}
			const bytes = await this.#bytes();
			if (bytes === undefined) {
				return undefined;
			}
			this.#waiting.push(...this.#chunks.push(bytes));
		}
	}

	/** The next message of a type; those before it are passed over. */
	async nextOfType(typeId: number): Promise<ChunkMessage> {
		for (;;) {
			const message = await this.next();
			if (message === undefined) {
				throw new Error(`scripted peer: expected a message of type ${typeId}, got the end of the connection`);
			}
			if (message.typeId === typeId) {
				return message;
			}
		}
	}

	/** The next command, which must have this name. */
	async nextCommand(name: string): Promise<Command> {
		const command = readCommand((await this.nextOfType(20)).payload);
		if (command.name !== name) {
			throw new Error(`scripted peer: expected ${name}, got ${command.name} ${JSON.stringify(command.args)}`);
		}
		return command;
	}

	/** Resolves when the other side has ended the connection; what it still says is passed over. */
	async ended(): Promise<void> {
		while ((await this.next()) !== undefined) {}
	}

	/** Ends our direction, as a publisher does that leaves. */
	end(): Promise<void> {
		return this.#writer.close();
	}

	close(): void {
		this.#transport.close();
	}

	async #bytes(): Promise<Uint8Array | undefined> {
		if (this.#early.length > 0) {
			const early = this.#early;
			this.#early = new Uint8Array(0);
			return early;
		}
		return (await this.#reader.read()).value;
	}

	async #exactly(length: number): Promise<Uint8Array> {
		const writer = new ByteWriter(length);
		while (writer.length < length) {
			const bytes = await this.#bytes();
			if (bytes === undefined) {
				throw new Error(
					`scripted peer: expected ${length} bytes, got the end of the connection after ${writer.length}`,
				);
			}
			const taken = bytes.subarray(0, length - writer.length);
			writer.bytes(taken);
			this.#early = bytes.slice(taken.length);
		}
		return writer.finish();
	}
}
