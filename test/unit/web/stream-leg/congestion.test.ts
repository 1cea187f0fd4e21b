import { describe, expect, test } from "vitest";
import { CongestionGate } from "../../../../web/lib/stream-leg/congestion-gate.ts";
import { LEAST_BITRATE_BPS, RateControl } from "../../../../web/lib/stream-leg/rate-control.ts";
import { SendBacklog } from "../../../../web/lib/stream-leg/send-backlog.ts";

const MS = 1_000;
const S = 1_000_000;
const FULL = { bitrateBps: 3_000_000, frameRate: 30 };

describe("SendBacklog", () => {
	test("says how long the oldest byte has waited", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000, 0);
		backlog.write(1_000, 50 * MS);
		backlog.look(1_500, 100 * MS);
		expect(backlog.delayUs(100 * MS)).toBe(100 * MS);
		backlog.look(1_000, 120 * MS);
		expect(backlog.delayUs(120 * MS)).toBe(70 * MS);
		backlog.look(0, 130 * MS);
		expect(backlog.delayUs(130 * MS)).toBe(0);
	});

	test("measures what leaves, and says nothing too early", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000_000, 0);
		for (let tick = 0; tick <= 200; tick += 1) {
			backlog.look(1_000_000 - tick * 1_250, tick * 10 * MS);
			if (tick < 50) {
				expect(backlog.throughputBps(tick * 10 * MS)).toBeUndefined();
			}
		}
		expect(backlog.throughputBps(2 * S)).toBeCloseTo(1_000_000, -3);
	});
});

describe("SendBacklog with acknowledgements", () => {
	/** As on its clock: a hundred times a second. */
	function looks(backlog: SendBacklog, fromMs: number, toMs: number): number {
		for (let atMs = fromMs; atMs <= toMs; atMs += 10) {
			backlog.look(0, atMs * MS);
		}
		return backlog.delayUs(toMs * MS) / MS;
	}

	/** Writes a message of 1,000 bytes each 10 ms, which takes so long to arrive; acknowledged each 50 ms. */
	function line(backlog: SendBacklog) {
		let written = 0;
		let acknowledged = 0;
		let nowUs = 0;
		return (forMs: number, takesMs: (writtenMs: number) => number, bufferedBytes = 0) => {
			const late: number[] = [];
			for (const untilUs = nowUs + forMs * MS; nowUs < untilUs; nowUs += 10 * MS) {
				backlog.write(1_000, nowUs);
				written += 1;
				while (acknowledged < written && acknowledged * 10 + takesMs(acknowledged * 10) <= nowUs / MS) {
					acknowledged += 1;
				}
				if (nowUs % (50 * MS) === 0 && acknowledged > 0) {
					backlog.acknowledge(acknowledged, nowUs);
				}
				backlog.look(bufferedBytes, nowUs);
				late.push(backlog.delayUs(nowUs) / MS);
			}
			return { mostMs: Math.max(...late), bps: backlog.throughputBps(nowUs - 10 * MS) ?? 0 };
		};
	}

	test("a long way is no wait", () => {
		expect(line(new SendBacklog())(10_000, () => 200).mostMs).toBeLessThanOrEqual(200);
		const lasts = line(new SendBacklog());
		lasts(1_000, () => 200);
		expect(lasts(10_000, () => 200).mostMs).toBe(0);
	});

	test("what waits beyond it is told, though the socket holds nothing, and what arrives meanwhile", () => {
		const lasts = line(new SendBacklog());
		const { bps } = lasts(2_000, () => 30);
		expect(bps).toBeCloseTo(800_000, -5);
		// From here on half of what is written arrives.
		const full = lasts(2_000, (writtenMs) => 30 + (writtenMs - 2_000));
		expect(full.mostMs).toBeGreaterThan(600);
		expect(full.bps).toBeGreaterThan(350_000);
		expect(full.bps).toBeLessThan(450_000);
	});

	test("what the socket says counts no more once there was one, and until then alone", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000, 0);
		backlog.look(1_000, 100 * MS);
		expect(backlog.delayUs(100 * MS)).toBe(100 * MS);
		backlog.acknowledge(1, 110 * MS);
		expect(backlog.delayUs(110 * MS)).toBe(0);
		backlog.write(1_000, 200 * MS);
		expect(looks(backlog, 200, 1_400)).toBeGreaterThan(500);
	});

	test("a longer way than before is a wait for two minutes at most", () => {
		const lasts = line(new SendBacklog());
		lasts(5_000, () => 20);
		lasts(125_000, () => 320);
		expect(lasts(1_000, () => 320).mostMs).toBe(0);
	});

	test("what is late for a moment is no queue", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000, 0);
		backlog.acknowledge(1, 20 * MS);
		let most = 0;
		for (let count = 2; count < 40; count += 1) {
			// Each acknowledgement is 200 ms late, and then there is nothing to wait for.
			backlog.write(1_000, count * 300 * MS);
			most = Math.max(most, looks(backlog, count * 300, count * 300 + 200));
			backlog.acknowledge(count, (count * 300 + 210) * MS);
			most = Math.max(most, looks(backlog, count * 300 + 210, count * 300 + 290));
		}
		expect(most).toBe(0);
	});

	test("the first tells of what had left the socket before it came", () => {
		const backlog = new SendBacklog();
		for (let at = 0; at < 30; at += 1) {
			backlog.write(1_000, at * 10 * MS);
			backlog.look(0, at * 10 * MS);
		}
		expect([backlog.delayUs(300 * MS), backlog.waitingBytes]).toEqual([0, 0]);
		backlog.acknowledge(5, 300 * MS);
		expect(backlog.waitingBytes).toBe(25_000);
		// The sixth was written at 50 ms; the fifth took 260 ms.
		expect(looks(backlog, 300, 1_500)).toBeGreaterThan(600);
	});

	test("a line that falls silent holds what was written, whatever the socket says", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000, 0);
		backlog.acknowledge(1, 20 * MS);
		backlog.write(1_000, 40 * MS);
		backlog.look(0, 9 * S);
		expect(backlog.waitingBytes).toBe(1_000);
	});

	test("keeps little where nothing is ever acknowledged", () => {
		const backlog = new SendBacklog();
		for (let at = 0; at < 10_000; at += 1) {
			backlog.write(1_000, at * 10 * MS);
			backlog.look(0, at * 10 * MS);
		}
		// Too late to be understood, and so as if it had not come.
		backlog.acknowledge(1, 100 * S);
		expect([backlog.waitingBytes, backlog.delayUs(200 * S)]).toEqual([0, 0]);
	});

	test("an acknowledgement of more than was written, or of less than before, does nothing", () => {
		const backlog = new SendBacklog();
		backlog.write(1_000, 0);
		backlog.write(1_000, 0);
		backlog.acknowledge(2, 20 * MS);
		backlog.write(1_000, 30 * MS);
		backlog.acknowledge(9, 40 * MS);
		backlog.acknowledge(0, 50 * MS);
		expect(looks(backlog, 50, 1_500)).toBeGreaterThan(900);
	});
});

