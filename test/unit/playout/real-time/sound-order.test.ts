import fc from "fast-check";
import { expect, test } from "vitest";
import { SoundOrder, type SoundPacket } from "../../../../playout/real-time/sound-order.ts";

const OPUS = 111;
const TICKS = 960;
/** The time, the sequence number and the redundancy's place all wrap in mid-test. */
const FIRST_RTP = 2 ** 32 - 3 * TICKS;
const FIRST_SEQUENCE = 65_534;

const rtpOf = (index: number) => (FIRST_RTP + index * TICKS) % 2 ** 32;
const soundOf = (index: number) => Uint8Array.of(index >> 8, index & 0xff, 1);

/** Packet `index`, with the `redundancy` before it in front (RFC 2198 §3). */
function packet(index: number, redundancy: number, arrivalUs: number): SoundPacket {
	const earlier = Array.from({ length: Math.min(redundancy, index) }, (_, at) => Math.min(redundancy, index) - at);
	const headers = earlier.flatMap((back) => {
		const word = ((back * TICKS) << 10) | soundOf(index - back).byteLength;
		return [0x80 | OPUS, (word >> 16) & 0xff, (word >> 8) & 0xff, word & 0xff];
	});
	const red = [...headers, OPUS, ...earlier.flatMap((back) => [...soundOf(index - back)]), ...soundOf(index)];
	return {
		rtpTimestamp: rtpOf(index),
		sequenceNumber: (FIRST_SEQUENCE + index) % 65_536,
		isRed: redundancy > 0,
		payload: redundancy > 0 ? Uint8Array.from(red) : soundOf(index),
		arrivalUs,
	};
}

interface Heard {
	readonly index: number;
	readonly recovered: boolean;
	readonly atMs: number;
}

/** Packets as they come: each number is one of 20 ms, `arrivals` in order of time. */
function hear(arrivals: readonly { readonly index: number; readonly atMs: number }[], redundancy: number): Heard[] {
	const order = new SoundOrder();
	const heard: Heard[] = [];
	const endMs = (arrivals.at(-1)?.atMs ?? 0) + 200;
	for (let atMs = 0; atMs <= endMs; atMs += 1) {
		const frames = [
			...arrivals
				.filter((each) => each.atMs === atMs)
				.flatMap(({ index }) => order.push(packet(index, redundancy, atMs * 1_000), atMs * 1_000)),
			...order.tick(atMs * 1_000),
		];
		for (const { data, recovered, rtpTimestamp } of frames) {
			const index = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
			expect(rtpTimestamp).toBe(rtpOf(index));
			heard.push({ index, recovered, atMs });
		}
	}
	return heard;
}

const steady = (count: number) => Array.from({ length: count }, (_, index) => ({ index, atMs: index * 20 }));

test("hands steady sound on as it comes, with redundancy and without", () => {
	for (const redundancy of [0, 1, 2]) {
		expect(hear(steady(10), redundancy)).toEqual(
			steady(10).map(({ index, atMs }) => ({ index, recovered: false, atMs })),
		);
	}
});

test("takes a lost packet from the next, at once", () => {
	const heard = hear(
		steady(8).filter(({ index }) => index !== 3),
		1,
	);
	expect(heard.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	expect(heard[3]).toEqual({ index: 3, recovered: true, atMs: 80 });
	expect(heard.filter(({ recovered }) => recovered)).toHaveLength(1);
});

test("takes what it can of a longer loss, after what may have been overtaken has had its time", () => {
	const heard = hear(
		steady(10).filter(({ index }) => index < 3 || index > 5),
		1,
	);
	expect(heard.map(({ index }) => index)).toEqual([0, 1, 2, 5, 6, 7, 8, 9]);
	expect(heard[3]).toEqual({ index: 5, recovered: true, atMs: 180 });
	expect(heard.at(-1)?.atMs).toBe(180);
});

test("puts packets that overtook each other in order without redundancy", () => {
	const heard = hear(
		[
			{ index: 0, atMs: 0 },
			{ index: 2, atMs: 40 },
			{ index: 3, atMs: 55 },
			{ index: 1, atMs: 70 },
			{ index: 4, atMs: 80 },
		],
		0,
	);
	expect(heard.map(({ index, atMs }) => [index, atMs])).toEqual([
		[0, 0],
		[1, 70],
		[2, 70],
		[3, 70],
		[4, 80],
	]);
});

test("goes on without what does not come, and drops it when it comes after all", () => {
	const heard = hear(
		[
			{ index: 0, atMs: 0 },
			{ index: 2, atMs: 40 },
			{ index: 3, atMs: 60 },
			{ index: 1, atMs: 150 },
			{ index: 4, atMs: 160 },
		],
		0,
	);
	expect(heard.map(({ index }) => index)).toEqual([0, 2, 3, 4]);
	expect(heard[1]?.atMs).toBe(100);
});

test("says nothing of silence, and goes on after it: DTX leaves out packets without leaving out numbers", () => {
	const order = new SoundOrder();
	const at = (index: number, sequenceNumber: number, payload: Uint8Array): SoundPacket => ({
		...{ rtpTimestamp: rtpOf(index), sequenceNumber, isRed: false, payload, arrivalUs: index * 20_000 },
	});
	const heard = [
		at(0, 7, soundOf(0)),
		at(1, 8, new Uint8Array()),
		at(21, 9, new Uint8Array()),
		at(41, 10, soundOf(41)),
		at(42, 11, soundOf(42)),
	].map((each) => order.push(each, each.arrivalUs).map(({ rtpTimestamp }) => rtpTimestamp));
	expect(heard).toEqual([[rtpOf(0)], [], [], [rtpOf(41)], [rtpOf(42)]]);
});

test("counts a payload that is none, and goes on", () => {
	const order = new SoundOrder();
	const broken = { ...packet(1, 1, 0), payload: Uint8Array.of(0xef, 1) };
	expect(order.push(packet(0, 1, 0), 0)).toHaveLength(1);
	expect(order.push(broken, 0)).toHaveLength(0);
	expect(order.push(packet(2, 0, 0), 0)).toHaveLength(1);
	expect(order.malformed).toBe(1);
});

test("hands everything on at most once and in order, whatever the network does", () => {
	const arrivals = fc.array(
		fc.record({ late: fc.integer({ min: 0, max: 120 }), lost: fc.boolean(), twice: fc.boolean() }),
		{ minLength: 5, maxLength: 80 },
	);
	fc.assert(
		fc.property(arrivals, fc.integer({ min: 0, max: 2 }), (packets, redundancy) => {
			const sent = packets.flatMap(({ late, lost, twice }, index) => {
				const atMs = index * 20 + late;
				return lost ? [] : [{ index, atMs }, ...(twice ? [{ index, atMs: atMs + 7 }] : [])];
			});
			const heard = hear(
				sent.toSorted((a, b) => a.atMs - b.atMs),
				redundancy,
			);
			const indices = heard.map(({ index }) => index);
			expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
			for (const { index, atMs } of heard) {
				// Nothing that came is held for longer than what may have been overtaken has.
				const cameMs = Math.min(...sent.filter((each) => each.index >= index).map((each) => each.atMs));
				expect(atMs - cameMs).toBeLessThanOrEqual(200);
			}
		}),
		{ numRuns: 60 },
	);
});
