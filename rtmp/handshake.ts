import { MalformedError } from "../media/bytes/byte-reader.ts";
import { ByteWriter } from "../media/bytes/byte-writer.ts";

/** RTMP's version, the whole of C0 and S0 (RTMP 1.0 §5.2.2). */
const VERSION = 3;

/** C1, S1, C2 and S2 (RTMP 1.0 §5.2.3, §5.2.4). */
export const HANDSHAKE_BYTES = 1536;

export interface HandshakeStep {
	/** Bytes to send now; may be empty. */
	readonly reply: Uint8Array;
	/** What came after the handshake; `undefined` while it goes on. */
	readonly rest: Uint8Array | undefined;
}

/**
 * One side of the simple handshake (RTMP 1.0 §5.2), incremental and the same for both sides but for who begins.
 *
 * Peers with digests (Flash, ffmpeg) show a version in bytes 4 to 8 of theirs and are answered simply all the same: a zero version in
 * ours tells them to go on without, and the echo they send in place of one is not looked at.
 *
 * @throws {MalformedError} when the peer's version is not 3, which ends what is no RTMP at its first byte
 */
export class Handshake {
	readonly #role: "client" | "server";
	readonly #random: Uint8Array;
	readonly #received = new Uint8Array(1 + 2 * HANDSHAKE_BYTES);
	#filled = 0;

	/** @param random 1528 bytes that need not be secret, only different from one connection to the next */
	constructor(role: "client" | "server", random: Uint8Array = randomBytes()) {
		this.#role = role;
		this.#random = random;
	}

	/** What to send before anything has come: a client's C0 and C1, nothing from a server. */
	start(): Uint8Array {
		return this.#role === "client" ? this.#hello() : new Uint8Array(0);
	}

	push(bytes: Uint8Array): HandshakeStep {
		const before = this.#filled;
		const taken = Math.min(bytes.length, this.#received.length - before);
		this.#received.set(bytes.subarray(0, taken), before);
		this.#filled += taken;
		const [version] = this.#received;
		if (this.#filled > 0 && version !== VERSION) {
			throw new MalformedError(`rtmp handshake: expected version ${VERSION}, got ${version}`);
		}
		const helloEnd = 1 + HANDSHAKE_BYTES;
		const reply =
			before < helloEnd && this.#filled >= helloEnd
				? this.#answer(this.#received.slice(1, helloEnd))
				: new Uint8Array(0);
		return { reply, rest: this.#filled === this.#received.length ? bytes.subarray(taken) : undefined };
	}

	/** C0 and C1, or S0 and S1. */
	#hello(): Uint8Array {
		return new ByteWriter(1 + HANDSHAKE_BYTES)
			.u8(VERSION)
			.u32(0) // time: epochs of 0
			.u32(0) // zero: no digest in here
			.bytes(this.#random)
			.finish();
	}

	/** The peer's C1 or S1 back to it, after our own hello if that is still owed. */
	#answer(echo: Uint8Array): Uint8Array {
		if (this.#role === "client") {
			return echo;
		}
		return new ByteWriter(1 + 2 * HANDSHAKE_BYTES).bytes(this.#hello()).bytes(echo).finish();
	}
}

function randomBytes(): Uint8Array {
	return crypto.getRandomValues(new Uint8Array(HANDSHAKE_BYTES - 8));
}