describe("CongestionGate", () => {
	test("lets everything pass while the line keeps up", () => {
		const gate = new CongestionGate();
		expect([false, true, false].map((key) => gate.passesPicture(key, 240 * MS))).toEqual([true, true, true]);
		expect(gate.look(0)).toBe(false);
	});

	test("leaves pictures out up to the next key frame, which it asks for once the line is free", () => {
		const gate = new CongestionGate();
		expect(gate.passesPicture(false, 260 * MS)).toBe(false);
		// A regular key frame on a line that is still full is no help.
		expect(gate.passesPicture(true, 200 * MS)).toBe(false);
		expect([gate.look(100 * MS), gate.look(30 * MS), gate.look(0)]).toEqual([false, true, false]);
		expect(gate.passesPicture(false, 0)).toBe(false);
		expect(gate.passesPicture(true, 0)).toBe(true);
		expect(gate.passesPicture(false, 0)).toBe(true);
		expect(gate.droppedPictures).toBe(3);
	});

	test("leaves out no sound before a second and a half", () => {
		const gate = new CongestionGate();
		expect([0, 400, 1_500, 1_501].map((ms) => gate.passesSound(ms * MS))).toEqual([true, true, true, false]);
		expect(gate.droppedSounds).toBe(1);
	});
});

describe("RateControl", () => {
	test("goes down at once and fast, to what the line was seen to carry, and no further than a picture needs", () => {
		const control = new RateControl(FULL);
		control.look(200 * MS, 1_000_000, 0);
		expect(control.rate).toEqual({ bitrateBps: 800_000, frameRate: 15 });
		control.look(200 * MS, 1_000_000, 100 * MS);
		expect(control.rate.bitrateBps).toBe(800_000);
		for (let at = 0; at < 20; at += 1) {
			control.look(400 * MS, 100_000, (1 + at) * S);
		}
		expect(control.rate).toEqual({ bitrateBps: LEAST_BITRATE_BPS, frameRate: 15 });
	});

	test("comes back slowly, with all frames", () => {
		const control = new RateControl(FULL);
		control.look(200 * MS, 500_000, 0);
		const at = (seconds: number) => {
			for (let ms = 10; ms <= seconds * 1_000; ms += 10) {
				control.look(0, 500_000, ms * MS);
			}
			return control.rate;
		};
		expect(at(3)).toEqual({ bitrateBps: 400_000, frameRate: 15 });
		const control2 = new RateControl(FULL);
		control2.look(200 * MS, 500_000, 0);
		for (let ms = 10; ms <= 60_000; ms += 10) {
			control2.look(0, 500_000, ms * MS);
			const share = control2.rate.bitrateBps / FULL.bitrateBps;
			expect(control2.rate.frameRate === 30 || share < 0.6).toBe(true);
		}
		expect(control2.rate).toEqual(FULL);
	});

	test("keeps to what somebody asks for, and lifts it at once", () => {
		const control = new RateControl(FULL);
		control.setCap({ maxBitrateBps: 1_000_000, maxFrameRate: 20 });
		expect(control.rate).toEqual({ bitrateBps: 1_000_000, frameRate: 20 });
		expect(control.lineShare).toBe(1);
		control.setCap({});
		expect(control.rate).toEqual(FULL);
	});

	test("never asks for more than the broadcast has, however little that is", () => {
		const control = new RateControl({ bitrateBps: 100_000, frameRate: 30 });
		control.look(300 * MS, 10_000, 0);
		expect(control.rate.bitrateBps).toBe(100_000);
	});
});

