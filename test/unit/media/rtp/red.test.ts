import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedError } from "../../../../media/bytes/byte-reader.ts";
import { type RedBlock, readRed } from "../../../../media/rtp/red.ts";
import { concat, hex, prefixes } from "../hex.ts";

/** RFC 2198 §3: F 1, block PT 7; where F is set also timestamp offset 14 and block length 10; the last header is one byte. */
const PAYLOADS: readonly {
	readonly name: string;
	readonly value: readonly RedBlock[];
	readonly bytes: Uint8Array;
	/** Bytes of what has to be there: any shorter is malformed. The last block only ends with the packet. */
	readonly needed: number;
}[] = [
	{
		name: "a primary alone",
		value: [{ payloadType: 111, earlierBy: 0, data: hex("780be4") }],
		bytes: hex("6f 780be4"),
		needed: 1,
	},
	{
		name: "one packet of 20 ms before, as Chromium sends it",
		value: [
			{ payloadType: 111, earlierBy: 960, data: hex("780be4c1") },
			{ payloadType: 111, earlierBy: 0, data: hex("7880f5") },
		],
		bytes: hex("ef 0f0004 6f 780be4c1 7880f5"),
		needed: 9,
	},
	{
		name: "two packets before",
		value: [
			{ payloadType: 111, earlierBy: 1_920, data: hex("01") },
			{ payloadType: 111, earlierBy: 960, data: hex("0203") },
			{ payloadType: 111, earlierBy: 0, data: hex("04") },
		],
		bytes: hex("ef 1e0001 ef 0f0002 6f 01 0203 04"),
		needed: 12,
	},
	{
		name: "the largest offset and length there are",
		value: [
			{ payloadType: 127, earlierBy: 0x3fff, data: new Uint8Array(0x3ff).fill(7) },
			{ payloadType: 0, earlierBy: 0, data: hex("08") },
		],
		bytes: concat(hex("ff ffffff 00"), new Uint8Array(0x3ff).fill(7), hex("08")),
		needed: 5 + 0x3ff,
	},
	{
		name: "nothing to be heard, before and now",
		value: [
			{ payloadType: 111, earlierBy: 960, data: hex("") },
			{ payloadType: 111, earlierBy: 0, data: hex("") },
		],
		bytes: hex("ef 0f0000 6f"),
		needed: 5,
	},
];

describe.each(PAYLOADS)("$name", ({ value, bytes, needed }) => {
	test("is read", () => {
		expect(readRed(bytes)).toEqual(value);
	});

	test("is refused when cut where a header or an earlier block is, and else loses of its last block only", () => {
		for (const cut of prefixes(bytes)) {
			if (cut.byteLength < needed) {
				expect(() => readRed(cut)).toThrow(MalformedError);
			} else {
				const last = value.at(-1);
				const data = last?.data.subarray(0, cut.byteLength - needed);
				expect(readRed(cut)).toEqual([...value.slice(0, -1), { ...last, data }]);
			}
		}
	});
});

test("makes blocks of whatever comes, that together are no more than it, or refuses it", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
			let blocks: readonly RedBlock[];
			try {
				blocks = readRed(payload);
			} catch (error) {
				expect(error).toBeInstanceOf(MalformedError);
				return;
			}
			const bytes = blocks.reduce((sum, { data }) => sum + data.byteLength, 0);
			expect(bytes + 4 * (blocks.length - 1) + 1).toBe(payload.byteLength);
			expect(blocks.at(-1)?.earlierBy).toBe(0);
		}),
	);
});
