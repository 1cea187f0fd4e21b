import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { HANDSHAKE_BYTES, Handshake } from "../../../rtmp/handshake.ts";

const random = (seed: number) => Uint8Array.from({ length: HANDSHAKE_BYTES - 8 }, (_, index) => (index * seed) & 0xff);
const concat = (...parts: readonly Uint8Array[]) =>
	parts.reduce((all, part) => all.bytes(part), new ByteWriter()).finish();
const theirs = Uint8Array.from({ length: HANDSHAKE_BYTES }, (_, index) => (index * 3) & 0xff);

describe("rtmp handshake", () => {
	it("as client sends C0 = 3 and a C1 of version zero, echoes S1, and hands on what follows S2", () => {
		const client = new Handshake("client", random(7));
		const hello = client.start();
		expect(hello).toEqual(concat(Uint8Array.of(3), new Uint8Array(8), random(7)));

		const step = client.push(concat(Uint8Array.of(3), theirs, hello.slice(1), Uint8Array.of(9, 8)));
		expect(step.reply).toEqual(theirs);
		expect(step.rest).toEqual(Uint8Array.of(9, 8));
	});

	it("as server waits for C1, answers with S0, S1 and its echo, and hands on what follows C2", () => {
		const server = new Handshake("server", random(5));
		expect(server.start().length).toBe(0);
		const step = server.push(concat(Uint8Array.of(3), theirs));
		expect(step.reply).toEqual(concat(Uint8Array.of(3), new Uint8Array(8), random(5), theirs));
		expect(step.rest).toBeUndefined();
		// A peer with digests sends something of its own in place of the echo.
		expect(server.push(concat(theirs, Uint8Array.of(2))).rest).toEqual(Uint8Array.of(2));
	});

	it.each(["client", "server"] as const)("as %s says the same however it is cut", (role) => {
		const input = concat(Uint8Array.of(3), theirs, theirs, Uint8Array.of(1));
		for (const piece of [1, 7, 1536, 1537, 3072]) {
			const handshake = new Handshake(role, random(5));
			const steps = [];
			for (let at = 0; at < input.length; at += piece) {
				steps.push(handshake.push(input.subarray(at, at + piece)));
			}
			const replies = steps.filter(({ reply }) => reply.length > 0);
			expect(replies.map(({ reply }) => reply)).toEqual([
				role === "client" ? theirs : concat(Uint8Array.of(3), new Uint8Array(8), random(5), theirs),
			]);
			expect(steps.at(-1)?.rest).toEqual(Uint8Array.of(1));
		}
	});

	it.each([
		["HTTP", 0x47],
		["TLS", 0x16],
		["encrypted RTMP", 6],
		["nothing", 0],
	])("ends %s at the first byte", (_, first) => {
		const server = new Handshake("server");
		expect(() => server.push(Uint8Array.of(first))).toThrow(`rtmp handshake: expected version 3, got ${first}`);
	});

	it("differs from one connection to the next", () => {
		expect(new Handshake("client").start()).not.toEqual(new Handshake("client").start());
	});
});