/** All three on a line of made-up speed, with an encoder that keeps to what it is asked for and makes key frames of six times the size. */
function simulate(
	seconds: number,
	capacityBps: (s: number) => number,
): { s: number; delayMs: number; bps: number; pictures: number }[] {
	const backlog = new SendBacklog();
	const gate = new CongestionGate();
	const control = new RateControl(FULL);
	let queued = 0;
	let keyWanted = true;
	let credit = 0;
	let pictures = 0;
	const history: { s: number; delayMs: number; bps: number; pictures: number }[] = [];
	for (let ms = 0; ms < seconds * 1_000; ms += 10) {
		const nowUs = ms * MS;
		queued = Math.max(0, queued - capacityBps(ms / 1_000) / 8 / 100);
		backlog.look(queued, nowUs);
		const delayUs = backlog.delayUs(nowUs);
		keyWanted ||= gate.look(delayUs);
		control.look(delayUs, backlog.throughputBps(nowUs), nowUs);
		const { bitrateBps, frameRate } = control.rate;
		credit += frameRate / 100;
		const send = (bytes: number) => {
			queued += bytes;
			backlog.write(bytes, nowUs);
		};
		if (ms % 20 === 0 && gate.passesSound(delayUs)) {
			send(320);
		}
		if (credit >= 1) {
			credit -= 1;
			const key: boolean = keyWanted || ms % 2_000 < 34;
			if (gate.passesPicture(key, delayUs)) {
				send((bitrateBps / 8 / frameRate) * (key ? 6 : 0.9));
				pictures += 1;
				keyWanted &&= !key;
			}
		}
		history.push({ s: ms / 1_000, delayMs: delayUs / MS, bps: bitrateBps, pictures });
	}
	return history;
}

describe("a line that is too slow", () => {
	test("is not noticed where it is fast enough", () => {
		const history = simulate(30, () => 8_000_000);
		expect(Math.max(...history.map(({ delayMs }) => delayMs))).toBeLessThan(150);
		expect(Math.min(...history.map(({ bps }) => bps))).toBe(FULL.bitrateBps);
	});

	test.each([500_000, 1_000_000, 2_000_000])(
		"of %d b/s is filled and not overfilled: what is sent is hardly ever late",
		(bps) => {
			const history = simulate(60, () => bps).filter(({ s }) => s > 5);
			const delays = history.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b);
			expect(delays[Math.floor(delays.length * 0.95)]).toBeLessThan(400);
			expect(delays.at(-1)).toBeLessThan(1_000);
			const first = history[0]?.pictures ?? 0;
			// Half of the frames at least, of half a rate.
			expect((history.at(-1)?.pictures ?? 0) - first).toBeGreaterThan(55 * 7);
		},
	);

	test("that recovers is used in full again within a minute", () => {
		const history = simulate(120, (s) => (s > 10 && s < 40 ? 600_000 : 8_000_000));
		expect(history.find(({ s }) => s >= 35)?.bps).toBeLessThan(800_000);
		expect(history.find(({ s }) => s >= 100)?.bps).toBe(FULL.bitrateBps);
	});

	test("that stops for two seconds loses pictures and recovers at a key frame", () => {
		const history = simulate(30, (s) => (s > 10 && s < 12 ? 0 : 8_000_000));
		const at = (s: number) => history.find((each) => each.s >= s)?.pictures ?? 0;
		expect(at(12) - at(10.5)).toBe(0);
		expect(at(13) - at(12.3)).toBeGreaterThan(8);
	});
});
