import { ByteReader } from "../media/bytes/byte-reader.ts";
import { ByteWriter } from "../media/bytes/byte-writer.ts";

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** Left rotations by round (RFC 1321 §3.4). */
const ROTATIONS = [
	[7, 12, 17, 22],
	[5, 9, 14, 20],
	[4, 11, 16, 23],
	[6, 10, 15, 21],
] as const;

/** MD5 (RFC 1321), which WebCrypto lacks and Adobe's authentication is built on. Never use it for anything new. */
export function md5(message: Uint8Array): Uint8Array {
	let state: readonly number[] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
	const reader = new ByteReader(padded(message));
	while (reader.remaining > 0) {
		const words = Array.from({ length: 16 }, () => reader.u32le());
		const mixed = mixBlock(state, words);
		state = state.map((word, index) => (word + (mixed[index] ?? 0)) >>> 0);
	}
	const digest = new ByteWriter(16);
	for (const word of state) {
		digest.u32le(word);
	}
	return digest.finish();
}

// The message, a bit 1, zeros, and the length in bits as 64 bits little-endian (§3.1, §3.2).
function padded(message: Uint8Array): Uint8Array {
	const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
	const zeros = blocks * BLOCK_BYTES - message.length - 1 - LENGTH_BYTES;
	return new ByteWriter(blocks * BLOCK_BYTES)
		.bytes(message)
		.u8(0x80)
		.bytes(new Uint8Array(zeros))
		.u32le(message.length * 8)
		.u32le(Math.floor(message.length / 0x20000000))
		.finish();
}

function mixBlock(state: readonly number[], words: readonly number[]): readonly number[] {
	let [a = 0, b = 0, c = 0, d = 0] = state;
	for (let step = 0; step < 64; step += 1) {
		const round = step >> 4;
		const { mix, word } = roundOf(round, step, b, c, d);
		const constant = Math.floor(Math.abs(Math.sin(step + 1)) * 0x100000000);
		const sum = (a + mix + constant + (words[word] ?? 0)) >>> 0;
		const rotation = ROTATIONS[round]?.[step & 3] ?? 0;
		const rotated = (sum << rotation) | (sum >>> (32 - rotation));
		[a, b, c, d] = [d, (b + rotated) >>> 0, b, c];
	}
	return [a, b, c, d];
}

function roundOf(round: number, step: number, b: number, c: number, d: number): { mix: number; word: number } {
	switch (round) {
		case 0:
			return { mix: (b & c) | (~b & d), word: step };
		case 1:
			return { mix: (d & b) | (~d & c), word: (5 * step + 1) % 16 };
		case 2:
			return { mix: b ^ c ^ d, word: (3 * step + 5) % 16 };
		default:
			return { mix: c ^ (b | ~d), word: (7 * step) % 16 };
	}
}
