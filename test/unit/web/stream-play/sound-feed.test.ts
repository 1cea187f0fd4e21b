import { describe, expect, test } from "vitest";
import { SoundFeed } from "../../../../web/lib/stream-play/sound-feed.ts";
import { SoundLead } from "../../../../web/lib/stream-play/sound-lead.ts";

const MS = 1_000;
const S = 1_000_000;

describe("SoundLead", () => {
	test("grows when sound was missing, once for one reason, and not for ever", () => {
		const lead = new SoundLead();
		const before = lead.ms;
		expect(lead.note(128, S)).toBe(true);
		expect(lead.note(128, S + 50 * MS)).toBe(false);
		expect(lead.ms).toBe(before + 8);
		for (let at = 2; at < 100; at += 1) {
			lead.note(128, at * S);
		}
		expect(lead.ms).toBe(120);
	});

	test("comes back slowly when nothing was missing for ten seconds", () => {
		const lead = new SoundLead();
		const before = lead.ms;
		lead.note(128, 0);
		for (let at = 0; at < 10_000; at += 10) {
			expect(lead.note(0, at * MS)).toBe(false);
		}
		for (let at = 10_000; at < 40_000; at += 10) {
			lead.note(0, at * MS);
		}
		expect(lead.ms).toBe(before);
	});
});

interface Pulled {
	readonly localUs: number;
	readonly frames: number;
}

/** A device that plays at `ppm` from 48 kHz, says so every 512 samples, each word `delayMs` late. */
function play(
	seconds: number,
	ppm: number,
	delayMs: (index: number) => number,
): { pulled: Pulled[]; sent: number[]; leads: number[] } {
	const pulled: Pulled[] = [];
	const sent: number[] = [];
	const leads: number[] = [];
	const feed = new SoundFeed({
		pull: (localUs, frames) => pulled.push({ localUs, frames }),
		onLead: (leadMs) => leads.push(leadMs),
		send: ({ firstFrame, samples }) => {
			sent.push(firstFrame, firstFrame + samples.length / 2);
		},
	});
	for (let index = 1; (index * 512) / 48_000 < seconds; index += 1) {
		const playedUs = ((index * 512) / 48_000 / (1 + ppm / 1e6)) * S;
		feed.take({ frame: index * 512, missing: 0 }, playedUs + delayMs(index) * MS);
	}
	return { pulled, sent, leads };
}

describe("SoundFeed", () => {
	test("makes every sample once, in order, a little ahead of its need", () => {
		const { sent, leads } = play(5, 0, (index) => 1 + (index % 5));
		expect(leads).toEqual([20]);
		for (let at = 1; at + 1 < sent.length; at += 2) {
			expect(sent[at + 1]).toBe(sent[at]);
		}
		expect((sent.at(-1) ?? 0) / 48_000).toBeGreaterThan(4.99);
	});

	test.each([50, -50])("follows a device that is %d ppm off", (ppm) => {
		const { pulled } = play(120, ppm, (index) => (index % 9 === 0 ? 25 : 2));
		let samples = 512;
		const errors = pulled.map(({ localUs, frames }) => {
			const playedUs = (samples / 48_000 / (1 + ppm / 1e6)) * S;
			samples += frames;
			return localUs - playedUs;
		});
		expect(Math.max(...errors.map((error) => Math.abs(error - 2 * MS)))).toBeLessThan(3 * MS);
	});

	test("begins anew where the device is after it ran on alone", () => {
		const sent: number[] = [];
		const feed = new SoundFeed({ pull: () => {}, onLead: () => {}, send: ({ firstFrame }) => sent.push(firstFrame) });
		feed.take({ frame: 512, missing: 0 }, 10 * MS);
		feed.take({ frame: 96_000, missing: 40_000 }, 2_000 * MS);
		expect(sent.at(-3)).toBe(96_000);
	});
});
