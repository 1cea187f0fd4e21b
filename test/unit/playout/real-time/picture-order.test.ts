import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Numbered, PictureOrder } from "../../../../playout/real-time/picture-order.ts";

const TICKS = 3_000;
const INTERVAL_MS = 1_000 / 30;

interface Picture extends Numbered {
	readonly index: number;
}

interface Shape {
	/** With a dependency descriptor. */
	readonly numbered: boolean;
	readonly inOrder?: boolean;
	readonly keys?: readonly number[];
}

function picture(index: number, { numbered, inOrder = false, keys = [0] }: Shape): Picture {
	const keyFrame = keys.includes(index);
	// A sender that drops pictures numbers them on all the same: 100, 102, 104 …
	const numbers = { frameId: 100 + 2 * index, dependencies: keyFrame ? [] : [98 + 2 * index] };
	return {
		index,
		keyFrame,
		rtpTimestamp: (2 ** 32 - 5 * TICKS + index * TICKS) % 2 ** 32,
		inOrder,
		...(numbered ? numbers : {}),
	};
}

interface Arrival {
	readonly index: number;
	readonly atMs: number;
}

function steady(count: number, lateMs: Readonly<Record<number, number>> = {}): Arrival[] {
	return Array.from({ length: count }, (_, index) => ({
		index,
		atMs: Math.round(index * INTERVAL_MS) + (lateMs[index] ?? 0),
	}))
		.filter(({ atMs }) => Number.isFinite(atMs))
		.sort((a, b) => a.atMs - b.atMs);
}

function run(
	arrivals: readonly Arrival[],
	shape: Shape,
): { decoded: Arrival[]; askedMs: number | undefined; order: PictureOrder<Picture> } {
	const order = new PictureOrder<Picture>();
	const decoded: Arrival[] = [];
	let askedMs: number | undefined;
	const endMs = (arrivals.at(-1)?.atMs ?? 0) + 1_000;
	for (let atMs = 0; atMs <= endMs; atMs += 1) {
		const released = arrivals
			.filter((each) => each.atMs === atMs)
			.flatMap(({ index }) => order.push(picture(index, shape), atMs * 1_000));
		released.push(...order.tick(atMs * 1_000));
		decoded.push(...released.map(({ index }) => ({ index, atMs })));
		if (order.needsKeyFrame(atMs * 1_000)) {
			askedMs ??= atMs;
		}
	}
	return { decoded, askedMs, order };
}

const indices = (arrivals: readonly Arrival[]) => arrivals.map(({ index }) => index);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe.each([
	{ name: "with a dependency descriptor", numbered: true },
	{ name: "without a dependency descriptor", numbered: false },
])("$name", (shape) => {
	test("hands steady pictures on as they come", () => {
		const arrivals = steady(30);
		const { decoded, askedMs } = run(arrivals, shape);
		expect(decoded).toEqual(arrivals);
		expect(askedMs).toBeUndefined();
	});

	test("puts one that had to be sent again back into its place, and asks for no key frame", () => {
		const { decoded, askedMs } = run(steady(60, { 30: 120 }), shape);
		expect(indices(decoded)).toEqual(upTo(60));
		expect(decoded[33]?.atMs).toBe(1_120);
		expect(askedMs).toBeUndefined();
	});

	test("drops what padding repeats", () => {
		const arrivals = steady(30).flatMap((each) => [each, { ...each, atMs: each.atMs + 400 }, each]);
		const { decoded, askedMs } = run(
			arrivals.toSorted((a, b) => a.atMs - b.atMs),
			shape,
		);
		expect(indices(decoded)).toEqual(upTo(30));
		expect(askedMs).toBeUndefined();
	});

	test("begins with a key frame, and goes on at one that comes while others wait", () => {
		const { decoded } = run(steady(60, { 0: Number.NaN, 30: Number.NaN }), { ...shape, keys: [0, 20, 40] });
		const expected = upTo(60).filter((index) => index >= 20 && index !== 30);
		if (shape.numbered) {
			expect(indices(decoded)).toEqual(expected.filter((index) => index < 30 || index >= 40));
		} else {
			expect(indices(decoded)).toEqual(expected);
		}
	});
});

describe("a picture that never comes", () => {
	test("with a descriptor: nothing that needs it is handed on, and a key frame is asked for after 200 ms", () => {
		const lost = { 30: Number.NaN };
		const { decoded, askedMs } = run(steady(60, lost), { numbered: true });
		expect(indices(decoded)).toEqual(upTo(30));
		expect(askedMs).toBe(Math.round(31 * INTERVAL_MS) + 201);
		const mended = run(steady(60, lost), { numbered: true, keys: [0, 45] });
		expect(indices(mended.decoded)).toEqual(upTo(60).filter((index) => index < 30 || index >= 45));
	});

	test("without one: it may have been a pause, so that play goes on after 200 ms", () => {
		const { decoded } = run(steady(60, { 30: Number.NaN }), { numbered: false });
		expect(indices(decoded)).toEqual(upTo(60).filter((index) => index !== 30));
		expect(decoded[30]).toEqual({ index: 31, atMs: Math.round(31 * INTERVAL_MS) + 201 });
	});

	test("without one, where it comes after all: what was made without it is spoilt, and a key frame asked for", () => {
		const { decoded, askedMs } = run(steady(60, { 30: 400 }), { numbered: false, keys: [0, 50] });
		expect(askedMs).toBe(1_400);
		expect(indices(decoded).filter((index) => index > 42 && index < 50)).toEqual([]);
		expect(indices(decoded).slice(-10)).toEqual(upTo(60).slice(-10));
	});
});

test("waits for nothing where the platform hands on what is whole up to there: H.264", () => {
	const arrivals = steady(60, { 30: Number.NaN });
	expect(run(arrivals, { numbered: false, inOrder: true }).decoded).toEqual(arrivals);
});

test("begins again at the next key frame when nobody can use the others", () => {
	const order = new PictureOrder<Picture>();
	const shape = { numbered: true, keys: [0, 3] };
	expect(order.push(picture(0, shape), 0)).toHaveLength(1);
	order.requireKeyFrame();
	expect(order.needsKeyFrame(0)).toBe(true);
	expect([1, 2, 3, 4].map((index) => order.push(picture(index, shape), 0).length)).toEqual([0, 0, 1, 1]);
	expect(order.needsKeyFrame(0)).toBe(false);
});

test("with a descriptor hands on nothing without what it needs, nothing twice, and never backwards", () => {
	const fate = fc.record({ lateMs: fc.integer({ min: 0, max: 400 }), lost: fc.boolean(), twice: fc.boolean() });
	fc.assert(
		fc.property(
			fc.array(fate, { minLength: 5, maxLength: 80 }),
			fc.array(fc.integer({ min: 1, max: 79 }), { maxLength: 4 }),
			(fates, keys) => {
				const arrivals = fates.flatMap(({ lateMs, lost, twice }, index) => {
					const atMs = Math.round(index * INTERVAL_MS) + lateMs;
					return lost ? [] : [{ index, atMs }, ...(twice ? [{ index, atMs: atMs + 50 }] : [])];
				});
				const shape = { numbered: true, keys: [0, ...keys] };
				const decoded = indices(
					run(
						arrivals.toSorted((a, b) => a.atMs - b.atMs),
						shape,
					).decoded,
				);
				for (const [at, index] of decoded.entries()) {
					expect(index).toBeGreaterThan(decoded[at - 1] ?? -1);
					if (!shape.keys.includes(index)) {
						expect(decoded[at - 1]).toBe(index - 1);
					}
				}
			},
		),
		{ numRuns: 60 },
	);
});
